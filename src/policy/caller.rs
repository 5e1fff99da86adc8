//! Who is calling: what was said of them by somebody whom the file trusts, in claims (RFC 7519, section 4).

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::json::path::{Path, Step};
use crate::policy::scheme::Scheme;

/// The number from which on those with decimals, or too large for 64 bits, are not told apart: 2 to the 53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Who is calling.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    issuer: String,
    claims: Map<String, Value>,
    scopes: Vec<String>,
    roles: Vec<String>,
    told: Vec<(String, String)>,
}

impl Caller {
    /// A caller with these claims, vouched for by this issuer; scopes and roles are where they usually are: `scope`
    /// (RFC 8693, section 4.2) or `scp`, and `roles`.
    pub fn new(issuer: &str, claims: Map<String, Value>) -> Self {
        let named = |name: &str| words(claims.get(name), true);
        let scopes = if claims.contains_key("scope") { named("scope") } else { named("scp") };
        let roles = words(claims.get("roles"), false);
        Self { issuer: issuer.to_owned(), claims, scopes, roles, told: Vec::new() }
    }

    /// What the caller was granted.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// What the caller is.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// A claim of whatever kind.
    pub fn claim_value(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// A claim within others: each name is a member of the one before.
    fn claim_at(&self, path: &Path) -> Option<&Value> {
        let (first, rest) = path.steps().split_first()?;
        let name = |step: &'_ Step| if let Step::Name(name) = step { Some(name.text.clone()) } else { None };
        let first = self.claims.get(&name(first)?)?;
        rest.iter().try_fold(first, |value, step| value.get(name(step)?))
    }

    /// The same, with scopes and roles in other claims, where the file says so.
    pub fn with_places(mut self, scopes_in: Option<&Path>, roles_in: Option<&Path>) -> Self {
        if let Some(path) = scopes_in {
            self.scopes = words(self.claim_at(path), true);
        }
        if let Some(path) = roles_in {
            self.roles = words(self.claim_at(path), false);
        }
        self
    }

    /// The same, of whom services are told in header fields: names in lower case, and values.
    pub fn told_to_services(self, told: Vec<(String, String)>) -> Self {
        Self { told, ..self }
    }

    /// The header fields in which services are told of the caller.
    pub fn told(&self) -> &[(String, String)] {
        &self.told
    }

    /// The issuer that vouches for the caller.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// A claim that is a single value, as text: a string, a number or a boolean. An empty string is
    /// none: it would turn "this user's" into "everybody's", and strangers into one caller.
    pub fn claim(&self, name: &str) -> Option<String> {
        match self.claims.get(name)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            // Beyond, several numbers are one.
            Value::Number(number) if number.is_f64() && number.as_f64()?.abs() >= EXACT => None,
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// About how many bytes of memory the caller takes, rather too many.
    pub fn bytes(&self) -> usize {
        let claims = self.claims.iter().map(|(name, value)| name.len() + bytes(value));
        let words = self.scopes.iter().chain(&self.roles).map(|word| 2 * size_of::<String>() + word.len());
        let told = self.told.iter().map(|(name, value)| 4 * size_of::<String>() + name.len() + value.len());
        claims.chain(words).chain(told).sum::<usize>() + PER_OBJECT
    }

    /// All claims, as JSON text.
    pub fn claims_json(&self) -> String {
        serde_json::to_string(&self.claims).unwrap_or_default()
    }

    /// A claim of whatever kind, as JSON text.
    pub fn claim_json(&self, name: &str) -> Option<String> {
        self.claims.get(name).map(Value::to_string)
    }
}

/// Whether the claim `aud`, one value or an array, names one of these (RFC 7519, section 4.1.3).
pub fn is_meant_for(audience: Option<&Value>, names: &[String]) -> bool {
    let is_named = |audience: &Value| audience.as_str().is_some_and(|one| names.iter().any(|name| name == one));
    match audience {
        Some(Value::Array(audiences)) => audiences.iter().any(is_named),
        Some(audience) => is_named(audience),
        None => false,
    }
}

/// Why nobody is known to be calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotIdentified {
    /// There is no credential, of any of these schemes.
    NoCredential(Vec<Scheme>),
    /// The token was good, and its time is over.
    Expired,
    /// The token will be good later.
    NotYet,
    /// The credential does not count here; the reason is for the log alone.
    NotAccepted(Scheme, Cow<'static, str>),
    /// The caller is known, and may not.
    NotAllowed,
    /// The gateway lacks what it needs to tell; the reason is for the log alone.
    Misconfigured(String),
    /// The issuer's keys are not there, and cannot be fetched; the reason is for the log alone.
    CannotTell(String),
}

impl NotIdentified {
    /// A token that does not count here, and why.
    pub fn token(why: impl Into<Cow<'static, str>>) -> Self {
        Self::NotAccepted(Scheme::Bearer, why.into())
    }

    /// What is said of a signature that is no key's here.
    pub fn not_signed() -> Self {
        Self::token("not signed by a key here")
    }

    /// Whether it stays so, as long as the keys of the rule do.
    pub fn is_for_good(&self) -> bool {
        matches!(self, Self::Expired | Self::NotAccepted(..))
    }

    /// What is said of claims that are none, once a key here has signed them.
    pub fn unreadable() -> Self {
        Self::token("signed, but with claims that are none or of a wrong type")
    }
}

/// What an object takes that has a member, for each eleven or less: a node of a B-tree.
const PER_OBJECT: usize = 700;

/// About how many bytes of memory a value takes.
fn bytes(value: &Value) -> usize {
    // A vector may have room for twice as many.
    2 * size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(elements) => elements.iter().map(bytes).sum(),
            Value::Object(members) => {
                let nodes = members.len().div_ceil(6);
                members.iter().map(|(name, value)| name.len() + bytes(value)).sum::<usize>() + nodes * PER_OBJECT
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

/// The words of a claim: the elements of an array that are texts; of a text its words, or the text itself.
fn words(claim: Option<&Value>, is_of_words: bool) -> Vec<String> {
    match claim {
        Some(Value::Array(elements)) => elements.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(text)) if is_of_words => {
            text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
        }
        Some(Value::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}
