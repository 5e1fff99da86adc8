//! Values that go to another place.

use super::compiled;
use super::mask::Mask;
use super::together::Together;
use crate::json::path::{Path, Step};
use crate::json::places::{Found, Room, put};
use crate::json::tree::Json;
use crate::settings::{Named, Place, Problems};

/// One move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    together: Together,
    from: Path,
    /// The same place, to take it away.
    taken: Mask,
    to: Path,
}

impl Move {
    /// Compiles moves; notes each fault.
    pub fn compile(settings: Named<Path>, place: &Place<'_>, problems: &mut Problems) -> Option<Vec<Self>> {
        compiled(settings, place, problems, |mut from: Path, mut to, place, problems| {
            let together = Together::cut(&mut [&mut from, &mut to]);
            if from.steps().is_empty() {
                problems.add(place, "is moved into itself");
                return None;
            }
            if to.steps().contains(&Step::Every) {
                problems.add(place, "must lead to one member, not to every one");
                return None;
            }
            Some(Self { together, taken: [&from].into_iter().collect(), from, to })
        })
    }

    /// Moves what is there.
    pub fn apply<'t>(&'t self, value: &mut Json<'t>, room: &mut Room) {
        self.together.each(value, &mut |value| {
            if let Some(found) = Found::at(self.from.steps(), value).into_one() {
                *value = self.taken.drop(std::mem::replace(value, Json::NULL).into());
                put(self.to.steps(), value, &found, room);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::shaping::tests::{assert_shaped, faults};

    #[test]
    fn what_is_moved_is_at_its_new_place_alone() {
        assert_shaped(&[
            (r#"{"move": {"a": "x.y"}}"#, r#"{"a": 1.0, "b":2}"#, r#"{"b":2,"x":{"y":1.0}}"#),
            (r#"{"move": {"a": "x"}}"#, r#"{"b": 2}"#, r#"{"b": 2}"#),
            (r#"{"move": {"a": "x"}}"#, "5", "5"),
            (
                r#"{"move": {"i.p.a": "i.a"}}"#,
                r#"{"i":[{"p":{"a":1,"c":"x"}},{"p":{"a":2}},{"q":3},4]}"#,
                r#"{"i":[{"p":{"c":"x"},"a":1},{"p":{},"a":2},{"q":3},4]}"#,
            ),
            (r#"{"move": {"p.a": "a"}}"#, r#"[{"p":{"a":1}}]"#, r#"[{"p":{},"a":1}]"#),
            (r#"{"move": {"i.id": "ids"}}"#, r#"{"i":[{"id":1,"x":2},{"id":3}]}"#, r#"{"i":[{"x":2},{}],"ids":[1,3]}"#),
            (r#"{"move": {"data.list": "data"}}"#, r#"{"data":{"list":[1],"n":1}}"#, r#"{"data":[1]}"#),
            (r#"{"move": {"a": "b.c"}}"#, r#"{"a":1,"b":2}"#, r#"{"b":{"c":1}}"#),
            (r#"{"move": {"a": "i.a"}}"#, r#"{"a":1,"i":[{},{},3]}"#, r#"{"i":[{"a":1},{"a":1},3]}"#),
            (r#"{"move": {"l.1": "second"}}"#, r#"{"l":[1,2,3]}"#, r#"{"l":[1,3],"second":2}"#),
            (r#"{"move": {"a": "x"}}"#, r#"{"a":1,"\u0061":2}"#, r#"{"x":2}"#),
        ]);
    }

    #[test]
    fn a_faulty_move_is_refused() {
        assert_eq!(
            faults(r#"{"move": {"a": "a", "b": "b.c", "c": "d.*", "e": "f..g"}}"#),
            [
                "/move/a: is moved into itself",
                "/move/b: is moved into itself",
                "/move/c: must lead to one member, not to every one",
                "/move/e: is \"f..g\", has an empty name in it; one with dots is written as \"/a.b\"",
            ]
        );
    }
}
