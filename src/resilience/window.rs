//! A sliding window: what happened of late, in buckets that are forgotten one by one.

use std::collections::VecDeque;
use std::iter;
use std::time::Duration;

use crate::head::UnixMillis;

/// How many buckets a window has: it covers its span to a tenth.
pub const BUCKETS: u64 = 10;

/// Buckets of `T` over a span of time. It covers the bucket of now and those before it: never more
/// than the span, never less than nine tenths of it.
#[derive(Clone, Debug)]
pub struct SlidingWindow<T> {
    /// Milliseconds of one bucket; at least 1.
    width: u64,
    /// The number of the newest bucket, counted since 1970.
    newest: u64,
    current: T,
    /// The buckets before it that were used, newest first.
    earlier: VecDeque<(u64, T)>,
}

impl<T: Default> SlidingWindow<T> {
    /// An empty window of that span.
    pub fn new(span: Duration) -> Self {
        let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self { width: (span / BUCKETS).max(1), newest: 0, current: T::default(), earlier: VecDeque::new() }
    }

    /// The bucket of `now`, to be written to.
    pub fn bucket(&mut self, now: UnixMillis) -> &mut T {
        let number = self.number(now);
        if number < self.newest {
            self.earlier.clear();
            self.current = T::default();
        } else if number > self.newest {
            self.earlier.push_front((self.newest, std::mem::take(&mut self.current)));
            self.earlier.retain(|(earlier, _)| number - earlier < BUCKETS);
        }
        self.newest = number;
        &mut self.current
    }

    /// The buckets that the window covers at `now`.
    pub fn recent(&self, now: UnixMillis) -> impl Iterator<Item = &T> {
        let number = self.number(now);
        let used =
            iter::once((self.newest, &self.current)).chain(self.earlier.iter().map(|(at, bucket)| (*at, bucket)));
        used.filter(move |(at, _)| *at <= number && number - at < BUCKETS).map(|(_, bucket)| bucket)
    }

    /// The number of the bucket of `now`. A clock that went back a little stays in the newest
    /// bucket; one that was set back further than the window starts anew, or it would count nothing
    /// out until it had caught up.
    fn number(&self, now: UnixMillis) -> u64 {
        let number = now.0 / self.width;
        if number < self.newest && self.newest - number < BUCKETS { self.newest } else { number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let mut window = SlidingWindow::<Vec<u64>>::new(SECOND);
        let table: [(u64, &[u64]); 6] = [
            (5_000, &[5_000]),
            (5_099, &[5_000, 5_099]),
            (5_900, &[5_000, 5_099, 5_900]),
            (5_999, &[5_000, 5_099, 5_900, 5_999]),
            (6_000, &[5_900, 5_999, 6_000]),
            (9_000, &[9_000]),
        ];
        for (now, covered) in table {
            window.bucket(UnixMillis(now)).push(now);
            let mut recent: Vec<_> = window.recent(UnixMillis(now)).flatten().copied().collect();
            recent.sort_unstable();
            assert_eq!(recent, covered, "at {now}");
        }
        assert_eq!(window.recent(UnixMillis(20_000)).flatten().count(), 0);
    }

    proptest! {
        #[test]
        fn it_covers_its_span_to_a_tenth(gaps in proptest::collection::vec(0u64..400, 1..100)) {
            let mut window = SlidingWindow::<u32>::new(SECOND);
            let (mut now, mut times) = (1_000_000, Vec::new());
            for gap in gaps {
                now += gap;
                *window.bucket(UnixMillis(now)) += 1;
                times.push(now);
                let covered = window.recent(UnixMillis(now)).sum::<u32>() as usize;
                prop_assert!(covered <= times.iter().filter(|time| now - **time < 1_000).count());
                prop_assert!(covered >= times.iter().filter(|time| now - **time <= 900).count());
            }
        }

        #[test]
        fn a_clock_that_jumps_loses_nothing_new_and_keeps_nothing_old(
            times in proptest::collection::vec(0u64..10_000, 1..60),
        ) {
            let mut window = SlidingWindow::<u32>::new(SECOND);
            for now in times {
                *window.bucket(UnixMillis(now)) += 1;
                prop_assert!(window.recent(UnixMillis(now)).sum::<u32>() >= 1);
                // Wherever the clock stands, two spans later all is forgotten.
                prop_assert_eq!(window.recent(UnixMillis(now + 2_000)).sum::<u32>(), 0);
            }
        }
    }
}
