//! How often a caller may call.
//!
//! ```json
//! "limits": { "per-user": { "rate": "100/min", "burst": 20, "by": "caller", "when_down": "open" } }
//! ```
//!
//! The counting is [`crate::gcra`]; the state of one caller lives in one place of the runtime's,
//! which spends one unit at a time. Answers carry `RateLimit` and `RateLimit-Policy`
//! (draft-ietf-httpapi-ratelimit-headers-10), a refused one `Retry-After` (RFC 9110).

use std::net::IpAddr;
use std::time::Duration;

use crate::gcra::{Quota, Verdict};
use crate::policy::jwt::Caller;
use crate::settings::{FromNode, Node, Place, Problems, Rate, shape};

/// How long a limiter may take before it counts as down.
pub const LIMITER_TIMEOUT: Duration = Duration::from_millis(1500);

shape! {
    /// A limit as written.
    pub struct LimitSettings {
        "rate" => rate: Rate,
        /// How many at once; default: as many as the rate's number.
        "burst" => burst: Option<u32>,
        /// Whose calls count together; default `caller`.
        "by" => by: Option<By>,
        /// What happens while the limiter cannot be asked; default `open`.
        "when_down" => when_down: Option<WhenDown>,
    }
}

/// Whose calls count together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The token's subject; where there is none, the client's address.
    Caller,
    /// The client's address: an IPv4 address, or the /64 of an IPv6 one.
    Address,
    /// A claim of the token, written `jwt.claim`.
    Claim(String),
}

impl FromNode for By {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let text = String::from_node(node, place, problems)?;
        match (text.as_str(), text.strip_prefix("jwt.")) {
            ("caller", _) => Some(Self::Caller),
            ("address", _) => Some(Self::Address),
            (_, Some(claim)) if !claim.is_empty() => Some(Self::Claim(claim.to_owned())),
            _ => {
                problems.add(place, format!("is {text:?}, must be \"caller\", \"address\" or \"jwt.claim\""));
                None
            }
        }
    }
}

/// What happens while the limiter cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenDown {
    /// Calls go through uncounted.
    Open,
    /// Calls are refused with 503.
    Closed,
}

impl FromNode for WhenDown {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::String(text) if text == "open" => Some(Self::Open),
            Node::String(text) if text == "closed" => Some(Self::Closed),
            _ => {
                problems.add(place, "must be \"open\" or \"closed\"");
                None
            }
        }
    }
}

/// A compiled limit.
#[derive(Debug)]
pub struct Limit {
    name: String,
    quota: Quota,
    by: By,
    /// What happens while the limiter cannot be asked.
    pub when_down: WhenDown,
}

/// One unit to take from the state that `key` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Names the state: limit, kind of key and key, never two callers' alike.
    pub key: String,
    /// The quota to hold it to.
    pub quota: Quota,
}

impl Limit {
    /// Compiles a limit; notes each fault.
    pub fn compile(name: &str, settings: LimitSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            problems.add(place, "has a name that is not of letters, digits, '-', '_' and '.', and goes into a header");
        }
        let burst = settings.burst?;
        if burst == Some(0) {
            problems.add(&place.at("burst"), "is 0, must be at least 1");
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            quota: settings.rate?.quota(burst),
            by: settings.by?.unwrap_or(By::Caller),
            when_down: settings.when_down?.unwrap_or(WhenDown::Open),
        })
    }

    /// Whether the limit cannot count calls without a token.
    pub fn needs_caller(&self) -> bool {
        matches!(self.by, By::Claim(_))
    }

    /// What a call of this caller from this address costs. `Err` names the claim that is missing.
    pub fn charge(&self, caller: Option<&Caller>, address: Option<IpAddr>) -> Result<Charge, &str> {
        let claim = |name: &str| {
            let caller = caller?;
            let value = caller.claim(name)?;
            Some(format!("{name}\n{}\n{value}", caller.issuer()))
        };
        let key = match &self.by {
            By::Claim(name) => claim(name).ok_or(name.as_str())?,
            By::Caller => claim("sub").unwrap_or_else(|| address_key(address)),
            By::Address => address_key(address),
        };
        Ok(Charge { key: format!("{}\n{key}", self.name), quota: self.quota })
    }

    /// The header fields that tell the client of its limit.
    pub fn headers(&self, verdict: &Verdict) -> [(&'static str, String); 2] {
        let Quota { burst, .. } = self.quota;
        let window = seconds(self.quota.window());
        let reset = seconds(verdict.next_unit);
        [
            ("ratelimit-policy", format!("\"{}\";q={burst};w={window}", self.name)),
            ("ratelimit", format!("\"{}\";r={};t={reset}", self.name, verdict.remaining)),
        ]
    }

    /// What the answer to a refused call needs: the seconds until the next one, and the policy.
    pub fn excess(&self, verdict: &Verdict) -> (u64, &str) {
        (seconds(verdict.next_unit), &self.name)
    }
}

/// Whole seconds, rounded up: who comes back then is not too early.
fn seconds(micros: u64) -> u64 {
    micros.div_ceil(1_000_000).max(1)
}

fn address_key(address: Option<IpAddr>) -> String {
    match address {
        Some(IpAddr::V4(address)) => format!("address\n{address}"),
        Some(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) => format!("address\n{address}"),
            // One customer of a provider commands a whole /64 (RFC 6177).
            None => format!("address\n{}/64", std::net::Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        },
        None => "address\nunknown".to_owned(),
    }
}

impl Quota {
    /// The form in which a quota goes to the place that counts.
    pub fn to_path(&self) -> String {
        format!("{}/{}", self.interval, self.burst)
    }

    /// Reads [`Self::to_path`]'s form.
    pub fn from_path(text: &str) -> Option<Self> {
        let (interval, burst) = text.split_once('/')?;
        let (interval, burst) = (interval.parse().ok()?, burst.parse().ok()?);
        (interval > 0 && burst > 0).then_some(Self { interval, burst })
    }
}

impl Verdict {
    /// The form in which a verdict comes back from the place that counts.
    pub fn to_line(&self) -> String {
        format!("{} {} {}", u8::from(self.admitted), self.remaining, self.next_unit)
    }

    /// Reads [`Self::to_line`]'s form.
    pub fn from_line(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let admitted = match words.next()? {
            "0" => false,
            "1" => true,
            _ => return None,
        };
        Some(Self { admitted, remaining: words.next()?.parse().ok()?, next_unit: words.next()?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn limit(by: By) -> Limit {
        Limit { name: "l".into(), quota: Quota { interval: 3_000_000, burst: 20 }, by, when_down: WhenDown::Open }
    }

    fn caller(claims: serde_json::Value) -> Caller {
        let serde_json::Value::Object(claims) = claims else { panic!("claims are an object") };
        Caller::new("https://id/", claims)
    }

    #[test]
    fn callers_are_told_apart() {
        let ada = caller(json!({"sub": "ada", "org": 7}));
        let nobody = caller(json!({"org": []}));
        let v4 = Some("192.0.2.7".parse().unwrap());
        let v6 = Some("2001:db8:1:2:3:4:5:6".parse().unwrap());
        let mapped = Some("::ffff:192.0.2.7".parse().unwrap());
        let table = [
            (By::Caller, Some(&ada), v4, Ok("l\nsub\nhttps://id/\nada")),
            (By::Caller, Some(&nobody), v4, Ok("l\naddress\n192.0.2.7")),
            (By::Caller, None, v6, Ok("l\naddress\n2001:db8:1:2::/64")),
            (By::Caller, None, mapped, Ok("l\naddress\n192.0.2.7")),
            (By::Address, Some(&ada), None, Ok("l\naddress\nunknown")),
            (By::Claim("org".into()), Some(&ada), v4, Ok("l\norg\nhttps://id/\n7")),
            (By::Claim("org".into()), Some(&nobody), v4, Err("org")),
        ];
        for (by, caller, address, key) in table {
            let limit = limit(by);
            assert_eq!(limit.charge(caller, address).map(|charge| charge.key), key.map(str::to_owned));
        }
    }

    #[test]
    fn the_header_fields_have_the_form_of_the_draft() {
        let verdict = Verdict { admitted: false, remaining: 0, next_unit: 2_000_001 };
        let [policy, state] = limit(By::Caller).headers(&verdict);
        assert_eq!(policy, ("ratelimit-policy", "\"l\";q=20;w=60".to_owned()));
        assert_eq!(state, ("ratelimit", "\"l\";r=0;t=3".to_owned()));
    }

    #[test]
    fn the_forms_between_gateway_and_limiter_are_pinned() {
        let quota = Quota { interval: 600_000, burst: 20 };
        assert_eq!(quota.to_path(), "600000/20");
        assert_eq!(Quota::from_path("600000/20"), Some(quota));
        let verdict = Verdict { admitted: true, remaining: 19, next_unit: 600_000 };
        assert_eq!(verdict.to_line(), "1 19 600000");
        assert_eq!(Verdict::from_line("1 19 600000"), Some(verdict));
        for text in ["", "0/1", "1/0", "1", "x/y", "1/2/3"] {
            assert_eq!(Quota::from_path(text), None, "of {text:?}");
        }
    }
}
