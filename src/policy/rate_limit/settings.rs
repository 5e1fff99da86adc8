//! How limits are written, and what does not go together.

use std::sync::Mutex;
use std::time::Duration;

use super::written::{Rate, Windowed};
use super::{Counted, LIMITER_TIMEOUT, Limit, Location, Measure, ToldIn};
use crate::policy::by::By;
use crate::policy::lease::Terms;
use crate::policy::overrides::{self, Overrides};
use crate::policy::refresh::RefreshSettings;
use crate::policy::tally::{self, Tallies};
use crate::policy::when_down::WhenDown;
use crate::quota::Quota;
use crate::settings::{Named, OneOrMany, Place, Problems, TimeLimit, shape};

/// The periods that the platform's rate limits have.
const PERIOD_10: Duration = Duration::from_secs(10);
const PERIOD_60: Duration = Duration::from_secs(60);

/// The keys that do not go together with one.
const APART: [(&str, &[&str]); 3] = [
    ("concurrent", &["headers", "lease", "kv", "binding"]),
    ("kv", &["overrides", "lease", "location"]),
    ("binding", &["burst", "plans", "overrides", "lease", "kv", "location"]),
];

const DEFAULT_LEASE_TIME: Duration = Duration::from_secs(5);

shape! {
    /// How often a caller may call: a `rate`, a `quota`, or how many calls at once.
    pub struct LimitSettings {
        /// How many calls in which time, coming back one by one: a number from 1 to 1000000, and s, 10s, min, h or
        /// day.
        "rate" => rate: Option<Rate> = "60/min",
        /// How many calls may come at once, of a rate; at least 1. Default: the rate's number.
        "burst" => burst: Option<u32> = 20,
        /// How many calls in an hour, a day or a month of the calendar (UTC), coming back all at once, or in any span of a
        /// length, each coming back so long after it was made: a number from 1 to 1000000000, and hour, day, month, or
        /// such as 10min, 24h or 30d.
        "quota" => quota: Option<Windowed> = "10000/month",
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
        /// Of a quota, whether each isolate counts for itself and the sum is kept in KV, which costs no call to the
        /// limiter, and admits more: by each isolate what it admits in `refresh` and the minute that KV takes to tell
        /// all places. Or how often the others are asked, by default "10s". Default false.
        "kv" => kv: Option<RefreshSettings> = { "refresh": "30s" },
        /// The name of a rate limit of the platform's own, which counts the calls of each location by itself, about so
        /// many, without any call. What it is set to stands in wrangler.toml, and the `rate` must say the same, in min
        /// or 10s. Clients are not told what remains. Default: none.
        "binding" => binding: Option<String> = "PER_LOCATION",
        /// Where in the world calls are counted, near most of those who make them: one of the platform's regions, such as
        /// "weur", "enam" or "apac". Default: near whoever calls first.
        "location" => location: Option<Location> = "weur",
        /// How long the limiter may take before it counts as down. Default "1500ms".
        "timeout" => timeout: Option<TimeLimit> = "200ms",
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
        "quota" => quota: Option<Windowed> = "1000000/month",
        /// As of the limit, whose plans all have it where the limit has.
        "concurrent" => concurrent: Option<u32> = 50,
    }
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
            (None, None, Some(Windowed(quota)), None) => Some(Measure::OverTime(quota)),
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

impl Limit {
    /// Compiles a limit; notes each fault.
    pub fn compile(name: &str, settings: LimitSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            problems.add(place, "has a name that is not of letters, digits, '-', '_' and '.', and goes into a header");
        }
        let LimitSettings { rate, burst, quota, concurrent, by, plans, overrides, headers, enforce, .. } = settings;
        let LimitSettings { lease, lease_time, kv, binding, location, timeout, when_down, .. } = settings;
        let measure = PlanSettings { rate, burst, quota, concurrent }.compile(place, problems);
        let place_of_plans = place.at("plans");
        let plans = plans.map(|plans| {
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
        let plans: Option<Vec<_>> = plans.and_then(|plans| plans.into_iter().collect());
        let overrides = refresh(overrides, overrides::DEFAULT_REFRESH);
        let kv = refresh(kv, tally::DEFAULT_REFRESH);
        let is_there = |setting: bool, key| setting.then_some(key);
        let written: Vec<&str> = [
            is_there(matches!(measure, Some(Measure::AtOnce(_))), "concurrent"),
            is_there(matches!(burst, Some(Some(_))), "burst"),
            is_there(plans.as_ref().is_some_and(|plans| !plans.is_empty()), "plans"),
            is_there(matches!(overrides, Some(Some(_))), "overrides"),
            is_there(matches!(headers, Some(Some(_))), "headers"),
            is_there(matches!(lease, Some(Some(_))), "lease"),
            is_there(matches!(kv, Some(Some(_))), "kv"),
            is_there(matches!(binding, Some(Some(_))), "binding"),
            is_there(matches!(location, Some(Some(_))), "location"),
        ]
        .into_iter()
        .flatten()
        .collect();
        for (one, others) in APART.iter().filter(|(one, _)| written.contains(one)) {
            for other in others.iter().filter(|other| written.contains(other)) {
                problems.add(&place.at(*other), format!("does not go together with {one:?}"));
            }
        }
        let told_in = headers.map(|headers| headers.map_or_else(|| vec![ToldIn::RateLimit], |headers| headers.0));
        if let Some(Some(refresh)) = kv {
            let measures = plans.iter().flatten().map(|(_, measure)| measure).chain(&measure);
            check_kv(refresh, measures, &place.at("kv"), problems);
        }
        let period = rate.flatten().map(Rate::period);
        if matches!(binding, Some(Some(_))) {
            if !matches!(period, Some(PERIOD_10 | PERIOD_60)) {
                let message = "is for a \"rate\" in \"10s\" or \"min\": the platform counts in no other time";
                problems.add(&place.at("binding"), message);
            }
            if told_in.iter().flatten().any(|fields| *fields == ToldIn::XRateLimit) {
                problems.add(&place.at("headers"), "tell what remains, which a \"binding\" does not say");
            }
        }
        let leased = leased(lease, lease_time, place, problems);
        let counted = match (leased?, kv?, binding?) {
            (Some(terms), ..) => Counted::Leased(terms, Mutex::default()),
            (None, Some(refresh), _) => Counted::InKv(Tallies::new(refresh)),
            (None, None, Some(name)) => Counted::ByPlatform(name, period?),
            (None, None, None) => Counted::Exactly,
        };
        Some(Self {
            name: name.to_owned(),
            measure: measure?,
            plans: plans?,
            overrides: overrides?.map(Overrides::new),
            by: by?.map_or_else(|| vec![By::Caller], |by| by.0),
            counted,
            location: location?,
            timeout: timeout?.map_or(LIMITER_TIMEOUT, |limit| limit.0),
            told_in: told_in?,
            is_enforced: enforce?.unwrap_or(true),
            when_down: when_down?.unwrap_or(WhenDown::Open),
        })
    }
}

/// Notes why a limit cannot be counted in KV.
fn check_kv<'m>(
    refresh: Duration,
    mut measures: impl Iterator<Item = &'m Measure>,
    place: &Place<'_>,
    problems: &mut Problems,
) {
    if measures.any(|measure| matches!(measure, Measure::OverTime(Quota::Rate { .. } | Quota::Sliding { .. }))) {
        problems
            .add(place, "is for a \"quota\" of the calendar, also of all plans: what KV tells is too old for others");
    }
    if refresh < Duration::from_secs(1) {
        problems.add(place, "must not be asked more often than once in \"1s\"");
    }
}

/// How long what KV said is remembered; the inner `None` is that it is not asked, the outer a fault.
fn refresh(settings: Option<Option<RefreshSettings>>, default: Duration) -> Option<Option<Duration>> {
    settings?.map_or(Some(None), |settings| settings.compile(default))
}

/// How much is borrowed, if it is said.
fn leased(
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
