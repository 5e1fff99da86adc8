//! All of it together: a service of three instances, called as the gateway would call it, in a
//! simulation whose time and lots repeat.

use std::time::Duration;

use super::balance::{Candidates, Instance, two_choices};
use super::breaker::{Breaker, BreakerRule, State};
use super::peak_ewma::PeakEwma;
use super::retry::{Body, RetryRule};
use super::retry_budget::RetryBudget;
use super::stable_hash;
use crate::head::UnixMillis;

/// What two minutes of 100 requests a second came to.
#[derive(Debug, Default)]
struct Outcome {
    requests: usize,
    /// Requests that got no good answer.
    failed: Vec<u64>,
    /// Calls to each instance.
    calls: [usize; 3],
    /// Calls to instances that were down.
    wasted: usize,
}

/// Runs the two minutes. An instance that is down refuses at once; the others take 20 ms.
fn two_minutes(is_down: impl Fn(usize, u64) -> bool) -> Outcome {
    let instances = ["a", "b", "c"].map(|name| Instance::new(name, 1));
    let mut breakers = instances.map(|_| Breaker::new(BreakerRule::default()));
    let mut latencies = instances.map(|_| PeakEwma::default());
    let (rule, mut budget) = (RetryRule::default(), RetryBudget::default());
    let mut lots = (0_u64..).map(|number| stable_hash::unit(stable_hash::hash(&number.to_le_bytes())));
    let mut lot = || lots.next().unwrap();
    let mut outcome = Outcome::default();

    for millis in (0..120_000).step_by(10) {
        let mut now = UnixMillis(1_700_000_000_000 + millis);
        let (mut tried, mut tries, deadline) = ([false; 3], 0, UnixMillis(now.0 + 5_000));
        outcome.requests += 1;
        budget.deposit(now);
        let ok = loop {
            let candidates = Candidates::of(&instances, |at| breakers[at].admits(now), |at| tried[at]);
            let failures = |at: usize| breakers[at].totals(now).failure_share();
            let cost = |at: usize| latencies[at].cost(now, 0, failures(at));
            let at = two_choices::choose(&candidates, cost, [lot(), lot()]).unwrap().instance;

            let began = breakers[at].begin(now);
            let result = if is_down(at, millis) { 503 } else { 200 };
            let took = Duration::from_millis(if result == 200 { 20 } else { 1 });
            now = UnixMillis(now.0 + took.as_millis() as u64);
            breakers[at].end(now, result == 200, began);
            latencies[at].observe(now, took);
            (tried[at], tries) = (true, tries + 1);
            outcome.calls[at] += 1;
            outcome.wasted += usize::from(result != 200);

            if result == 200 {
                break true;
            }
            let pause = rule.pause(tries, lot(), None, deadline.since(now));
            let again = rule.may_repeat("GET", Body::None, false) && rule.is_worth_repeating(Ok(result));
            match pause.filter(|_| again && budget.withdraw(now)) {
                Some(pause) => now = UnixMillis(now.0 + pause.as_millis() as u64),
                None => break false,
            }
        };
        if !ok {
            outcome.failed.push(millis);
        }
    }
    assert!(breakers.iter().all(|breaker| breaker.state() == State::Closed), "all are back at the end");
    outcome
}

#[test]
fn nobody_notices_that_one_of_three_instances_is_down() {
    let outcome = two_minutes(|at, millis| at == 1 && (20_000..60_000).contains(&millis));
    assert!(outcome.failed.is_empty(), "{outcome:?}");
    assert!(outcome.wasted < 60, "{outcome:?}");
    assert!(outcome.calls.iter().all(|calls| *calls > outcome.requests / 8), "{outcome:?}");
}

#[test]
fn a_service_that_is_down_gets_a_fifth_more_calls_and_is_found_when_it_is_back() {
    let outcome = two_minutes(|_, millis| (20_000..60_000).contains(&millis));
    let calls: usize = outcome.calls.iter().sum();
    assert!(calls - outcome.requests < 4_000 / 5 + 300, "{calls} calls for {} requests", outcome.requests);
    assert!(outcome.failed.iter().all(|millis| (20_000..60_000).contains(millis)), "whose time is over");
}

/// Compiles settings from their text, or gives each fault: for the tests of settings.
pub fn compiled<S: crate::settings::FromNode, T>(
    text: &str,
    compile: impl FnOnce(S, &crate::settings::Place<'_>, &mut crate::settings::Problems) -> Option<T>,
) -> Result<T, Vec<String>> {
    use crate::settings::{Node, Place, Problems};
    let node: Node = serde_json::from_str(text).unwrap();
    let (place, mut problems) = (Place::root(), Problems::default());
    let rule = S::from_node(&node, &place, &mut problems).and_then(|read| compile(read, &place, &mut problems));
    match !problems.refuse() {
        true => Ok(rule.expect("a rule where there is no fault")),
        false => Err(problems.in_order_of(&node).iter().map(ToString::to_string).collect()),
    }
}
