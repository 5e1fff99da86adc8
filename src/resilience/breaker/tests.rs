//! What a breaker does, as tables; what it never does, as properties; an outage, as a simulation.

use super::*;
use proptest::prelude::*;

const RULE: BreakerRule = BreakerRule {
    failures: Percent::new(50),
    of_at_least: 4,
    window: Duration::from_secs(10),
    open_for: Duration::from_secs(1),
};

fn at(millis: u64) -> UnixMillis {
    UnixMillis(1_000_000 + millis)
}

/// Makes a call of no duration.
fn call(breaker: &mut Breaker, now: u64, ok: bool) {
    let began = breaker.begin(at(now));
    breaker.end(at(now), ok, began);
}

/// A breaker that opened at 0.
fn opened() -> Breaker {
    let mut breaker = Breaker::new(RULE);
    for _ in 0..4 {
        call(&mut breaker, 0, false);
    }
    assert_eq!(breaker.state(), State::Open);
    breaker
}

#[test]
fn it_opens_at_its_share_of_enough_calls() {
    let table: [(&[bool], State); 6] = [
        (&[false, false, false], State::Closed),
        (&[false, false, false, false], State::Open),
        (&[true, true, false, false], State::Open),
        (&[true, true, true, false, false], State::Closed),
        (&[true, true, true, false, false, false], State::Open),
        // A success opens nothing, be the share what it may.
        (&[false, false, false, true], State::Closed),
    ];
    for (calls, state) in table {
        let mut breaker = Breaker::new(RULE);
        calls.iter().for_each(|ok| call(&mut breaker, 0, *ok));
        assert_eq!(breaker.state(), state, "after {calls:?}");
    }
}

#[test]
fn a_good_past_does_not_keep_in_what_has_died() {
    let mut breaker = Breaker::new(RULE);
    (0..1_000).for_each(|_| call(&mut breaker, 0, true));
    for failed in 1..=3 {
        call(&mut breaker, 1_000, false);
        assert_eq!(breaker.state(), State::Closed, "after {failed}");
    }
    call(&mut breaker, 1_000, true);
    (0..3).for_each(|_| call(&mut breaker, 1_000, false));
    assert_eq!(breaker.state(), State::Closed, "a success between them");
    call(&mut breaker, 1_000, false);
    assert_eq!(breaker.state(), State::Open, "four in a row");
}

#[test]
fn failures_of_another_time_open_nothing() {
    let mut breaker = Breaker::new(RULE);
    for now in [0, 4_000, 8_000, 12_000, 16_000, 20_000] {
        call(&mut breaker, now, false);
    }
    assert_eq!(breaker.state(), State::Closed, "never four within the window");
}

#[test]
fn one_trial_at_a_time_decides() {
    for (ok, state) in [(true, State::Closed), (false, State::Open)] {
        let mut breaker = opened();
        assert!(!breaker.admits(at(999)));
        assert!(breaker.admits(at(1_000)) && breaker.admits(at(1_000)), "asking takes no slot");
        let trial = breaker.begin(at(1_000));
        assert!(!breaker.admits(at(1_500)));
        breaker.end(at(1_600), ok, trial);
        assert_eq!((breaker.state(), breaker.admits(at(1_600))), (state, ok));
    }
}

#[test]
fn each_opening_in_a_row_lasts_twice_as_long_up_to_eightfold() {
    let (mut breaker, mut now) = (opened(), 0);
    for seconds in [1, 2, 4, 8, 8, 8] {
        assert!(!breaker.admits(at(now + seconds * 1_000 - 1)), "open for {seconds} s");
        now += seconds * 1_000;
        assert!(breaker.admits(at(now)), "open for {seconds} s");
        call(&mut breaker, now, false);
    }
    now += 8_000;
    call(&mut breaker, now, true);
    for _ in 0..4 {
        call(&mut breaker, now, false);
    }
    assert!(breaker.admits(at(now + 1_000)), "a success of the trial begins anew");
}

#[test]
fn results_that_come_late_decide_nothing() {
    let mut breaker = Breaker::new(RULE);
    let early = breaker.begin(at(0));
    for _ in 0..4 {
        call(&mut breaker, 10, false);
    }
    breaker.end(at(20), true, early);
    assert_eq!(breaker.state(), State::Open, "begun before it opened");

    let in_spite = breaker.begin(at(500));
    breaker.end(at(600), true, in_spite);
    assert_eq!(breaker.state(), State::Open, "sent in spite of it");

    let trial = breaker.begin(at(1_010));
    let in_spite = breaker.begin(at(1_100));
    for late in [early, in_spite] {
        breaker.end(at(1_200), true, late);
        assert_eq!(breaker.state(), State::HalfOpen, "not the trial");
    }

    assert!(!breaker.admits(at(2_009)) && breaker.admits(at(2_010)), "the trial is given up");
    let second = breaker.begin(at(2_010));
    breaker.end(at(2_020), false, trial);
    assert_eq!(breaker.state(), State::HalfOpen, "a trial that was given up");
    breaker.end(at(2_030), true, second);
    assert_eq!(breaker.state(), State::Closed);
    breaker.end(at(2_040), false, early);
    assert_eq!(breaker.totals(at(2_040)), Totals::default());
}

#[test]
fn a_trial_that_was_abandoned_is_made_again_at_once() {
    let mut breaker = opened();
    let trial = breaker.begin(at(1_000));
    breaker.abandon(trial);
    assert!(breaker.admits(at(1_001)));
    let second = breaker.begin(at(1_001));
    breaker.abandon(trial);
    assert_eq!(breaker.state(), State::HalfOpen, "it is not the one that is out");
    breaker.end(at(1_002), true, second);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn an_outage_is_met_with_few_calls_and_its_end_is_found() {
    let mut breaker = Breaker::new(RULE);
    let (mut wasted, mut back) = (0, None);
    // Ten calls a second; the instance is down from second 10 to second 100.
    for now in (0..130_000).step_by(100) {
        if breaker.admits(at(now)) {
            let ok = !(10_000..100_000).contains(&now);
            wasted += u32::from(!ok);
            back = back.or((now >= 100_000).then_some(now));
            call(&mut breaker, now, ok);
        }
    }
    // Four in a row, and then a trial after 1, 2, 4, 8, 8, … seconds.
    assert!((4..=20).contains(&wasted), "{wasted} of 900 calls were wasted");
    assert!(back.is_some_and(|back| back <= 108_000), "back at {back:?}");
    assert_eq!(breaker.state(), State::Closed);
}

proptest! {
    #[test]
    fn whatever_happens_one_trial_is_out_and_no_instance_is_lost(
        steps in proptest::collection::vec((0u64..700, any::<bool>(), 0usize..4), 1..200),
        back in 0u64..1_000_000,
    ) {
        let (mut breaker, mut now, mut out) = (Breaker::new(RULE), 0, Vec::new());
        for (gap, ok, which) in steps {
            now += gap;
            let was = breaker.state();
            if breaker.admits(at(now)) {
                out.push(breaker.begin(at(now)));
                // Whoever is admitted to a breaker that is not closed closes the way behind it.
                prop_assert_eq!(breaker.admits(at(now)), was == State::Closed);
            } else if !out.is_empty() {
                breaker.end(at(now), ok, out.swap_remove(which % out.len()));
            }
        }
        prop_assert!(breaker.admits(at(now + 8_000)));
        let set_back = UnixMillis(at(now).0.saturating_sub(8_000 + back));
        prop_assert!(breaker.admits(set_back), "a clock that was set back locks no instance out");
    }
}
