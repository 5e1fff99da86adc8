//! Where issuers are asked: URLs that nobody on the way can listen to.

use crate::settings::{Text, not_of_form, written_as_text};

/// A URL that is asked over TLS, or within one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecureUrl(pub String);

impl Text for SecureUrl {
    const FORM: &'static str = "a URL that begins with https://";
    const PATTERN: &'static str = "^https?://.+$";
    // It may have credentials in it, which have no business there.
    const SECRET: bool = true;

    fn read(text: &str) -> Result<Self, String> {
        if is_secure(text) { Ok(Self(text.to_owned())) } else { Err(not_of_form::<Self>()) }
    }
}

written_as_text!(SecureUrl);

/// Whether nobody on the way can read or change what is asked and answered there: it is over TLS, or within one machine.
pub fn is_secure(url: &str) -> bool {
    // Others end the line in which a URL goes to the runtime, or are left out by who reads it.
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return false;
    }
    // What is before an `@` is no host.
    let host_of = |rest: &str| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        (!host.contains('@')).then(|| host.to_owned())
    };
    match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => host_of(rest).is_some_and(|host| !host.is_empty()),
        (None, Some(rest)) => host_of(rest).is_some_and(|host| {
            let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
            matches!(name, "localhost" | "127.0.0.1" | "[::1]")
        }),
        (None, None) => false,
    }
}
