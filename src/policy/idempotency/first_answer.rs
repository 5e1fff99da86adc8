//! What the place that keeps what is known of a client's key does with what is asked of it: it keeps the line of an
//! [`Entry`], with the answer if there is one, and has no rule of its own.

use super::{Begun, Entry, Stage};
use crate::head::UnixMillis;

/// What is decided of what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What was found, before the change.
    pub found: Begun,
    /// What becomes of what is kept.
    pub change: Change,
}

/// What becomes of what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It stays.
    None,
    /// An entry takes the place of the one that is kept, and is forgotten when it is over.
    Keep(Entry),
    /// All of it is forgotten.
    Forget,
}

/// Decides what is asked, with the line that is kept, `""` where there is none; `None` is that nobody can ask so.
///
/// | asked | if it finds | then |
/// | --- | --- | --- |
/// | `claim FINGERPRINT MS` | nothing | it is the first, and under way for so long |
/// | `keep FINGERPRINT MS` | itself under way | its answer is there for so long |
/// | `lose FINGERPRINT MS` | itself under way | for so long, it had an answer that is not kept |
/// | `forget FINGERPRINT` | itself under way | nothing is known of it |
///
/// Whatever else it finds stays: nobody changes what is of another request.
pub fn decided(kept: &str, asked: &str, now: UnixMillis) -> Option<Decided> {
    let mut words = asked.split(' ');
    let (verb, fingerprint) = (words.next()?, words.next()?);
    let (wanted, stage) = match verb {
        "claim" => (Begun::First, Some(Stage::Running)),
        "keep" => (Begun::Running, Some(Stage::Answered)),
        "lose" => (Begun::Running, Some(Stage::Lost)),
        "forget" => (Begun::Running, None),
        _ => return None,
    };
    let change = match stage {
        Some(stage) => {
            let until = UnixMillis(now.0.saturating_add(words.next()?.parse().ok()?));
            Change::Keep(Entry { fingerprint: fingerprint.to_owned(), until, stage })
        }
        None => Change::Forget,
    };
    let found = Entry::found(Entry::from_line(kept).as_ref(), fingerprint, now);
    Some(Decided { found, change: if found == wanted { change } else { Change::None } })
}

impl Begun {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Running => "running",
            Self::Lost => "lost",
            Self::OtherPayload => "other",
            Self::Answered => "answered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_under_way_changes_and_only_by_its_own_request() {
        // At 100; `None` is that what is kept stays, `""` that it is forgotten.
        for (kept, asked, found, after) in [
            ("", "claim f 50", "first", Some("f 150 running")),
            ("no entry", "claim f 50", "first", Some("f 150 running")),
            ("f 100 running", "claim f 50", "first", Some("f 150 running")),
            ("g 100 answered", "claim f 50", "first", Some("f 150 running")),
            ("f 101 running", "claim f 50", "running", None),
            ("f 101 lost", "claim f 50", "lost", None),
            ("f 101 answered", "claim f 50", "answered", None),
            ("g 101 running", "claim f 50", "other", None),
            ("g 101 answered", "claim f 50", "other", None),
            ("f 101 running", "keep f 50", "running", Some("f 150 answered")),
            ("f 101 running", "lose f 50", "running", Some("f 150 lost")),
            ("f 101 running", "forget f", "running", Some("")),
            ("", "keep f 50", "first", None),
            ("f 100 running", "keep f 50", "first", None),
            ("f 101 lost", "keep f 50", "lost", None),
            ("f 101 answered", "keep f 50", "answered", None),
            ("g 101 running", "keep f 50", "other", None),
            ("", "lose f 50", "first", None),
            ("f 101 answered", "lose f 50", "answered", None),
            ("g 101 running", "lose f 50", "other", None),
            ("", "forget f", "first", None),
            ("f 100 running", "forget f", "first", None),
            ("f 101 answered", "forget f", "answered", None),
            ("f 101 lost", "forget f", "lost", None),
            ("g 101 running", "forget f", "other", None),
            ("", "claim f 18446744073709551615", "first", Some("f 18446744073709551615 running")),
        ] {
            let got = decided(kept, asked, UnixMillis(100)).unwrap();
            let line = match &got.change {
                Change::None => None,
                Change::Keep(entry) => Some(entry.to_line()),
                Change::Forget => Some(String::new()),
            };
            assert_eq!((got.found.word(), line.as_deref()), (found, after), "{asked} with {kept:?}");
        }
    }

    #[test]
    fn what_nobody_can_ask_is_nothing() {
        for asked in ["", "claim", "claim f", "claim f x", "claim f -1", "keep f", "lose f", "forget", "look f 1"] {
            assert_eq!(decided("", asked, UnixMillis(0)), None, "of {asked:?}");
        }
    }
}
