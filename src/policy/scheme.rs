//! The ways by which callers can prove who they are, as clients are told of them: authentication schemes
//! (RFC 9110, section 11).

/// A way of proving who one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A token (RFC 6750).
    Bearer,
    /// A key that was given to the caller.
    ApiKey,
    /// The same as a password (RFC 7617).
    Basic,
    /// A client certificate.
    Certificate,
    /// A signature of the request (RFC 9421).
    Signature,
}

impl Scheme {
    /// The challenge that asks for it. Where nobody registered a scheme, it is one of ours.
    pub fn challenge(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer realm=\"api\"",
            Self::ApiKey => "ApiKey realm=\"api\"",
            Self::Basic => "Basic realm=\"api\", charset=\"UTF-8\"",
            Self::Certificate => "Certificate realm=\"api\"",
            Self::Signature => "Signature realm=\"api\"",
        }
    }

    /// What the log calls its credential.
    pub fn credential(self) -> &'static str {
        match self {
            Self::Bearer => "token",
            Self::ApiKey => "API key",
            Self::Basic => "password",
            Self::Certificate => "client certificate",
            Self::Signature => "signature",
        }
    }
}

/// The challenges of several schemes, each once (RFC 9110, section 11.6.1).
pub fn challenges(schemes: &[Scheme]) -> String {
    let mut all: Vec<&str> = Vec::new();
    for challenge in schemes.iter().map(|scheme| scheme.challenge()) {
        if !all.contains(&challenge) {
            all.push(challenge);
        }
    }
    all.join(", ")
}
