//! What the place that counts for one key does with what is asked of it, from text to text: it keeps a line, and has no
//! rule of its own. The rules are [`crate::quota`] and [`crate::slots`].

use crate::quota::{Micros, Quota, Taken};
use crate::slots::Slots;

/// What became of a line that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The line that is to be kept in its place; the same where nothing was taken or given back.
    pub kept: String,
    /// The moment from which on it says nothing any more.
    pub until: Micros,
    /// What was asked for.
    pub answer: String,
}

/// Does what is asked with the line that is kept, `""` where there is none; `None` is that nobody can ask so.
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
pub fn counted(kept: &str, asked: &str, now: Micros) -> Option<Counted> {
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
            Some(Counted { kept: line, until: after.until, answer })
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
            Some(Counted { kept: line, until: after.latest(), answer })
        }
        "look" => Some(seen(kept, Taken::from_line(kept).unwrap_or_default().until)),
        "look_at_slots" => Some(seen(kept, Slots::from_line(kept).unwrap_or_default().latest())),
        _ => None,
    }
}

fn seen(kept: &str, until: Micros) -> Counted {
    Counted { kept: kept.to_owned(), until, answer: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let got = counted(&taken, asked, now).unwrap();
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
            let got = counted(&slots, asked, now).unwrap();
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
            assert_eq!(counted("", asked, 0), None, "of {asked:?}");
        }
    }
}
