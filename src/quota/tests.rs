use super::*;
use proptest::prelude::*;

const PER_SECOND_BURST_3: Quota = Quota::Rate { interval: 1_000_000, burst: 3 };

fn rate(interval: u64, burst: u32) -> Quota {
    Quota::Rate { interval, burst }
}

#[test]
fn a_burst_then_one_for_each_interval() {
    let second = 1_000_000;
    let table = [
        // now, admitted, remaining, microseconds to the next unit
        (0, true, 2, second),
        (0, true, 1, second),
        (0, true, 0, second),
        (0, false, 0, second),
        (second / 4, false, 0, second * 3 / 4),
        (second, true, 0, second),
        (second * 9, true, 2, second),
    ];
    let mut taken = Taken::default();
    for (step, (now, admitted, remaining, next_unit)) in table.into_iter().enumerate() {
        let (verdict, kept) = PER_SECOND_BURST_3.spend(taken, 1, now);
        assert_eq!(verdict, Verdict { admitted, remaining, next_unit }, "step {step}");
        taken = kept;
    }
}

#[test]
fn a_window_ends_with_the_calendar() {
    let at = |day: &str, hours: u64| calendar::day(day).unwrap().0 * 1000 + hours * HOUR;
    for (span, now, end) in [
        (Span::Hour, at("2026-01-31", 23) + 7, at("2026-02-01", 0)),
        (Span::Day, at("2026-12-31", 23), at("2027-01-01", 0)),
        (Span::Month, at("2026-01-31", 23), at("2026-02-01", 0)),
        (Span::Month, at("2028-02-29", 0), at("2028-03-01", 0)),
        (Span::Month, at("2026-12-01", 0), at("2027-01-01", 0)),
    ] {
        let quota = Quota::Window { span, most: 2 };
        let (mut taken, mut verdicts) = (Taken::default(), Vec::new());
        for _ in 0..3 {
            let (verdict, kept) = quota.spend(taken, 1, now);
            verdicts.push((verdict.admitted, verdict.remaining, verdict.next_unit));
            taken = kept;
        }
        assert_eq!(verdicts, [(true, 1, end - now), (true, 0, end - now), (false, 0, end - now)], "{span:?}");
        assert!(!quota.spend(taken, 1, end - 1).0.admitted);
        assert_eq!(quota.spend(taken, 1, end).0.remaining, 1);
    }
}

#[test]
fn what_is_given_back_was_never_taken() {
    for quota in [rate(1_000, 5), Quota::Window { span: Span::Day, most: 5 }, Quota::Sliding { span: DAY, most: 5 }] {
        let now = DAY;
        let (_, once) = quota.spend(Taken::default(), 2, now);
        let (verdict, twice) = quota.spend(once, 3, now);
        assert!(verdict.admitted && verdict.remaining == 0);
        assert!(!quota.spend(twice, 1, now).0.admitted);
        assert_eq!(quota.give_back(twice, 3, now, now), once, "{quota:?}");
        // What has come back by itself is not given back twice.
        let later = now + 2 * DAY;
        assert_eq!(quota.spend(quota.give_back(twice, 3, now, later), 5, later).0.remaining, 0);
    }
}

#[test]
fn nothing_is_given_back_of_a_window_that_it_was_not_taken_of() {
    let quota = Quota::Window { span: Span::Hour, most: 1 };
    for (since, now, takes_back) in [(0, HOUR - 1, true), (HOUR - 1, HOUR, false), (HOUR, HOUR + 1, true)] {
        let (_, taken) = quota.spend(Taken::default(), 1, since);
        let (verdict, taken) = quota.spend(taken, 1, now);
        assert_eq!(verdict.admitted, !takes_back);
        let taken = quota.give_back(taken, 1, since, now);
        assert_eq!(quota.spend(taken, 1, now).0.admitted, takes_back, "one of two is refused, and never none");
    }
}

#[test]
fn nothing_is_given_back_of_a_piece_that_it_was_not_taken_of() {
    let quota = Quota::Sliding { span: DAY, most: 2 };
    // One that is refused for another limit took a unit just before the second hour, another call one just after it.
    let (_, taken) = quota.spend(Taken::default(), 1, HOUR - 1);
    let (_, taken) = quota.spend(taken, 1, HOUR + 1);
    let taken = quota.give_back(taken, 1, HOUR - 1, HOUR + 2);
    // The other's is of the span still.
    let (first, taken) = quota.spend(taken, 1, 25 * HOUR);
    let (second, _) = quota.spend(taken, 1, 25 * HOUR);
    assert_eq!((first.admitted, second.admitted), (true, false));
}

#[test]
fn as_many_are_taken_as_there_are() {
    for quota in [rate(1_000, 5), Quota::Window { span: Span::Day, most: 5 }, Quota::Sliding { span: DAY, most: 5 }] {
        let (granted, verdict, kept) = quota.spend_up_to(Taken::default(), 3, DAY);
        assert_eq!((granted, verdict.remaining), (3, 2));
        let (granted, verdict, kept) = quota.spend_up_to(kept, 3, DAY);
        assert_eq!((granted, verdict.remaining), (2, 0));
        assert_eq!(quota.spend_up_to(kept, 3, DAY).0, 0);
    }
}

#[test]
fn a_unit_can_cost_more_than_one() {
    let (verdict, taken) = PER_SECOND_BURST_3.spend(Taken::default(), 2, 0);
    assert_eq!((verdict.admitted, verdict.remaining), (true, 1));
    let (verdict, kept) = PER_SECOND_BURST_3.spend(taken, 2, 0);
    assert_eq!((verdict, kept), (Verdict { admitted: false, remaining: 1, next_unit: 1_000_000 }, taken));
    assert!(PER_SECOND_BURST_3.spend(taken, 2, 1_000_000).0.admitted);
    assert!(!PER_SECOND_BURST_3.spend(Taken::default(), 4, 0).0.admitted);
}

proptest! {
    #[test]
    fn a_window_never_lets_through_more(
        most in 1u32..20,
        steps in proptest::collection::vec((0u64..HOUR, 1u32..5), 1..100),
    ) {
        let quota = Quota::Window { span: Span::Hour, most };
        let (mut taken, mut now) = (Taken::default(), 0);
        let mut of_hour = std::collections::BTreeMap::<u64, u32>::new();
        for (gap, units) in steps {
            now += gap;
            let (verdict, kept) = quota.spend(taken, units, now);
            let count = of_hour.entry(now / HOUR).or_default();
            prop_assert_eq!(verdict.admitted, *count + units <= most);
            if verdict.admitted {
                *count += units;
            }
            taken = kept;
        }
    }
}

#[test]
fn a_sliding_window_comes_back_piece_by_piece() {
    let quota = Quota::Sliding { span: DAY, most: 3 };
    let table = [
        // hour, units, admitted, remaining, hours to the next unit
        (0, 2, true, 1, 25),
        (10, 1, true, 0, 15),
        (10, 1, false, 0, 15),
        (10, 3, false, 0, 25),
        (24, 1, false, 0, 1),
        (25, 2, true, 0, 10),
        (34, 1, false, 0, 1),
        (35, 1, true, 0, 15),
        (100, 3, true, 0, 25),
    ];
    let mut taken = Taken::default();
    for (hour, units, admitted, remaining, hours) in table {
        let (verdict, kept) = quota.spend(taken, units, hour * HOUR);
        assert_eq!(verdict, Verdict { admitted, remaining, next_unit: hours * HOUR }, "{units} at {hour}");
        assert!(admitted || kept == taken, "what is refused takes nothing");
        taken = kept;
    }
}

proptest! {
    #[test]
    fn no_span_of_a_sliding_window_has_more(
        most in 1u32..20,
        span in 1u64..5_000,
        steps in proptest::collection::vec((0u64..2_000, 1u32..5), 1..150),
    ) {
        let quota = Quota::Sliding { span, most };
        let (mut taken, mut now) = (Taken::default(), 1_000_000);
        let mut admitted: Vec<(u64, u32)> = Vec::new();
        for (gap, units) in steps {
            now += gap;
            let (verdict, kept) = quota.spend(taken, units, now);
            let within = |span: u64| admitted.iter().filter(|(at, _)| at + span > now).map(|(_, units)| units).sum::<u32>();
            // Exact but for the pieces, of which one more counts whole, and a span that they do not divide.
            let late = 2 * span.div_ceil(PIECES as u64) + PIECES as u64;
            prop_assert!(!verdict.admitted || within(span) + units <= most);
            prop_assert!(verdict.admitted || within(span + late) + units > most);
            if verdict.admitted {
                admitted.push((now, units));
            } else if units <= most {
                prop_assert!(quota.spend(kept, units, now + verdict.next_unit).0.admitted);
                prop_assert!(!quota.spend(kept, units, now + verdict.next_unit - 1).0.admitted);
            }
            taken = kept;
        }
    }
}

proptest! {
    #[test]
    fn never_more_than_burst_and_rate(
        interval in 1u64..5_000,
        burst in 1u32..20,
        gaps in proptest::collection::vec(0u64..4_000, 1..200),
    ) {
        let quota = rate(interval, burst);
        let (mut taken, mut now) = (Taken::default(), 1_000_000);
        let mut admissions = Vec::new();
        for gap in gaps {
            now += gap;
            let (verdict, kept) = quota.spend(taken, 1, now);
            if verdict.admitted {
                admissions.push(now);
            }
            taken = kept;
        }
        for (first, &from) in admissions.iter().enumerate() {
            for (last, &to) in admissions.iter().enumerate().skip(first) {
                let count = (last - first + 1) as u64;
                prop_assert!(count <= u64::from(burst) + (to - from) / interval);
            }
        }
    }

    #[test]
    fn a_refused_caller_is_admitted_when_told(now in 0u64..1_000_000, burst in 1u32..9, times in 0u32..20) {
        let quota = rate(777, burst);
        let mut taken = Taken::default();
        for _ in 0..times {
            taken = quota.spend(taken, 1, now).1;
        }
        let (verdict, kept) = quota.spend(taken, 1, now);
        if !verdict.admitted {
            prop_assert!(!quota.spend(kept, 1, now + verdict.next_unit - 1).0.admitted);
            prop_assert!(quota.spend(kept, 1, now + verdict.next_unit).0.admitted);
        }
    }

    #[test]
    fn a_clock_that_jumps_locks_nobody_out(times in proptest::collection::vec(0u64..10_000_000, 1..50)) {
        let mut taken = Taken::default();
        for now in times {
            let (verdict, kept) = PER_SECOND_BURST_3.spend(taken, 1, now);
            prop_assert!(verdict.next_unit <= 1_000_000);
            prop_assert!(!verdict.admitted || kept.until <= now + PER_SECOND_BURST_3.window());
            taken = kept;
        }
    }
}

proptest! {
    #[test]
    fn whatever_was_kept_a_refused_caller_is_admitted_when_told(
        kind in 0..3,
        most in 1u32..9,
        until in 0..90 * DAY,
        count in 0u64..20,
        pieces in proptest::array::uniform25(0u32..9),
        now in 0..60 * DAY,
    ) {
        let quota = match kind {
            0 => rate(777, most),
            1 => Quota::Window { span: Span::Hour, most },
            _ => Quota::Sliding { span: HOUR, most },
        };
        let (verdict, kept) = quota.spend(Taken { until, count, pieces }, 1, now);
        prop_assert!(verdict.next_unit <= quota.window() + HOUR / 12);
        prop_assert!(verdict.admitted || quota.spend(kept, 1, now + verdict.next_unit).0.admitted);
    }
}

#[test]
fn the_written_forms_are_pinned() {
    for (quota, written) in [
        (rate(600_000, 20), "600000/20"),
        (Quota::Window { span: Span::Hour, most: 7 }, "h/7"),
        (Quota::Window { span: Span::Day, most: 7 }, "d/7"),
        (Quota::Window { span: Span::Month, most: 7 }, "m/7"),
        (Quota::Sliding { span: 3_600_000_000, most: 7 }, "s3600000000/7"),
    ] {
        assert_eq!((quota.to_path().as_str(), Quota::from_path(written)), (written, Some(quota)));
    }
    let mut sliding = Taken { until: 1_767_225_600_000_000, ..Taken::default() };
    sliding.pieces[..3].copy_from_slice(&[3, 0, 2]);
    let taken = Taken { count: 7, ..Taken { pieces: [0; PIECES + 1], ..sliding } };
    for (taken, line) in [(taken, "1767225600000000 7"), (sliding, "1767225600000000 0 3 0 2")] {
        assert_eq!((taken.to_line().as_str(), Taken::from_line(line)), (line, Some(taken)));
    }
    let verdict = Verdict { admitted: true, remaining: 19, next_unit: 600_000 };
    assert_eq!(verdict.to_line(), "1 19 600000");
    assert_eq!(Verdict::from_line("1 19 600000"), Some(verdict));
    for text in ["", "0/1", "1/0", "1", "x/y", "1/2/3", "d/0", "w/1", "s/1", "s0/1"] {
        assert_eq!(Quota::from_path(text), None, "of {text:?}");
    }
}
