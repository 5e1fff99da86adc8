//! What the place that counts for one key does with what is asked of it, from text to text: it keeps lines, and has no
//! rule of its own. The rules are [`crate::quota`] and [`crate::slots`].

use crate::quota::{Micros, Quota, Taken};
use crate::slots::Slots;

/// What is kept in memory and what is written, which comes back when the memory is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lines<'l> {
    /// What was taken; `""` where nothing was.
    pub kept: &'l str,
    /// At least as much as that.
    pub written: &'l str,
}

/// What became of the lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The line that is to be kept in place of the one before; the same where nothing was taken or given back.
    pub kept: String,
    /// The line that is to be written before the answer goes; the same where what was written is enough.
    pub written: String,
    /// How many units are written ahead, where something is to be written.
    pub ahead: u32,
    /// The moment from which on what is kept says nothing any more.
    pub until: Micros,
    /// What was asked for.
    pub answer: String,
}

/// Does what is asked with the lines of one key; `None` is that nobody can ask so.
///
/// | asked | answer |
/// | --- | --- |
/// | `spend QUOTA UNITS` | a verdict's line |
/// | `borrow QUOTA UNITS` | how many units were taken, and a verdict's line |
/// | `give_back QUOTA UNITS MOMENT` | nothing; they were taken then or later |
/// | `take_slot MOST MICROS` | the moment at which the slot lapses; nothing if all are taken |
/// | `free_slot MOMENT` | nothing |
/// | `look`, `look_at_slots` | nothing |
///
/// Units and slots are of two lines: who keeps them tells by the word.
///
/// What has to be written is written as if so many units more were taken, `ahead`, if there are as many: the calls that
/// take those need no writing. Units are so paid for before they are spent, and whenever the memory is lost, no more is
/// admitted than there is; less may be, by what was written ahead.
pub fn counted(lines: Lines<'_>, ahead: u32, asked: &str, now: Micros) -> Option<Counted> {
    let kept = lines.kept;
    let mut words = asked.split(' ');
    let verb = words.next()?;
    match verb {
        "spend" | "borrow" | "give_back" => {
            let (quota, units) = (Quota::from_path(words.next()?)?, words.next()?.parse().ok()?);
            let before = Taken::from_line(kept).unwrap_or_default();
            let (answer, after) = match verb {
                "spend" => {
                    let (verdict, after) = quota.spend(before, units, now);
                    (verdict.to_line(), after)
                }
                "borrow" => {
                    let (granted, verdict, after) = quota.spend_up_to(before, units, now);
                    (format!("{granted} {}", verdict.to_line()), after)
                }
                _ => (String::new(), quota.give_back(before, units, words.next()?.parse().ok()?, now)),
            };
            let line = if after == before { kept.to_owned() } else { after.to_line() };
            let is_written = Taken::from_line(lines.written).unwrap_or_default().covers(&after);
            let (ahead, written) = match is_written {
                true => (0, lines.written.to_owned()),
                false => {
                    let (granted, _, written) = quota.spend_up_to(after, ahead, now);
                    (granted, written.to_line())
                }
            };
            Some(Counted { kept: line, written, ahead, until: after.until, answer })
        }
        "take_slot" | "free_slot" => {
            let before = Slots::from_line(kept).unwrap_or_default();
            let mut after = before.clone();
            let answer = match verb {
                "take_slot" => {
                    let taken = after.take(words.next()?.parse().ok()?, words.next()?.parse().ok()?, now);
                    // One that is refused only finds what has lapsed.
                    if taken.is_none() {
                        after.clone_from(&before);
                    }
                    taken.map(|until| until.to_string()).unwrap_or_default()
                }
                _ => {
                    after.free(words.next()?.parse().ok()?);
                    String::new()
                }
            };
            let line = if after == before { kept.to_owned() } else { after.to_line() };
            Some(Counted { written: line.clone(), kept: line, ahead: 0, until: after.latest(), answer })
        }
        "look" => Some(seen(lines, Taken::from_line(kept).unwrap_or_default().until)),
        "look_at_slots" => Some(seen(lines, Slots::from_line(kept).unwrap_or_default().latest())),
        _ => None,
    }
}

fn seen(Lines { kept, written }: Lines<'_>, until: Micros) -> Counted {
    Counted { kept: kept.to_owned(), written: written.to_owned(), ahead: 0, until, answer: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_kept_and_answers() {
        let second = 1_000_000;
        // Two units at once, one a second back.
        let (mut taken, mut slots) = (String::new(), String::new());
        for (asked, now, kept, answer) in [
            ("spend 1000000/2 1", 0, "1000000 0", "1 1 1000000"),
            ("borrow 1000000/2 5", 0, "2000000 0", "1 1 0 1000000"),
            ("spend 1000000/2 1", 0, "2000000 0", "0 0 1000000"),
            ("give_back 1000000/2 1 0", 0, "1000000 0", ""),
            ("look", 0, "1000000 0", ""),
            ("spend 1000000/2 2", 5 * second, "7000000 0", "1 0 1000000"),
        ] {
            let got = counted(Lines { kept: &taken, written: "" }, 0, asked, now).unwrap();
            assert_eq!((got.kept.as_str(), got.answer.as_str()), (kept, answer), "{asked}");
            assert_eq!(Some(got.until), Taken::from_line(kept).map(|taken| taken.until));
            taken = got.kept;
        }
        for (asked, now, kept, until, answer) in [
            ("take_slot 1 10", 0, "10", 10, "10"),
            ("take_slot 1 10", 5, "10", 10, ""),
            ("look_at_slots", 5, "10", 10, ""),
            ("free_slot 10", 5, "", 0, ""),
            ("free_slot 10", 5, "", 0, ""),
            ("take_slot 1 10", 5, "15", 15, "15"),
        ] {
            let got = counted(Lines { kept: &slots, written: "" }, 0, asked, now).unwrap();
            assert_eq!((got.kept.as_str(), got.until, got.answer.as_str()), (kept, until, answer), "{asked}");
            slots = got.kept;
        }
    }

    #[test]
    fn what_nobody_can_ask_is_nothing() {
        for asked in [
            "",
            "spend",
            "spend 0/1 1",
            "spend 1/1",
            "spend 1/1 x",
            "give_back 1/1 1",
            "take_slot 1",
            "free_slot",
            "forget",
        ] {
            assert_eq!(counted(Lines::default(), 0, asked, 0), None, "of {asked:?}");
        }
    }

    #[test]
    fn what_is_written_ahead_is_not_written_again() {
        let (mut kept, mut written) = (String::new(), String::new());
        for (ahead, asked, now, is_kept, is_written) in [
            // Ten units a day, of 1970-01-01 and the day after.
            (0, "spend d/10 1", 0, "86400000000 1", "86400000000 1"),
            (3, "spend d/10 1", 1, "86400000000 2", "86400000000 5"),
            (9, "spend d/10 3", 2, "86400000000 5", "86400000000 5"),
            (9, "give_back d/10 1 0", 3, "86400000000 4", "86400000000 5"),
            (9, "spend d/10 1", 4, "86400000000 5", "86400000000 5"),
            // No more than there is.
            (9, "spend d/10 1", 5, "86400000000 6", "86400000000 10"),
            (9, "spend d/10 9", 6, "86400000000 6", "86400000000 10"),
            (2, "spend d/10 1", 86_400_000_000, "172800000000 1", "172800000000 3"),
        ] {
            let got = counted(Lines { kept: &kept, written: &written }, ahead, asked, now).unwrap();
            assert_eq!((got.kept.as_str(), got.written.as_str()), (is_kept, is_written), "{asked} at {now}");
            (kept, written) = (got.kept, got.written);
        }
    }

    proptest! {
        #[test]
        fn whenever_the_memory_is_lost_no_more_is_admitted_than_there_is(
            quota in prop::sample::select(vec!["1000000/5", "h/5", "s10000000/5"]),
            // How long after the one before a call comes, how many it takes, how far ahead is written, and whether the
            // memory is lost before it.
            calls in prop::collection::vec((0u64..2_000_000, 1u32..3, 0u32..8, any::<bool>()), 1..80),
        ) {
            let (mut kept, mut written, mut now) = (String::new(), String::new(), 3_000_000_000_u64);
            // As if it were never lost, and nothing written ahead.
            let mut exact = String::new();
            for (gap, units, ahead, is_lost) in calls {
                now += gap;
                if is_lost {
                    kept.clone_from(&written);
                }
                let asked = format!("spend {quota} {units}");
                let got = counted(Lines { kept: &kept, written: &written }, ahead, &asked, now).unwrap();
                if got.answer.starts_with('1') {
                    let same = counted(Lines { kept: &exact, written: "" }, 0, &asked, now).unwrap();
                    prop_assert!(same.answer.starts_with('1'), "admitted {asked} at {now}");
                    exact = same.kept;
                }
                (kept, written) = (got.kept, got.written);
            }
        }
    }
}
