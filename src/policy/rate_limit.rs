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

mod written;

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::locked::locked;
use crate::policy::by::{By, Who};
use crate::policy::caller::Caller;
use crate::policy::lease::{Leases, Terms};
use crate::policy::overrides::{self, Overrides};
use crate::policy::refresh::RefreshSettings;
use crate::policy::when_down::WhenDown;
use crate::quota::{Micros, Quota, Verdict};
use crate::settings::{Named, OneOrMany, Place, Problems, TimeLimit, shape, written_as_word};
use written::{Calendar, Rate};

/// How long a limiter may take before it counts as down.
pub const LIMITER_TIMEOUT: Duration = Duration::from_millis(1500);

const DEFAULT_LEASE_TIME: Duration = Duration::from_secs(5);

shape! {
    /// How often a caller may call: a `rate`, a `quota`, or how many calls at once.
    pub struct LimitSettings {
        /// How many calls in which time, coming back one by one: a number from 1 to 1000000, and s, min, h or day.
        "rate" => rate: Option<Rate> = "60/min",
        /// How many calls may come at once, of a rate; at least 1. Default: the rate's number.
        "burst" => burst: Option<u32> = 20,
        /// How many calls in an hour, a day or a month of the calendar (UTC), coming back all at once: a number from 1
        /// to 1000000000, and hour, day or month.
        "quota" => quota: Option<Calendar> = "10000/month",
        /// How many calls may be under way at once: from 1 to 1000. A call is under way until its answer is there, of a
        /// forward the head of it, and no longer than a request has in all.
        "concurrent" => concurrent: Option<u32> = 10,
        /// Whose calls count together: "caller" (who is known, else the address), "address" (an IPv6 one by
        /// its /64), "jwt.NAME" (a claim of the caller; not for a public route), "header.NAME" (those without it count
        /// together), "route" or "host". Of several, calls count together that have all of them in common. Default
        /// "caller".
        "by" => by: Option<OneOrMany<By>> = ["caller", "route"],
        /// Other rates or quotas for callers whose claim `plan`, or that of their API key, is one of these.
        "plans" => plans: Named<PlanSettings> = { "pro": { "rate": "600/min" }, "free": { "rate": "10/min", "burst": 2 } },
        /// Whether KV may have a rate or a quota of its own for a single caller, in the form of a plan, under
        /// postern/limits/LIMIT/KEY; it goes before a plan. KEY is what calls are counted by, each piece
        /// percent-encoded. Or how long that is remembered, by default "30s". Default false.
        "overrides" => overrides: Option<RefreshSettings> = { "refresh": "30s" },
        /// In which header fields clients are told: "ratelimit" (RateLimit and RateLimit-Policy, of the IETF's draft), and
        /// "x-ratelimit" (X-RateLimit-Limit, -Remaining and -Reset in seconds, of the limit that has least left). Default
        /// "ratelimit".
        "headers" => headers: Option<OneOrMany<ToldIn>> = ["ratelimit", "x-ratelimit"],
        /// Whether calls beyond it are refused. With false they are counted and noted in the log, and go through.
        /// Default true.
        "enforce" => enforce: Option<bool> = false,
        /// How many units an isolate borrows at once, which it then spends without a call, and borrows more in the
        /// background. All isolates together admit no more in all than the limit says, but up to so many each later
        /// than they paid for them. Default: none, every call is counted where all are.
        "lease" => lease: Option<u32> = 20,
        /// How long borrowed units can be spent; then they lapse. Default "5s".
        "lease_time" => lease_time: Option<TimeLimit> = "10s",
        /// What happens while the limiter cannot be asked: "open" lets calls through uncounted, "closed"
        /// refuses them with 503. Default "open".
        "when_down" => when_down: Option<WhenDown> = "closed",
    }
}

shape! {
    /// How often callers of a plan may call.
    pub struct PlanSettings {
        /// As of the limit.
        "rate" => rate: Option<Rate> = "600/min",
        /// As of the limit.
        "burst" => burst: Option<u32> = 100,
        /// As of the limit.
        "quota" => quota: Option<Calendar> = "1000000/month",
        /// As of the limit, whose plans all have it where the limit has.
        "concurrent" => concurrent: Option<u32> = 50,
    }
}

/// In which header fields clients are told of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldIn {
    /// Those of draft-ietf-httpapi-ratelimit-headers.
    RateLimit,
    /// Those that came before.
    XRateLimit,
}

written_as_word!(ToldIn { "ratelimit" => Self::RateLimit, "x-ratelimit" => Self::XRateLimit });

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

/// A compiled limit.
#[derive(Debug)]
pub struct Limit {
    name: String,
    measure: Measure,
    plans: Vec<(String, Measure)>,
    /// What KV has of single callers, if it is asked.
    pub overrides: Option<Overrides>,
    by: Vec<By>,
    /// How much an isolate borrows, if it does.
    pub lease: Option<Terms>,
    leases: Mutex<Leases>,
    told_in: Vec<ToldIn>,
    /// Whether calls beyond it are refused.
    pub is_enforced: bool,
    /// What happens while the limiter cannot be asked.
    pub when_down: WhenDown,
}

/// Units to take from the state that `key` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Names the state: [`Limit::key`].
    pub key: String,
    /// The quota to hold it to.
    pub quota: Quota,
    /// How many.
    pub units: u32,
}

impl PlanSettings {
    /// What a plan has; notes each fault.
    pub fn compile(self, place: &Place<'_>, problems: &mut Problems) -> Option<Measure> {
        let Self { rate, burst, quota, concurrent } = self;
        if burst == Some(Some(0)) {
            problems.add(&place.at("burst"), "is 0, must be at least 1");
            return None;
        }
        match (rate?, burst?, quota?, concurrent?) {
            (Some(rate), burst, None, None) => Some(Measure::OverTime(rate.quota(burst))),
            (None, None, Some(Calendar(quota)), None) => Some(Measure::OverTime(quota)),
            (None, None, None, Some(most @ 1..=1000)) => Some(Measure::AtOnce(most)),
            (None, None, None, Some(most)) => {
                problems.add(&place.at("concurrent"), format!("is {most}, must be from 1 to 1000"));
                None
            }
            (None, Some(_), Some(_), None) | (None, Some(_), None, Some(_)) => {
                problems.add(&place.at("burst"), "is of a \"rate\", and there is none");
                None
            }
            _ => {
                problems.add(place, "must have exactly one of \"rate\", \"quota\" and \"concurrent\"");
                None
            }
        }
    }
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
    /// Compiles a limit; notes each fault.
    pub fn compile(name: &str, settings: LimitSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            problems.add(place, "has a name that is not of letters, digits, '-', '_' and '.', and goes into a header");
        }
        let LimitSettings { rate, burst, quota, concurrent, .. } = settings;
        let measure = PlanSettings { rate, burst, quota, concurrent }.compile(place, problems);
        if matches!(measure, Some(Measure::AtOnce(_))) {
            for (key, is_written) in [
                ("lease", matches!(settings.lease, Some(Some(_)))),
                ("headers", matches!(settings.headers, Some(Some(_)))),
            ] {
                if is_written {
                    problems.add(&place.at(key), "is of a \"rate\" or a \"quota\", and there is none");
                }
            }
        }
        let place_of_plans = place.at("plans");
        let plans = settings.plans.map(|plans| {
            let plans = plans.0.into_iter().map(|(name, plan)| {
                let place = place_of_plans.at(&name);
                let of_plan = plan?.compile(&place, problems)?;
                if measure.is_some_and(|measure| !measure.is_of_a_kind_with(of_plan)) {
                    problems.add(&place, "must have \"concurrent\" where the limit has, and only there");
                }
                Some((name, of_plan))
            });
            // Collected in two steps, so that a fault does not hide the next.
            plans.collect::<Vec<_>>()
        });
        Some(Self {
            name: name.to_owned(),
            measure: measure?,
            plans: plans?.into_iter().collect::<Option<_>>()?,
            overrides: settings
                .overrides?
                .map_or(Some(None), |overrides| overrides.compile(overrides::DEFAULT_REFRESH))?
                .map(Overrides::new),
            by: settings.by?.map_or_else(|| vec![By::Caller], |by| by.0),
            lease: lease(settings.lease, settings.lease_time, place, problems)?,
            leases: Mutex::default(),
            told_in: settings.headers?.map_or_else(|| vec![ToldIn::RateLimit], |headers| headers.0),
            is_enforced: settings.enforce?.unwrap_or(true),
            when_down: settings.when_down?.unwrap_or(WhenDown::Open),
        })
    }

    /// What this isolate has borrowed.
    pub fn leases(&self) -> MutexGuard<'_, Leases> {
        locked(&self.leases)
    }

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

    /// What a call counts by: limit, kinds of key and keys, a line each, never two callers' alike. `Err` names the
    /// claim that is missing.
    pub fn key(&self, who: Who<'_>) -> Result<String, &str> {
        let keys = self.by.iter().map(|by| by.key(who)).collect::<Result<Vec<_>, _>>()?;
        Ok(format!("{}\n{}", self.name, keys.join("\n")))
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

    /// What the client is told of its limit, as `RateLimit-Policy` and as `RateLimit` have it.
    pub fn told(&self, charge: &Charge, verdict: &Verdict) -> [String; 2] {
        let window = seconds(charge.quota.window());
        let reset = seconds(verdict.next_unit);
        [
            format!("\"{}\";q={};w={window}", self.name, charge.quota.most()),
            format!("\"{}\";r={};t={reset}", self.name, verdict.remaining),
        ]
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

/// How much is borrowed, if it is said.
fn lease(
    units: Option<Option<u32>>,
    lasts: Option<Option<TimeLimit>>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Option<Terms>> {
    match (units?, lasts?) {
        (Some(units @ 1..=100_000), lasts) => {
            Some(Some(Terms { units, lasts: lasts.map_or(DEFAULT_LEASE_TIME, |limit| limit.0) }))
        }
        (Some(units), _) => {
            problems.add(&place.at("lease"), format!("is {units}, must be from 1 to 100000"));
            None
        }
        (None, Some(_)) => {
            problems.add(&place.at("lease_time"), "is of a \"lease\", and there is none");
            None
        }
        (None, None) => Some(None),
    }
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
            lease: None,
            leases: Mutex::default(),
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
        assert_eq!(limit(vec![By::Caller]).told(&charge, &verdict), ["\"l\";q=20;w=60", "\"l\";r=0;t=3"]);
    }
}
