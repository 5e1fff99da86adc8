//! The generic cell rate algorithm: how often something may happen, in one number of state.
//!
//! The state is the *theoretical arrival time*: the moment at which the caller will have paid for
//! all it took. Each unit moves it on by the quota's interval; a unit is refused when that would
//! move it further ahead of now than the burst allows. A refused unit moves nothing, so a caller
//! who keeps knocking is not punished for it.
//!
//! Source: ITU-T I.371 annex A, virtual scheduling form; the store's atomicity is the caller's.

/// How much a caller may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Microseconds in which one unit comes back; at least 1.
    pub interval: u64,
    /// Units that may be taken at one instant; at least 1.
    pub burst: u32,
}

/// A moment or a span, in microseconds since 1970.
pub type Micros = u64;

/// What one attempt to take a unit came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the unit was taken.
    pub admitted: bool,
    /// Units that could still be taken at this instant.
    pub remaining: u32,
    /// Microseconds until one unit more than `remaining` can be taken.
    pub next_unit: Micros,
}

impl Quota {
    /// The span in which an empty quota fills up again.
    pub fn window(&self) -> Micros {
        self.interval.saturating_mul(u64::from(self.burst))
    }

    /// Takes one unit at `now`, given the arrival time `paid_until` that was kept last (0 where
    /// nothing was). Gives the verdict and the arrival time to keep.
    pub fn spend(&self, paid_until: Micros, now: Micros) -> (Verdict, Micros) {
        let window = self.window();
        // A quota that shrank since, or a clock that went back, must not lock a caller out.
        let owed = paid_until.saturating_sub(now).min(window);
        let after = owed.saturating_add(self.interval);
        let admitted = after <= window;
        let owed = if admitted { after } else { owed };
        let free = window - owed;
        let remaining = u32::try_from(free / self.interval).unwrap_or(u32::MAX);
        let verdict = Verdict { admitted, remaining, next_unit: self.interval - free % self.interval };
        (verdict, now.saturating_add(owed))
    }
}

impl Quota {
    /// The form in which a quota goes to the place that counts.
    pub fn to_path(&self) -> String {
        format!("{}/{}", self.interval, self.burst)
    }

    /// Reads [`Self::to_path`]'s form.
    pub fn from_path(text: &str) -> Option<Self> {
        let (interval, burst) = text.split_once('/')?;
        let (interval, burst) = (interval.parse().ok()?, burst.parse().ok()?);
        (interval > 0 && burst > 0).then_some(Self { interval, burst })
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

    const PER_SECOND_BURST_3: Quota = Quota { interval: 1_000_000, burst: 3 };

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
        let mut paid_until = 0;
        for (step, (now, admitted, remaining, next_unit)) in table.into_iter().enumerate() {
            let (verdict, kept) = PER_SECOND_BURST_3.spend(paid_until, now);
            assert_eq!(verdict, Verdict { admitted, remaining, next_unit }, "step {step}");
            paid_until = kept;
        }
    }

    proptest! {
        #[test]
        fn never_more_than_burst_and_rate(
            interval in 1u64..5_000,
            burst in 1u32..20,
            gaps in proptest::collection::vec(0u64..4_000, 1..200),
        ) {
            let quota = Quota { interval, burst };
            let (mut paid_until, mut now) = (0, 1_000_000);
            let mut admissions = Vec::new();
            for gap in gaps {
                now += gap;
                let (verdict, kept) = quota.spend(paid_until, now);
                if verdict.admitted {
                    admissions.push(now);
                }
                paid_until = kept;
            }
            for (first, &from) in admissions.iter().enumerate() {
                for (last, &to) in admissions.iter().enumerate().skip(first) {
                    let taken = (last - first + 1) as u64;
                    prop_assert!(taken <= u64::from(burst) + (to - from) / interval);
                }
            }
        }

        #[test]
        fn a_refused_caller_is_admitted_when_told(now in 0u64..1_000_000, burst in 1u32..9, taken in 0u32..20) {
            let quota = Quota { interval: 777, burst };
            let mut paid_until = 0;
            for _ in 0..taken {
                paid_until = quota.spend(paid_until, now).1;
            }
            let (verdict, kept) = quota.spend(paid_until, now);
            if !verdict.admitted {
                prop_assert!(!quota.spend(kept, now + verdict.next_unit - 1).0.admitted);
                prop_assert!(quota.spend(kept, now + verdict.next_unit).0.admitted);
            }
        }

        #[test]
        fn a_clock_that_jumps_locks_nobody_out(times in proptest::collection::vec(0u64..10_000_000, 1..50)) {
            let mut paid_until = 0;
            for now in times {
                let (verdict, kept) = PER_SECOND_BURST_3.spend(paid_until, now);
                prop_assert!(verdict.next_unit <= PER_SECOND_BURST_3.interval);
                prop_assert!(kept <= now + PER_SECOND_BURST_3.window());
                paid_until = kept;
            }
        }
    }

    #[test]
    fn the_written_forms_are_pinned() {
        let quota = Quota { interval: 600_000, burst: 20 };
        assert_eq!(quota.to_path(), "600000/20");
        assert_eq!(Quota::from_path("600000/20"), Some(quota));
        let verdict = Verdict { admitted: true, remaining: 19, next_unit: 600_000 };
        assert_eq!(verdict.to_line(), "1 19 600000");
        assert_eq!(Verdict::from_line("1 19 600000"), Some(verdict));
        for text in ["", "0/1", "1/0", "1", "x/y", "1/2/3"] {
            assert_eq!(Quota::from_path(text), None, "of {text:?}");
        }
    }
}
