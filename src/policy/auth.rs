//! How callers prove who they are: one rule of the file.

use std::sync::Arc;

use crate::policy::api_key::ApiKeyRule;
use crate::policy::certificate::CertificateRule;
use crate::policy::credential::{Carrier, Carriers};
use crate::policy::forward_auth::ForwardAuthRule;
use crate::policy::introspection::IntrospectionRule;
use crate::policy::jwt::JwtRule;
use crate::policy::scheme::Scheme;
use crate::policy::signature::SignatureRule;

/// A rule of the file.
#[derive(Clone, Debug)]
pub enum AuthRule {
    /// By a token.
    Jwt(Arc<JwtRule>),
    /// By a key that was given to them.
    ApiKey(Arc<ApiKeyRule>),
    /// By a token that its issuer is asked about.
    Introspection(Arc<IntrospectionRule>),
    /// By asking a service.
    ForwardAuth(Arc<ForwardAuthRule>),
    /// By a client certificate.
    Certificate(Arc<CertificateRule>),
    /// By a signature of the request.
    Signature(Arc<SignatureRule>),
}

impl AuthRule {
    /// Where its credentials are, if they are in one place.
    fn carriers(&self) -> Option<&Carriers> {
        match self {
            Self::Jwt(rule) => Some(&rule.carriers),
            Self::ApiKey(rule) => Some(&rule.carriers),
            Self::Introspection(rule) => Some(&rule.carriers),
            Self::ForwardAuth(_) | Self::Certificate(_) | Self::Signature(_) => None,
        }
    }

    /// Where credentials are that services are not to have.
    pub fn hidden(&self) -> impl Iterator<Item = &Carrier> {
        self.carriers().into_iter().flat_map(Carriers::hidden)
    }

    /// Whether it looks for a credential there.
    pub fn looks_at(&self, carrier: &Carrier) -> bool {
        self.carriers().is_some_and(|carriers| carriers.from.contains(carrier))
    }

    /// The header fields in which services are told of its callers.
    pub fn told_to_services(&self) -> &[String] {
        match self {
            Self::ForwardAuth(rule) => rule.copied(),
            _ => &[],
        }
    }

    /// The header fields of the client's by which it knows a caller of whom it may say nothing.
    pub fn judges_by(&self) -> &[String] {
        match self {
            Self::ForwardAuth(rule) => rule.sent(),
            _ => &[],
        }
    }

    /// How clients are asked for its credential.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Jwt(_) | Self::Introspection(_) | Self::ForwardAuth(_) => Scheme::Bearer,
            Self::ApiKey(rule) => rule.scheme(),
            Self::Certificate(_) => Scheme::Certificate,
            Self::Signature(_) => Scheme::Signature,
        }
    }

    /// Its name in the file.
    pub fn name(&self) -> &str {
        match self {
            Self::Jwt(rule) => rule.name(),
            Self::ApiKey(rule) => &rule.name,
            Self::Introspection(rule) => rule.name(),
            Self::ForwardAuth(rule) => &rule.name,
            Self::Certificate(rule) => &rule.name,
            Self::Signature(rule) => &rule.name,
        }
    }
}
