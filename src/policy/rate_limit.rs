//! How often a caller may call.
//!
//! ```json
//! "limits": { "per-user": { "rate": "100/min", "burst": 20, "by": "caller", "when_down": "open" },
//!             "at-once": { "concurrent": 10 },
//!             "per-month": { "quota": "10000/month", "plans": { "pro": { "quota": "1000000/month" } } } }
//! ```
//!
//! The counting is [`crate::quota`] and [`crate::slots`]; the state of one caller lives in one place of the runtime's,
//! which does one thing at a time. Answers carry `RateLimit` and `RateLimit-Policy`
//! (draft-ietf-httpapi-ratelimit-headers-10), a refused one `Retry-After` (RFC 9110).

mod settings;
mod written;

pub use settings::{LimitSettings, PlanSettings};

use std::sync::Mutex;
use std::time::Duration;

use crate::policy::by::{By, Who};
use crate::policy::caller::Caller;
use crate::policy::lease::{Leases, Terms};
use crate::policy::overrides::Overrides;
use crate::policy::tally::Tallies;
use crate::policy::when_down::WhenDown;
use crate::quota::{Micros, Quota, Verdict};
use crate::settings::written_as_word;

/// How long a limiter may take before it counts as down, where the file does not say.
pub const LIMITER_TIMEOUT: Duration = Duration::from_millis(1500);

/// In which header fields clients are told of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldIn {
    /// Those of draft-ietf-httpapi-ratelimit-headers.
    RateLimit,
    /// Those that came before.
    XRateLimit,
}

written_as_word!(ToldIn { "ratelimit" => Self::RateLimit, "x-ratelimit" => Self::XRateLimit });

/// A region of the platform's in which a Durable Object is made, by its name there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location(&'static str);

written_as_word!(Location {
    "wnam" => Self("wnam"),
    "enam" => Self("enam"),
    "sam" => Self("sam"),
    "weur" => Self("weur"),
    "eeur" => Self("eeur"),
    "apac" => Self("apac"),
    "oc" => Self("oc"),
    "afr" => Self("afr"),
    "me" => Self("me"),
});

/// What callers are held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// So many units over time.
    OverTime(Quota),
    /// So many calls under way at once; at least 1.
    AtOnce(u32),
}

/// A slot of those calls that are under way at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Names the state, as that of a [`Charge`].
    pub key: String,
    /// The moment at which it lapses by itself, which names it.
    pub until: Micros,
}

/// Where it is counted what is taken over time.
#[derive(Debug)]
pub enum Counted {
    /// Each call in the one place that counts.
    Exactly,
    /// By what this isolate has borrowed there.
    Leased(Terms, Mutex<Leases>),
    /// By each isolate, and summed up in KV.
    InKv(Tallies),
    /// About, and for each location by itself, by a rate limit of the platform's: the name of its binding, and its
    /// period.
    ByPlatform(String, Duration),
}

/// A compiled limit.
#[derive(Debug)]
pub struct Limit {
    name: String,
    measure: Measure,
    plans: Vec<(String, Measure)>,
    /// What KV has of single callers, if it is asked.
    pub overrides: Option<Overrides>,
    by: Vec<By>,
    /// Where what is over time is counted.
    pub counted: Counted,
    location: Option<Location>,
    /// How long the limiter may take.
    pub timeout: Duration,
    told_in: Vec<ToldIn>,
    /// Whether calls beyond it are refused.
    pub is_enforced: bool,
    /// What happens while the limiter cannot be asked.
    pub when_down: WhenDown,
}

/// Units to take from the state that `key` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Names the state: [`Limit::state_of`].
    pub key: String,
    /// The quota to hold it to.
    pub quota: Quota,
    /// How many.
    pub units: u32,
}

impl Measure {
    /// Whether both count the same way, so that one can stand in for the other.
    pub fn is_of_a_kind_with(self, other: Self) -> bool {
        matches!((self, other), (Self::OverTime(_), Self::OverTime(_)) | (Self::AtOnce(_), Self::AtOnce(_)))
    }

    /// The most units that a call can cost.
    pub fn most(self) -> u32 {
        match self {
            Self::OverTime(quota) => quota.most(),
            // A call is one, whatever it costs.
            Self::AtOnce(_) => u32::MAX,
        }
    }
}

impl Limit {
    /// Whether the limit cannot count calls of nobody who is known.
    pub fn needs_caller(&self) -> bool {
        self.by.iter().any(|by| matches!(by, By::Claim(_)))
    }

    /// The fewest units that any caller can take at once.
    pub fn least(&self) -> u32 {
        self.plans.iter().map(|(_, measure)| *measure).chain([self.measure]).map(Measure::most).min().unwrap_or(1)
    }

    /// Whether it is one of calls at once.
    pub fn is_at_once(&self) -> bool {
        matches!(self.measure, Measure::AtOnce(_))
    }

    /// Whether each call is one, whatever it costs, by the platform's own count.
    pub fn counts_calls(&self) -> bool {
        matches!(self.counted, Counted::ByPlatform(..))
    }

    /// What a call counts by: limit, kinds of key and keys, a line each, never two callers' alike. `Err` names the
    /// claim that is missing.
    pub fn key(&self, who: Who<'_>) -> Result<String, &str> {
        let keys = self.by.iter().map(|by| by.key(who)).collect::<Result<Vec<_>, _>>()?;
        Ok(format!("{}\n{}", self.name, keys.join("\n")))
    }

    /// The name of the state of a key. It has where that is kept: what was begun in one place stays there. And it has
    /// how that is counted: under another plan, a caller is not held to what was counted in another way, nor is that
    /// forgotten. What isolates sum up in KV has the end of its window there.
    pub fn state_of(&self, mut key: String, measure: Measure) -> String {
        if let (Measure::OverTime(quota), Counted::Exactly | Counted::Leased(..)) = (measure, &self.counted) {
            key.push('\n');
            key.push_str(&quota.kind());
        }
        match self.location {
            Some(Location(location)) => format!("@{location}\n{key}"),
            None => key,
        }
    }

    /// What the file holds a caller to.
    pub fn measure(&self, caller: Option<&Caller>) -> Measure {
        let plan = caller.and_then(|caller| caller.claim("plan"));
        let of_plan = self.plans.iter().find(|(name, _)| Some(name) == plan.as_ref());
        of_plan.map_or(self.measure, |(_, measure)| *measure)
    }

    /// Whether clients are told of it in these header fields.
    pub fn is_told_in(&self, fields: ToldIn) -> bool {
        self.told_in.contains(&fields)
    }

    /// What the client is told of its limit, as `RateLimit-Policy` and, where it is known, as `RateLimit` have it.
    pub fn told(&self, charge: &Charge, verdict: &Verdict) -> (String, Option<String>) {
        let window = seconds(charge.quota.window());
        let reset = seconds(verdict.next_unit);
        let state = format!("\"{}\";r={};t={reset}", self.name, verdict.remaining);
        let is_known = !matches!(self.counted, Counted::ByPlatform(..));
        (format!("\"{}\";q={};w={window}", self.name, charge.quota.most()), is_known.then_some(state))
    }

    /// Its name, as clients see it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Seconds until a refused caller can be admitted.
pub fn retry_after(verdict: &Verdict) -> u64 {
    seconds(verdict.next_unit)
}

/// Whole seconds, rounded up: who comes back then is not too early.
fn seconds(micros: u64) -> u64 {
    micros.div_ceil(1_000_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Head;
    use serde_json::json;

    const QUOTA: Quota = Quota::Rate { interval: 3_000_000, burst: 20 };

    fn limit(by: Vec<By>) -> Limit {
        Limit {
            name: "l".into(),
            measure: Measure::OverTime(QUOTA),
            plans: Vec::new(),
            overrides: None,
            by,
            counted: Counted::Exactly,
            location: None,
            timeout: LIMITER_TIMEOUT,
            told_in: vec![ToldIn::RateLimit],
            is_enforced: true,
            when_down: WhenDown::Open,
        }
    }

    fn caller(claims: serde_json::Value) -> Caller {
        let serde_json::Value::Object(claims) = claims else { panic!("claims are an object") };
        Caller::new("https://id/", claims)
    }

    fn head(client: &str) -> Head {
        Head::from_text(&format!("GET\nhttps://H/x\n{client}\nid\n0\nx-tenant:t\n")).unwrap()
    }

    #[test]
    fn callers_are_told_apart() {
        let ada = caller(json!({"sub": "ada", "org": 7}));
        let nobody = caller(json!({"org": []}));
        let lines = caller(json!({"org": "\\7\nhost"}));
        let empty = caller(json!({"sub": "", "org": ""}));
        let (v4, v6, mapped) = ("192.0.2.7", "2001:db8:1:2:3:4:5:6", "::ffff:192.0.2.7");
        let table = [
            (vec![By::Caller], Some(&ada), v4, Ok("l\nsub\nhttps://id/\nada")),
            (vec![By::Caller], Some(&nobody), v4, Ok("l\naddress\n192.0.2.7")),
            (vec![By::Caller], None, v6, Ok("l\naddress\n2001:db8:1:2::/64")),
            (vec![By::Caller], None, mapped, Ok("l\naddress\n192.0.2.7")),
            (vec![By::Address], Some(&ada), "", Ok("l\naddress\nunknown")),
            (vec![By::Claim("org".into())], Some(&ada), v4, Ok("l\norg\nhttps://id/\n7")),
            (vec![By::Claim("org".into())], Some(&nobody), v4, Err("org")),
            // An empty claim would put strangers into one count.
            (vec![By::Caller], Some(&empty), v4, Ok("l\naddress\n192.0.2.7")),
            (vec![By::Claim("org".into())], Some(&empty), v4, Err("org")),
            (
                vec![By::Claim("org".into()), By::Host],
                Some(&lines),
                v4,
                Ok("l\norg\nhttps://id/\n\\\\7\\nhost\nhost\nh"),
            ),
            (vec![By::Route], None, v4, Ok("l\nroute\n/routes/0")),
            (vec![By::Host, By::Header("x-tenant".into())], None, v4, Ok("l\nhost\nh\nheader\nt")),
            (vec![By::Header("x-other".into())], None, v4, Ok("l\nheader\n")),
        ];
        for (by, caller, client, key) in table {
            let (limit, head) = (limit(by), head(client));
            let who = Who { caller, head: &head, route: "/routes/0" };
            assert_eq!(limit.key(who), key.map(str::to_owned));
        }
    }

    #[test]
    fn the_header_fields_have_the_form_of_the_draft() {
        let verdict = Verdict { admitted: false, remaining: 0, next_unit: 2_000_001 };
        let charge = Charge { key: String::new(), quota: QUOTA, units: 1 };
        let told = limit(vec![By::Caller]).told(&charge, &verdict);
        assert_eq!(told, ("\"l\";q=20;w=60".to_owned(), Some("\"l\";r=0;t=3".to_owned())));
    }
}
