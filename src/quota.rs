//! How much a caller may take, and what is kept of what they took: the algebra, without any place or time of its own.
//!
//! - A **rate** is the generic cell rate algorithm. What is kept is the *theoretical arrival time*: the moment at
//!   which the caller will have paid for all it took. Each unit moves it on by the rate's interval; units are
//!   refused when that would move it further ahead of now than the burst allows. Source: ITU-T I.371 annex A, virtual
//!   scheduling form.
//! - A **window** is so many units in an hour, a day or a month of the calendar, in UTC. What is kept is how many
//!   were taken, and the moment at which the window ends.
//!
//! What is refused takes nothing, so a caller who keeps knocking is not punished for it. Atomicity is the
//! caller's.

use crate::calendar;

/// How much a caller may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Units that come back one by one.
    Rate {
        /// Microseconds in which one unit comes back; at least 1.
        interval: u64,
        /// Units that may be taken at one instant; at least 1.
        burst: u32,
    },
    /// Units that come back all at once.
    Window {
        /// When.
        span: Span,
        /// Units in one window; at least 1.
        most: u32,
    },
}

/// How long a window is: it begins and ends with the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Hour,
    Day,
    Month,
}

/// A moment or a span, in microseconds since 1970.
pub type Micros = u64;

const HOUR: Micros = 3_600_000_000;
const DAY: Micros = 24 * HOUR;

/// What is kept of what was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The moment from which on nothing of it counts any more; of a rate, the arrival time.
    pub until: Micros,
    /// Units taken in a window; of a rate, 0.
    pub count: u64,
}

/// What one attempt to take units came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether they were taken.
    pub admitted: bool,
    /// Units that could still be taken at this instant.
    pub remaining: u32,
    /// Microseconds until one unit more than `remaining` can be taken; for those that were refused, until as
    /// many can be.
    pub next_unit: Micros,
}

impl Quota {
    /// The most units that can be taken at one instant.
    pub fn most(&self) -> u32 {
        match self {
            Self::Rate { burst, .. } => *burst,
            Self::Window { most, .. } => *most,
        }
    }

    /// The span in which an empty quota is full again, at most.
    pub fn window(&self) -> Micros {
        match self {
            Self::Rate { interval, burst } => interval.saturating_mul(u64::from(*burst)),
            Self::Window { span: Span::Hour, .. } => HOUR,
            Self::Window { span: Span::Day, .. } => DAY,
            Self::Window { span: Span::Month, .. } => 31 * DAY,
        }
    }

    /// The moment at which the window ends that `now` is in; of a rate, at which it is full again at most.
    pub fn ends(&self, now: Micros) -> Micros {
        match self {
            Self::Rate { .. } => now.saturating_add(self.window()),
            Self::Window { span, .. } => span.end(now),
        }
    }

    /// Takes units at `now`, of which so much was taken before. Gives the verdict, and what is to be kept.
    pub fn spend(&self, taken: Taken, units: u32, now: Micros) -> (Verdict, Taken) {
        let taken = self.as_of(taken, now);
        match *self {
            Self::Rate { interval, .. } => {
                let window = self.window();
                let owed = taken.until.saturating_sub(now);
                let cost = interval.saturating_mul(u64::from(units));
                let after = owed.saturating_add(cost);
                let admitted = after <= window;
                let owed = if admitted { after } else { owed };
                let free = window - owed;
                let remaining = u32::try_from(free / interval).unwrap_or(u32::MAX);
                let next_unit = if admitted { interval - free % interval } else { cost.saturating_sub(free) };
                let kept = if admitted { Taken { until: now.saturating_add(owed), count: 0 } } else { taken };
                (Verdict { admitted, remaining, next_unit }, kept)
            }
            Self::Window { span, most } => {
                let end = span.end(now);
                let before = if taken.until > now { taken.count } else { 0 };
                let after = before.saturating_add(u64::from(units));
                let admitted = after <= u64::from(most);
                let count = if admitted { after } else { before };
                let remaining = u32::try_from(u64::from(most).saturating_sub(count)).unwrap_or(u32::MAX);
                let kept = if admitted { Taken { until: end, count } } else { taken };
                (Verdict { admitted, remaining, next_unit: end - now }, kept)
            }
        }
    }

    /// What was taken, as this quota has it: one that shrank or became another since, or a clock that went back,
    /// must not lock a caller out for longer than it can itself.
    fn as_of(&self, taken: Taken, now: Micros) -> Taken {
        Taken { until: taken.until.min(self.ends(now)), ..taken }
    }

    /// Takes as many units as there are, `most` at most; how many, and what [`Self::spend`] gives.
    pub fn spend_up_to(&self, taken: Taken, most: u32, now: Micros) -> (u32, Verdict, Taken) {
        let (there, _) = self.spend(taken, 0, now);
        let granted = there.remaining.min(most);
        let (verdict, kept) = self.spend(taken, granted, now);
        (granted, verdict, kept)
    }

    /// Gives units back that were taken: they count as never taken, but that others were refused for them.
    pub fn give_back(&self, taken: Taken, units: u32, now: Micros) -> Taken {
        match *self {
            Self::Rate { interval, .. } => {
                Taken { until: taken.until.saturating_sub(interval.saturating_mul(u64::from(units))), count: 0 }
            }
            Self::Window { .. } if taken.until <= now => taken,
            Self::Window { .. } => Taken { count: taken.count.saturating_sub(u64::from(units)), ..taken },
        }
    }
}

impl Span {
    /// The end of the window that a moment is in.
    fn end(self, now: Micros) -> Micros {
        match self {
            Self::Hour => (now / HOUR + 1) * HOUR,
            Self::Day => (now / DAY + 1) * DAY,
            Self::Month => {
                let days = i64::try_from(now / DAY).unwrap_or(i64::MAX);
                u64::try_from(calendar::next_month(days)).unwrap_or_default() * DAY
            }
        }
    }

    const fn letter(self) -> &'static str {
        match self {
            Self::Hour => "h",
            Self::Day => "d",
            Self::Month => "m",
        }
    }
}

impl Quota {
    /// The form in which a quota goes to the place that counts.
    pub fn to_path(&self) -> String {
        match self {
            Self::Rate { interval, burst } => format!("{interval}/{burst}"),
            Self::Window { span, most } => format!("{}/{most}", span.letter()),
        }
    }

    /// Reads [`Self::to_path`]'s form.
    pub fn from_path(text: &str) -> Option<Self> {
        let (first, most) = text.split_once('/')?;
        let most: u32 = most.parse().ok().filter(|most| *most > 0)?;
        match [Span::Hour, Span::Day, Span::Month].into_iter().find(|span| span.letter() == first) {
            Some(span) => Some(Self::Window { span, most }),
            None => {
                first.parse().ok().filter(|interval| *interval > 0).map(|interval| Self::Rate { interval, burst: most })
            }
        }
    }
}

impl Taken {
    /// The form in which it is kept.
    pub fn to_line(&self) -> String {
        format!("{} {}", self.until, self.count)
    }

    /// Reads [`Self::to_line`]'s form.
    pub fn from_line(line: &str) -> Option<Self> {
        let (until, count) = line.split_once(' ')?;
        Some(Self { until: until.parse().ok()?, count: count.parse().ok()? })
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
        for quota in [rate(1_000, 5), Quota::Window { span: Span::Day, most: 5 }] {
            let now = DAY;
            let (_, once) = quota.spend(Taken::default(), 2, now);
            let (verdict, twice) = quota.spend(once, 3, now);
            assert!(verdict.admitted && verdict.remaining == 0);
            assert!(!quota.spend(twice, 1, now).0.admitted);
            assert_eq!(quota.give_back(twice, 3, now), once, "{quota:?}");
            // What has come back by itself is not given back twice.
            let later = now + 2 * DAY;
            assert_eq!(quota.spend(quota.give_back(twice, 3, later), 5, later).0.remaining, 0);
        }
    }

    #[test]
    fn as_many_are_taken_as_there_are() {
        for quota in [rate(1_000, 5), Quota::Window { span: Span::Day, most: 5 }] {
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
            is_rate in any::<bool>(),
            most in 1u32..9,
            until in 0..90 * DAY,
            count in 0u64..20,
            now in 0..60 * DAY,
        ) {
            let quota = if is_rate { rate(777, most) } else { Quota::Window { span: Span::Hour, most } };
            let (verdict, kept) = quota.spend(Taken { until, count }, 1, now);
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
        ] {
            assert_eq!((quota.to_path().as_str(), Quota::from_path(written)), (written, Some(quota)));
        }
        let taken = Taken { until: 1_767_225_600_000_000, count: 7 };
        assert_eq!(
            (taken.to_line().as_str(), Taken::from_line("1767225600000000 7")),
            ("1767225600000000 7", Some(taken))
        );
        let verdict = Verdict { admitted: true, remaining: 19, next_unit: 600_000 };
        assert_eq!(verdict.to_line(), "1 19 600000");
        assert_eq!(Verdict::from_line("1 19 600000"), Some(verdict));
        for text in ["", "0/1", "1/0", "1", "x/y", "1/2/3", "d/0", "w/1"] {
            assert_eq!(Quota::from_path(text), None, "of {text:?}");
        }
    }
}
