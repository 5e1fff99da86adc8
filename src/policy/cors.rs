//! Which pages of other origins may call from a browser (the Fetch standard, "CORS protocol").
//!
//! ```json
//! "cors": { "origins": ["https://app.example.com", "https://*.example.org"], "credentials": true }
//! ```
//!
//! A preflight is answered by the gateway, before anybody is asked who they are. Every other answer for
//! a path that has such a route tells the browser whether the page may read it, a refusal too; what a service says of this does not
//! pass. A request of another origin is not refused: the browser keeps its answer from the page.

use std::time::Duration;

use super::headers::{Field, HeaderEdits};
use crate::head::{Head, Headers};
use crate::router::is_label;
use crate::settings::{List, Method, OneOrMany, Place, Problems, Span, Text, not_of_form, shape, written_as_text};

/// How long a browser may remember the answer to a preflight.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(600);

shape! {
    /// Which pages of other origins may call from a browser.
    pub struct CorsSettings {
        /// The origins: scheme, host and maybe a port, "*." before the host for any below it; or "*" for all.
        "origins" => origins: OneOrMany<Origin> = ["https://app.example.com", "https://*.example.org"],
        /// The methods that such a page may use. Default: those of the route that takes the request.
        "methods" => methods: Option<OneOrMany<Method>> = ["GET", "POST"],
        /// The header fields that such a page may send. Default: those that it asks for.
        "headers" => headers: Option<List<String>> = ["authorization", "content-type"],
        /// The header fields of the answer that such a page may read, beside those that it always may.
        "expose" => expose: Option<List<String>> = ["x-request-id", "ratelimit"],
        /// Whether cookies and the like go along; not with the origin "*". Default false.
        "credentials" => credentials: Option<bool> = true,
        /// How long a browser may remember what it was told. Default "10m".
        "max_age" => max_age: Option<Span> = "1h",
    }
}

/// An origin, several, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `*`
    Any,
    /// Scheme, host and port, as browsers write it.
    Exact(String),
    /// `https://*.example.com`: what stands before and after the labels.
    Below(String, String),
}

impl Text for Origin {
    const FORM: &'static str = "an origin such as \"https://app.example.com\" or \"https://*.example.com\", or \"*\"";
    const PATTERN: &'static str = r"^(\*|[a-z][a-z0-9+.-]*://(\*\.)?[a-z0-9._-]+(:[0-9]+)?)$";

    fn read(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(not_of_form::<Self>)?;
        let is_scheme = !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+.-".contains(&byte));
        let (host, port) = rest.split_at(rest.find(':').unwrap_or(rest.len()));
        let is_port = port.is_empty() || port.get(1..).is_some_and(|port| port.parse::<u16>().is_ok());
        let below = host.strip_prefix("*.");
        let labels: Vec<&str> = below.unwrap_or(host).split('.').collect();
        if !is_scheme || !is_port || !labels.iter().all(|label| is_label(label)) {
            return Err(not_of_form::<Self>());
        }
        match below {
            // `https://*.com` would be everybody.
            Some(_) if labels.len() < 2 => Err("must have two labels after the *".to_owned()),
            Some(below) => Ok(Self::Below(format!("{scheme}://"), format!(".{below}{port}"))),
            None if matches!((scheme, port), ("https", ":443") | ("http", ":80")) => {
                Err("must be without the port that is usual: browsers leave it out".to_owned())
            }
            None => Ok(Self::Exact(text.to_owned())),
        }
    }
}

written_as_text!(Origin);

impl Origin {
    fn has(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => exact == origin,
            Self::Below(before, after) => {
                let label = origin.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
                label.is_some_and(|labels| {
                    !labels.is_empty()
                        && labels.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
                })
            }
        }
    }
}

/// A compiled rule.
#[derive(Debug)]
pub struct Cors {
    origins: Vec<Origin>,
    methods: Option<String>,
    headers: Option<String>,
    expose: Option<String>,
    credentials: bool,
    max_age: Duration,
}

impl Cors {
    /// Compiles a rule; notes each fault.
    pub fn compile(settings: CorsSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let names = |list: Option<List<String>>| list.map(|list| list.without_faults().join(", "));
        let (headers, expose) = (names(settings.headers?), names(settings.expose?));
        let methods = settings.methods?.map(|methods| methods.0.into_iter().map(|method| method.0).collect::<Vec<_>>());
        let (origins, credentials) = (settings.origins?.0, settings.credentials?.unwrap_or(false));
        if credentials && origins.contains(&Origin::Any) {
            problems
                .add(place, "has \"credentials\" and the origin \"*\": any page could act for whoever is logged in");
            return None;
        }
        let max_age = settings.max_age?.map_or(DEFAULT_MAX_AGE, |span| span.0);
        let methods = methods.map(|methods| methods.join(", "));
        Some(Self { origins, methods, headers, expose, credentials, max_age })
    }

    /// What the answer to a preflight says; `methods` are those of the routes of the path.
    pub fn preflight(&self, head: &Head, methods: &str) -> Vec<Field> {
        let vary = "origin, access-control-request-method, access-control-request-headers";
        let mut fields: Vec<Field> = vec![("vary".into(), vary.into())];
        let Some(origin) = self.allowed(head) else { return fields };
        fields.extend(origin);
        let asked = head.headers.get("access-control-request-headers");
        fields.push(("access-control-allow-methods".into(), self.methods.as_deref().unwrap_or(methods).to_owned()));
        if let Some(headers) = self.headers.as_deref().or(asked) {
            fields.push(("access-control-allow-headers".into(), headers.to_owned()));
        }
        fields.push(("access-control-max-age".into(), self.max_age.as_secs().to_string()));
        fields
    }

    /// What every other answer says, in the place of what a service says.
    pub fn edits(&self, head: &Head) -> HeaderEdits {
        let mut edits = HeaderEdits { remove: SAID_BY_SERVICES.map(str::to_owned).to_vec(), ..HeaderEdits::default() };
        if self.origins != [Origin::Any] {
            edits.append.push(("vary".into(), "origin".into()));
        }
        if let Some(origin) = self.allowed(head) {
            origin.into_iter().for_each(|(name, value)| edits.set(name, value));
            if let Some(expose) = &self.expose {
                edits.set("access-control-expose-headers", expose.clone());
            }
        }
        edits
    }

    /// The fields that let the page of the request's origin in; `None` if it may not.
    fn allowed(&self, head: &Head) -> Option<Vec<Field>> {
        let origin = head.headers.get("origin").filter(|origin| self.origins.iter().any(|known| known.has(origin)))?;
        let shown = if self.origins == [Origin::Any] { "*" } else { origin };
        let mut fields: Vec<Field> = vec![("access-control-allow-origin".into(), shown.to_owned())];
        if self.credentials {
            fields.push(("access-control-allow-credentials".into(), "true".to_owned()));
        }
        Some(fields)
    }
}

/// What a service may not say where the file says it.
const SAID_BY_SERVICES: [&str; 6] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
    "access-control-max-age",
];

/// The method that a preflight asks about; `None` if the request is none.
pub fn asked_method<'h>(method: &str, headers: &'h Headers) -> Option<&'h str> {
    if method != "OPTIONS" || headers.get("origin").is_none() {
        return None;
    }
    headers.get("access-control-request-method")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: &[&str], credentials: bool) -> Cors {
        let origins = origins.iter().map(|origin| Origin::read(origin).unwrap()).collect();
        Cors {
            origins,
            methods: None,
            headers: None,
            expose: Some("x-a".into()),
            credentials,
            max_age: DEFAULT_MAX_AGE,
        }
    }

    fn head(headers: &str) -> Head {
        Head::from_text(&format!("OPTIONS\nhttps://h/\n\nid\n1\n{headers}")).unwrap()
    }

    fn get<'f>(fields: &'f [Field], name: &str) -> Option<&'f str> {
        fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn an_origin_is_allowed_as_a_whole() {
        let cors = cors(&["https://app.example.com", "https://*.example.org:8443"], true);
        for (origin, allowed) in [
            ("https://app.example.com", true),
            ("https://a.example.org:8443", true),
            ("https://a.b.example.org:8443", true),
            ("https://app.example.com.evil.example", false),
            ("https://evilapp.example.com", false),
            ("http://app.example.com", false),
            ("https://app.example.com:8443", false),
            ("https://.example.org:8443", false),
            ("https://example.org:8443", false),
            ("https://evil.example/.example.org:8443", false),
            ("https://evilexample.org:8443", false),
            ("null", false),
            ("", false),
        ] {
            let edits = cors.edits(&head(&format!("origin:{origin}\n")));
            assert_eq!(get(&edits.set, "access-control-allow-origin"), allowed.then_some(origin), "of {origin}");
            assert_eq!(get(&edits.set, "access-control-allow-credentials"), allowed.then_some("true"));
            assert_eq!(get(&edits.append, "vary"), Some("origin"));
        }
        for text in [
            "",
            "example.com",
            "https://",
            "https://*",
            "https://*.com",
            "https://A.b",
            "https://a.b/",
            "https://a*.b.c",
            "https://a.b:443",
            "https://a.b:x",
        ] {
            assert!(Origin::read(text).is_err(), "of {text:?}");
        }
    }

    #[test]
    fn a_preflight_tells_what_may_be_sent() {
        let asked = "origin:https://a.example\naccess-control-request-method:PUT\naccess-control-request-headers:x-b\n";
        let fields = cors(&["*"], false).preflight(&head(asked), "GET, PUT");
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-methods", "GET, PUT"),
            ("access-control-allow-headers", "x-b"),
            ("access-control-max-age", "600"),
        ] {
            assert_eq!(get(&fields, name), Some(value), "of {name}");
        }
        let fields = cors(&["https://b.example"], false).preflight(&head(asked), "GET");
        assert_eq!(fields.len(), 1, "{fields:?}");
    }
}
