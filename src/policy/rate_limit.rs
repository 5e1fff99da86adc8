//! How often a caller may call.
//!
//! ```json
//! "limits": { "per-user": { "rate": "100/min", "burst": 20, "by": "caller", "when_down": "open" },
//!             "per-month": { "quota": "10000/month", "plans": { "pro": { "quota": "1000000/month" } } } }
//! ```
//!
//! The counting is [`crate::quota`]; the state of one caller lives in one place of the runtime's,
//! which does one thing at a time. Answers carry `RateLimit` and `RateLimit-Policy`
//! (draft-ietf-httpapi-ratelimit-headers-10), a refused one `Retry-After` (RFC 9110).

mod written;

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::locked::locked;
use crate::policy::by::{By, Who};
use crate::policy::lease::{Leases, Terms};
use crate::policy::overrides::{self, Overrides};
use crate::policy::refresh::RefreshSettings;
use crate::policy::when_down::WhenDown;
use crate::quota::{Quota, Verdict};
use crate::settings::{Named, OneOrMany, Place, Problems, TimeLimit, shape, written_as_word};
use written::{Calendar, Rate};

/// How long a limiter may take before it counts as down.
pub const LIMITER_TIMEOUT: Duration = Duration::from_millis(1500);

const DEFAULT_LEASE_TIME: Duration = Duration::from_secs(5);

shape! {
    /// How often a caller may call: a `rate` or a `quota`.
    pub struct LimitSettings {
        /// How many calls in which time, coming back one by one: a number from 1 to 1000000, and s, min, h or day.
        "rate" => rate: Option<Rate> = "60/min",
        /// How many calls may come at once, of a rate; at least 1. Default: the rate's number.
        "burst" => burst: Option<u32> = 20,
        /// How many calls in an hour, a day or a month of the calendar (UTC), coming back all at once: a number from 1
        /// to 1000000000, and hour, day or month.
        "quota" => quota: Option<Calendar> = "10000/month",
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

/// A compiled limit.
#[derive(Debug)]
pub struct Limit {
    name: String,
    quota: Quota,
    plans: Vec<(String, Quota)>,
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
    /// Names the state: limit, kinds of key and keys, never two callers' alike.
    pub key: String,
    /// The quota to hold it to.
    pub quota: Quota,
    /// How many.
    pub units: u32,
}

impl PlanSettings {
    /// What a plan has; notes each fault.
    pub fn compile(self, place: &Place<'_>, problems: &mut Problems) -> Option<Quota> {
        quota(self.rate, self.burst, self.quota, place, problems)
    }
}

impl Limit {
    /// Compiles a limit; notes each fault.
    pub fn compile(name: &str, settings: LimitSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            problems.add(place, "has a name that is not of letters, digits, '-', '_' and '.', and goes into a header");
        }
        let quota = quota(settings.rate, settings.burst, settings.quota, place, problems);
        let place_of_plans = place.at("plans");
        let plans = settings.plans.map(|plans| {
            let plans = plans.0.into_iter().map(|(name, plan)| {
                let quota = plan?.compile(&place_of_plans.at(&name), problems)?;
                Some((name, quota))
            });
            // Collected in two steps, so that a fault does not hide the next.
            plans.collect::<Vec<_>>()
        });
        Some(Self {
            name: name.to_owned(),
            quota: quota?,
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
        self.plans.iter().map(|(_, quota)| quota).chain([&self.quota]).map(Quota::most).min().unwrap_or(1)
    }

    /// What a call costs. `Err` names the claim that is missing.
    pub fn charge(&self, who: Who<'_>, units: u32) -> Result<Charge, &str> {
        let keys = self.by.iter().map(|by| by.key(who)).collect::<Result<Vec<_>, _>>()?;
        let plan = who.caller.and_then(|caller| caller.claim("plan"));
        let of_plan = self.plans.iter().find(|(name, _)| Some(name) == plan.as_ref());
        let quota = of_plan.map_or(self.quota, |(_, quota)| *quota);
        Ok(Charge { key: format!("{}\n{}", self.name, keys.join("\n")), quota, units })
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

/// The rate or the quota that is written; notes none, both, and what does not go together.
fn quota(
    rate: Option<Option<Rate>>,
    burst: Option<Option<u32>>,
    quota: Option<Option<Calendar>>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Quota> {
    if burst == Some(Some(0)) {
        problems.add(&place.at("burst"), "is 0, must be at least 1");
        return None;
    }
    match (rate?, burst?, quota?) {
        (Some(rate), burst, None) => Some(rate.quota(burst)),
        (None, None, Some(Calendar(quota))) => Some(quota),
        (None, Some(_), Some(_)) => {
            problems.add(&place.at("burst"), "is of a \"rate\", and there is none");
            None
        }
        _ => {
            problems.add(place, "must have exactly one of \"rate\" and \"quota\"");
            None
        }
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
    use crate::policy::caller::Caller;
    use serde_json::json;

    fn limit(by: Vec<By>) -> Limit {
        let quota = Quota::Rate { interval: 3_000_000, burst: 20 };
        Limit {
            name: "l".into(),
            quota,
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
            assert_eq!(limit.charge(who, 1).map(|charge| charge.key), key.map(str::to_owned));
        }
    }

    #[test]
    fn the_header_fields_have_the_form_of_the_draft() {
        let verdict = Verdict { admitted: false, remaining: 0, next_unit: 2_000_001 };
        let (limit, head) = (limit(vec![By::Caller]), head(""));
        let charge = limit.charge(Who { caller: None, head: &head, route: "" }, 1).unwrap();
        assert_eq!(limit.told(&charge, &verdict), ["\"l\";q=20;w=60", "\"l\";r=0;t=3"]);
    }
}
