//! So many calls under way at once: slots that calls take and give back, without any place or time of their own.
//!
//! What is kept of a slot is the moment at which it lapses by itself: a holder that dies leaves none taken for ever.
//! By that moment it is given back, too; of two that lapse together, it does not matter which. Atomicity is the
//! caller's.

use crate::quota::Micros;

/// The moments at which the slots lapse that are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots(Vec<Micros>);

impl Slots {
    /// Takes a slot that lapses so long after `now`, if not so many are taken; the moment at which it lapses.
    pub fn take(&mut self, most: u32, lasts: Micros, now: Micros) -> Option<Micros> {
        let until = now.saturating_add(lasts);
        self.0.retain(|moment| now < *moment);
        // What was taken for longer, or by a clock that went back since, must not lock anybody out for longer.
        self.0.iter_mut().for_each(|moment| *moment = until.min(*moment));
        let is_free = self.0.len() < usize::try_from(most).unwrap_or(usize::MAX);
        is_free.then(|| {
            self.0.push(until);
            until
        })
    }

    /// Gives a slot back that lapses at this moment; one that has lapsed is nobody's.
    pub fn free(&mut self, until: Micros) {
        if let Some(at) = self.0.iter().position(|moment| *moment == until) {
            self.0.swap_remove(at);
        }
    }

    /// The moment at which the last of them lapses; 0 if none is taken.
    pub fn latest(&self) -> Micros {
        self.0.iter().copied().max().unwrap_or_default()
    }

    /// The form in which they are kept.
    pub fn to_line(&self) -> String {
        self.0.iter().map(Micros::to_string).collect::<Vec<_>>().join(" ")
    }

    /// Reads [`Self::to_line`]'s form.
    pub fn from_line(line: &str) -> Option<Self> {
        line.split(' ')
            .filter(|moment| !moment.is_empty())
            .map(|moment| moment.parse().ok())
            .collect::<Option<_>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_slot_is_given_back_or_lapses() {
        let mut slots = Slots::default();
        assert_eq!((slots.take(2, 10, 0), slots.take(2, 10, 1), slots.take(2, 10, 2)), (Some(10), Some(11), None));
        slots.free(10);
        assert_eq!((slots.take(2, 10, 2), slots.take(2, 10, 3)), (Some(12), None));
        // That of 11 lapses; who held it gives nothing back of another's.
        assert_eq!(slots.take(2, 10, 11), Some(21));
        slots.free(11);
        assert_eq!((slots.take(2, 10, 11), slots.latest()), (None, 21));
        assert_eq!(slots.take(2, 10, 12), Some(22));
        // Fewer than were taken before, and a clock that went back.
        assert_eq!((slots.take(1, 10, 13), slots.take(1, 5, 2), slots.latest()), (None, None, 7));
        assert_eq!(slots.take(1, 5, 7), Some(12));
    }

    #[test]
    fn the_written_form_is_pinned() {
        for (slots, line) in [(Slots::default(), ""), (Slots(vec![7]), "7"), (Slots(vec![9, 7]), "9 7")] {
            assert_eq!((slots.to_line().as_str(), Slots::from_line(line)), (line, Some(slots)));
        }
        assert_eq!(Slots::from_line("7 x"), None);
    }

    proptest! {
        #[test]
        fn never_more_are_under_way(
            most in 1u32..6,
            // How long after the one before a call comes, and how long it takes; some die, and give nothing back.
            calls in proptest::collection::vec((0u64..5, 1u64..60, any::<bool>()), 1..100),
        ) {
            const LASTS: Micros = 40;
            let (mut slots, mut now, mut under_way) = (Slots::default(), 0, Vec::<(Micros, Micros, bool)>::new());
            for (gap, takes, dies) in calls {
                now += gap;
                let mut ended: Vec<_> = under_way.iter().copied().filter(|(end, ..)| *end <= now).collect();
                ended.sort_unstable();
                under_way.retain(|(end, ..)| now < *end);
                ended.into_iter().filter(|(.., dies)| !dies).for_each(|(_, slot, _)| slots.free(slot));
                let held = under_way.iter().filter(|(_, slot, _)| now < *slot).count();
                let slot = slots.take(most, LASTS, now);
                // A call whose slot has lapsed is longer than any can be: it holds none.
                prop_assert!(slot.is_none() || held < most as usize);
                prop_assert!(slot.is_some() || slots.0.len() == most as usize);
                if let Some(slot) = slot {
                    under_way.push((now + takes, slot, dies));
                }
            }
            prop_assert!(slots.take(most, LASTS, now + LASTS).is_some());
        }
    }
}
