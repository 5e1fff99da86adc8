//! What is known of a service's instances, and which one gets a call.
//!
//! It is known in one isolate of the runtime, of which there are many: each learns by itself that an
//! instance is down, and forgets it when it ends.

use std::sync::Arc;

use crate::head::UnixMillis;
use crate::resilience::balance::round_robin::RoundRobin;
use crate::resilience::balance::{Candidates, Choice, Instance, random, rendezvous, two_choices};
use crate::resilience::breaker::{Began, Breaker, BreakerRule};
use crate::resilience::latency::Latencies;
use crate::resilience::peak_ewma::PeakEwma;
use crate::resilience::percent::Percent;
use crate::resilience::retry_budget::RetryBudget;
use crate::service_url::ServiceUrl;

/// The instances of a service.
#[derive(Debug)]
pub struct Pool {
    breaker: Option<BreakerRule>,
    members: Vec<Member>,
    /// Of each member, for the choice.
    instances: Vec<Instance>,
    turns: Option<RoundRobin>,
    /// Retries that may be made.
    pub budget: RetryBudget,
    /// How long answers take, whichever instance they come from.
    pub latencies: Latencies,
    /// When the list was last asked for, where it is found elsewhere than in the file.
    pub asked: Option<UnixMillis>,
}

#[derive(Debug)]
struct Member {
    url: Arc<ServiceUrl>,
    breaker: Option<Breaker>,
    latency: PeakEwma,
    in_flight: u32,
}

/// How an instance is chosen among those that have no open breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Balance {
    /// In turn.
    RoundRobin,
    /// By lot.
    Random,
    /// The one of two drawn by lot that costs less: by latency, calls in flight and failures.
    LeastLoaded,
    /// By a value of the request: the same value finds the same instance. By lot where there is none.
    Hash,
}

/// The instance that a call goes to.
#[derive(Clone, Debug)]
pub struct Picked {
    /// Its own, whatever else is in the list.
    pub id: u64,
    /// Where it is.
    pub url: Arc<ServiceUrl>,
    /// Whether its breaker lets calls through.
    pub is_admitted: bool,
}

/// A call under way.
#[derive(Clone, Copy, Debug)]
pub struct UnderWay {
    id: u64,
    began: Option<Began>,
    since: UnixMillis,
}

/// How a call ended, as far as it says something of the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It answered.
    Well,
    /// It did not, or said that it cannot.
    Badly,
    /// It was given up for a reason that is not the instance's.
    Abandoned,
}

impl Pool {
    /// A pool of these instances, each with its weight.
    pub fn new(instances: Vec<(ServiceUrl, u32)>, breaker: Option<BreakerRule>, budget: Percent) -> Self {
        let mut pool = Self {
            breaker,
            members: Vec::new(),
            instances: Vec::new(),
            turns: None,
            budget: RetryBudget::new(budget),
            latencies: Latencies::default(),
            asked: None,
        };
        pool.replace(instances);
        pool
    }

    /// Takes another list of instances. What is known of those that stay is kept.
    pub fn replace(&mut self, instances: Vec<(ServiceUrl, u32)>) {
        let is_the_same = self.members.len() == instances.len()
            && self
                .members
                .iter()
                .zip(&self.instances)
                .zip(&instances)
                .all(|((member, instance), (url, weight))| *member.url == *url && instance.weight == *weight);
        if is_the_same {
            return;
        }
        let mut before = std::mem::take(&mut self.members);
        self.turns = None;
        self.instances = instances.iter().map(|(url, weight)| Instance::new(&url.join(""), *weight)).collect();
        for (url, _) in instances {
            let known = before.iter().position(|member| *member.url == url);
            let new = || Member {
                url: Arc::new(url),
                breaker: self.breaker.map(Breaker::new),
                latency: PeakEwma::default(),
                in_flight: 0,
            };
            self.members.push(known.map(|at| before.swap_remove(at)).unwrap_or_else(new));
        }
    }

    /// How many instances there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The instance for a call that did not try those of `tried`; one of them if there is no other whose
    /// breaker lets calls through. `None` if there is none that takes calls.
    pub fn pick(
        &mut self,
        balance: &Balance,
        key: Option<&str>,
        tried: &[u64],
        now: UnixMillis,
        unit_random: impl Fn() -> f64,
    ) -> Option<Picked> {
        if let ([member], [known]) = (self.members.as_slice(), self.instances.as_slice()) {
            // Nothing to choose; a list of one has no instance without a weight.
            return Some(Picked { id: known.id, url: Arc::clone(&member.url), is_admitted: member.admits(now) });
        }
        let choice = self.choose(balance, key, tried, now, &unit_random);
        // One that was tried before goes before one whose breaker is open.
        let again = || self.choose(balance, key, &[], now, &unit_random);
        let choice = choice.filter(|choice| choice.admitted).or_else(again);
        let Choice { instance, admitted } = choice?;
        let (member, known) = (self.members.get(instance)?, self.instances.get(instance)?);
        Some(Picked { id: known.id, url: Arc::clone(&member.url), is_admitted: admitted })
    }

    fn choose(
        &mut self,
        balance: &Balance,
        key: Option<&str>,
        tried: &[u64],
        now: UnixMillis,
        unit_random: &impl Fn() -> f64,
    ) -> Option<Choice> {
        let members = &self.members;
        let admits = |at: usize| members.get(at).is_some_and(|member| member.admits(now));
        let was_tried = |at: usize| self.instances.get(at).is_some_and(|instance| tried.contains(&instance.id));
        let candidates = Candidates::of(&self.instances, admits, was_tried);
        match balance {
            Balance::RoundRobin => {
                let begun = || RoundRobin::begun(&self.instances, unit_random());
                self.turns.get_or_insert_with(begun).choose(&candidates)
            }
            Balance::Random => random::choose(&candidates, unit_random()),
            Balance::LeastLoaded => {
                let cost = |at: usize| members.get(at).map_or(f64::MAX, |member| member.cost(now));
                two_choices::choose(&candidates, cost, [unit_random(), unit_random()])
            }
            Balance::Hash => match key {
                Some(key) => rendezvous::choose(&candidates, key),
                None => random::choose(&candidates, unit_random()),
            },
        }
    }

    /// Says that a call goes to an instance.
    pub fn begin(&mut self, id: u64, now: UnixMillis) -> UnderWay {
        let began = self.member(id).and_then(|member| {
            member.in_flight += 1;
            member.breaker.as_mut().map(|breaker| breaker.begin(now))
        });
        UnderWay { id, began, since: now }
    }

    /// Says how a call ended.
    pub fn end(&mut self, call: UnderWay, ended: Ended, now: UnixMillis) {
        let took = now.since(call.since);
        if ended == Ended::Well {
            self.latencies.observe(took);
        }
        // It may be gone from the list by now.
        let Some(member) = self.member(call.id) else { return };
        member.in_flight = member.in_flight.saturating_sub(1);
        if ended != Ended::Abandoned {
            member.latency.observe(now, took);
        }
        if let (Some(breaker), Some(began)) = (&mut member.breaker, call.began) {
            match ended {
                Ended::Well => breaker.end(now, true, began),
                Ended::Badly => breaker.end(now, false, began),
                Ended::Abandoned => breaker.abandon(began),
            }
        }
    }

    fn member(&mut self, id: u64) -> Option<&mut Member> {
        let at = self.instances.iter().position(|instance| instance.id == id)?;
        self.members.get_mut(at)
    }
}

impl Member {
    fn admits(&self, now: UnixMillis) -> bool {
        self.breaker.as_ref().is_none_or(|breaker| breaker.admits(now))
    }

    fn cost(&self, now: UnixMillis) -> f64 {
        let failures = self.breaker.as_ref().map_or(0.0, |breaker| breaker.totals(now).failure_share());
        self.latency.cost(now, self.in_flight, failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instances(names: &[&str]) -> Vec<(ServiceUrl, u32)> {
        names.iter().map(|name| (ServiceUrl::parse(&format!("http://{name}")).unwrap(), 1)).collect()
    }

    fn pool(names: &[&str]) -> Pool {
        let rule = BreakerRule { of_at_least: 2, ..BreakerRule::default() };
        Pool::new(instances(names), Some(rule), Percent::new(20))
    }

    fn pick(pool: &mut Pool, tried: &[u64], now: u64) -> (String, bool) {
        let picked = pool.pick(&Balance::RoundRobin, None, tried, UnixMillis(now), || 0.0).unwrap();
        (picked.url.join(""), picked.is_admitted)
    }

    fn fail(pool: &mut Pool, name: &str, now: u64) {
        let id = Instance::new(&format!("http://{name}"), 1).id;
        let call = pool.begin(id, UnixMillis(now));
        pool.end(call, Ended::Badly, UnixMillis(now));
    }

    #[test]
    fn an_instance_that_fails_gets_no_calls_until_its_time_is_over() {
        let mut pool = pool(&["a", "b"]);
        (0..4).for_each(|now| fail(&mut pool, "a", now));
        for _ in 0..4 {
            assert_eq!(pick(&mut pool, &[], 100), ("http://b".to_owned(), true));
        }
        let later: Vec<_> = (0..2).map(|_| pick(&mut pool, &[], 60_000).0).collect();
        assert!(later.contains(&"http://a".to_owned()), "{later:?}");
        (0..4).for_each(|now| fail(&mut pool, "b", now));
        assert!(!pick(&mut pool, &[], 100).1, "none takes calls");
    }

    #[test]
    fn what_is_known_of_an_instance_outlives_a_new_list() {
        let mut pool = pool(&["a", "b"]);
        (0..4).for_each(|now| fail(&mut pool, "a", now));
        pool.replace(instances(&["c", "a"]));
        for _ in 0..4 {
            assert_eq!(pick(&mut pool, &[], 100), ("http://c".to_owned(), true));
        }
        pool.replace(instances(&["b"]));
        assert_eq!(pick(&mut pool, &[], 100), ("http://b".to_owned(), true));
        pool.replace(Vec::new());
        assert!(pool.pick(&Balance::Random, None, &[], UnixMillis(0), || 0.0).is_none());
    }

    #[test]
    fn one_that_was_tried_goes_before_one_that_is_out() {
        let mut pool = pool(&["a", "b"]);
        (0..4).for_each(|now| fail(&mut pool, "a", now));
        let b = Instance::new("http://b", 1).id;
        assert_eq!(pick(&mut pool, &[b], 100), ("http://b".to_owned(), true));
    }

    #[test]
    fn where_all_were_tried_one_is_tried_again() {
        let mut pool = pool(&["a"]);
        let id = Instance::new("http://a", 1).id;
        assert_eq!(pick(&mut pool, &[id], 0), ("http://a".to_owned(), true));
    }
}
