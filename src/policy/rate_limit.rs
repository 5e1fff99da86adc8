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
use crate::policy::caller::Caller;
use crate::policy::headers::Field;
use crate::settings::{
    FromNode, Node, Place, Problems, Text, described_as, not_of_form, shape, written_as_text, written_as_word,
};

/// How long a limiter may take before it counts as down.
pub const LIMITER_TIMEOUT: Duration = Duration::from_millis(1500);

shape! {
    /// How often a caller may call.
    pub struct LimitSettings {
        /// How many calls in which time: a number from 1 to 1000000, and s, min, h or day.
        "rate" => rate: Rate = "60/min",
        /// How many calls may come at once; at least 1. Default: the rate's number.
        "burst" => burst: Option<u32> = 20,
        /// Whose calls count together: "caller" (the token's subject, else the address), "address" (an
        /// IPv6 one by its /64), or "jwt.NAME" (a claim of the token; not for a public route). Default
        /// "caller".
        "by" => by: Option<By> = "address",
        /// What happens while the limiter cannot be asked: "open" lets calls through uncounted, "closed"
        /// refuses them with 503. Default "open".
        "when_down" => when_down: Option<WhenDown> = "closed",
    }
}

/// How many in which time: `"100/min"`; units `s`, `min`, `h`, `day`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    period_micros: u64,
}

impl Rate {
    /// The quota of this rate with `burst` units at once (by default, all of a period's).
    pub fn quota(self, burst: Option<u32>) -> Quota {
        Quota {
            // Rounded up, so that no more than the rate is ever let through.
            interval: self.period_micros.div_ceil(u64::from(self.count)),
            burst: burst.unwrap_or(self.count),
        }
    }
}

impl Text for Rate {
    const FORM: &'static str = "a rate such as \"10/s\", \"100/min\", \"1000/h\" or \"5000/day\"";
    const PATTERN: &'static str = "^0*[1-9][0-9]*/(s|min|h|day)$";

    fn read(text: &str) -> Result<Self, String> {
        let (count, unit) = text.split_once('/').ok_or_else(not_of_form::<Self>)?;
        let seconds = match unit {
            "s" => 1,
            "min" => 60,
            "h" => 3_600,
            "day" => 86_400,
            _ => return Err(not_of_form::<Self>()),
        };
        let digits = count.bytes().all(|byte| byte.is_ascii_digit());
        match count.parse() {
            Ok(count @ 1..=1_000_000) if digits => Ok(Self { count, period_micros: seconds * 1_000_000 }),
            _ => Err(not_of_form::<Self>()),
        }
    }
}

written_as_text!(Rate);

/// Whose calls count together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The token's subject; where there is none, the client's address.
    Caller,
    /// The client's address: an IPv4 address, or the /64 of an IPv6 one.
    Address,
    /// A claim of the token, written `jwt.NAME`.
    Claim(String),
}

impl By {
    /// What is the same for calls that count together. `Err` names the claim that is missing.
    pub fn key(&self, caller: Option<&Caller>, address: Option<IpAddr>) -> Result<String, &str> {
        let claim = |name: &str| {
            let caller = caller?;
            let value = caller.claim(name)?;
            Some(format!("{name}\n{}\n{value}", caller.issuer()))
        };
        match self {
            Self::Claim(name) => claim(name).ok_or(name.as_str()),
            Self::Caller => Ok(claim("sub").unwrap_or_else(|| address_key(address))),
            Self::Address => Ok(address_key(address)),
        }
    }
}

impl FromNode for By {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let text = String::from_node(node, place, problems)?;
        match (text.as_str(), text.strip_prefix("jwt.")) {
            ("caller", _) => Some(Self::Caller),
            ("address", _) => Some(Self::Address),
            (_, Some(claim)) if !claim.is_empty() => Some(Self::Claim(claim.to_owned())),
            _ => {
                problems.add(place, format!("is {text:?}, must be \"caller\", \"address\" or \"jwt.NAME\", a claim"));
                None
            }
        }
    }
}

described_as!(By, {
    "anyOf": [{ "enum": ["caller", "address"] }, { "type": "string", "pattern": r"^jwt\.", "minLength": 5 }]
});

/// What happens while the limiter cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenDown {
    /// Calls go through uncounted.
    Open,
    /// Calls are refused with 503.
    Closed,
}

written_as_word!(WhenDown { "open" => Self::Open, "closed" => Self::Closed });

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
        let key = self.by.key(caller, address)?;
        Ok(Charge { key: format!("{}\n{key}", self.name), quota: self.quota })
    }

    /// The header fields that tell the client of its limit.
    pub fn headers(&self, verdict: &Verdict) -> [Field; 2] {
        let Quota { burst, .. } = self.quota;
        let window = seconds(self.quota.window());
        let reset = seconds(verdict.next_unit);
        [
            ("ratelimit-policy".into(), format!("\"{}\";q={burst};w={window}", self.name)),
            ("ratelimit".into(), format!("\"{}\";r={};t={reset}", self.name, verdict.remaining)),
        ]
    }

    /// Its name, as clients see it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seconds until a refused caller can be admitted.
    pub fn retry_after(&self, verdict: &Verdict) -> u64 {
        seconds(verdict.next_unit)
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
    fn a_rate_has_one_form() {
        assert_eq!(Rate::read("100/min").unwrap().quota(None), Quota { interval: 600_000, burst: 100 });
        assert_eq!(Rate::read("7/s").unwrap().quota(Some(1)), Quota { interval: 142_858, burst: 1 });
        for text in ["0/s", "+1/s", "10", "10/sec", "10/minute", "-1/s", "1000001/s", "/s"] {
            assert!(Rate::read(text).is_err(), "of {text:?}");
        }
    }

    #[test]
    fn callers_are_told_apart() {
        let ada = caller(json!({"sub": "ada", "org": 7}));
        let nobody = caller(json!({"org": []}));
        let empty = caller(json!({"sub": "", "org": ""}));
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
            // An empty claim would put strangers into one count.
            (By::Caller, Some(&empty), v4, Ok("l\naddress\n192.0.2.7")),
            (By::Claim("org".into()), Some(&empty), v4, Err("org")),
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
        assert_eq!(policy, ("ratelimit-policy".into(), "\"l\";q=20;w=60".to_owned()));
        assert_eq!(state, ("ratelimit".into(), "\"l\";r=0;t=3".to_owned()));
    }
}
