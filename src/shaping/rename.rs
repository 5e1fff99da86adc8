//! Other names for members, which stay where they are.
//!
//! The names of one object change at once, so that two can be swapped; those deeper down change
//! first, so that each path is one of the value before. A member that had a new name already gives
//! way.

use super::compiled;
use crate::json::path::{Name, Path, Step};
use crate::json::places::change;
use crate::json::tree::{Json, Key};
use crate::settings::{Named, Place, Problems};

/// Renames, deepest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renames(Vec<Renamed>);

/// The renames of the members of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Renamed {
    /// Where the object is.
    of: Vec<Step>,
    /// Old names and new.
    names: Vec<(String, Name)>,
}

impl Renames {
    /// Compiles them; notes each fault.
    pub fn compile(settings: Named<String>, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let written = compiled(settings, place, problems, |path: Path, to, place, problems| {
            let Some((Step::Name(Name { text, index: None, .. }), of)) = path.steps().split_last() else {
                problems.add(place, "must lead to a member with a name of its own");
                return None;
            };
            Some((of.to_vec(), text.clone(), Name::from(to.as_str())))
        })?;
        let mut all: Vec<Renamed> = Vec::new();
        for (of, from, to) in written {
            match all.iter_mut().find(|renamed| renamed.of == of) {
                None => all.push(Renamed { of, names: vec![(from, to)] }),
                Some(renamed) if renamed.names.iter().any(|(_, other)| *other == to) => {
                    problems.add(place, "gives two members of one object the same name");
                    return None;
                }
                Some(renamed) => renamed.names.push((from, to)),
            }
        }
        all.sort_by_key(|renamed| std::cmp::Reverse(renamed.of.len()));
        Some(Self(all))
    }

    /// Gives the members their new names.
    pub fn apply<'t>(&'t self, value: &mut Json<'t>) {
        self.0.iter().for_each(|renamed| change(&renamed.of, value, &mut |value| renamed.apply(value)));
    }
}

impl Renamed {
    fn apply<'t>(&'t self, value: &mut Json<'t>) {
        value.open();
        match value {
            Json::Raw(_) => {}
            Json::Array(elements) => elements.iter_mut().for_each(|element| self.apply(element)),
            Json::Object(members) => {
                // What has its new name, and whether it got it just now.
                let mut given: Vec<&Name> = Vec::new();
                let mut is_renamed = Vec::with_capacity(members.len());
                for (key, _) in members.iter_mut() {
                    let name = self.names.iter().find(|(from, _)| key.is(from)).map(|(_, to)| to);
                    is_renamed.push(name.is_some());
                    if let Some(to) = name {
                        *key = Key::spelled(&to.spelled);
                        if !given.contains(&to) {
                            given.push(to);
                        }
                    }
                }
                let mut is_renamed = is_renamed.into_iter();
                members
                    .retain(|(key, _)| is_renamed.next() == Some(true) || !given.iter().any(|name| key.is(&name.text)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::shaping::tests::{assert_shaped, faults};

    #[test]
    fn members_get_other_names_in_place() {
        assert_shaped(&[
            (r#"{"rename": {"a": "x"}}"#, r#"{"b":1, "a": 2.0,"c":3}"#, r#"{"b":1,"x":2.0,"c":3}"#),
            (
                r#"{"rename": {"i.a": "x"}}"#,
                r#"{"i":[{"a":1},[{"a":2}],{"b":3},4]}"#,
                r#"{"i":[{"x":1},[{"x":2}],{"b":3},4]}"#,
            ),
            (r#"{"rename": {"*.a": "x"}}"#, r#"{"p":{"a":1},"q":{"a":2}}"#, r#"{"p":{"x":1},"q":{"x":2}}"#),
            (r#"{"rename": {"a": "b", "b": "a"}}"#, r#"{"a":1,"b":2}"#, r#"{"b":1,"a":2}"#),
            (r#"{"rename": {"a": "b"}}"#, r#"{"a":1,"b":2}"#, r#"{"b":1}"#),
            (r#"{"rename": {"a": "a"}}"#, r#"{"a":1}"#, r#"{"a":1}"#),
            (r#"{"rename": {"a": "p", "a.b": "q"}}"#, r#"{"a":{"b":1}}"#, r#"{"p":{"q":1}}"#),
            (r#"{"rename": {"a": "\"x.y"}}"#, r#"{"a":1,"\u0061":2}"#, r#"{"\"x.y":1,"\"x.y":2}"#),
            (r#"{"rename": {"a": "x"}}"#, "[ 1 ]", "[1]"),
        ]);
    }

    #[test]
    fn a_faulty_rename_is_refused() {
        assert_eq!(
            faults(r#"{"rename": {"a.*": "x", "a.0": "x", "b": "", "c..d": "x"}}"#),
            [
                "/rename/a.*: must lead to a member with a name of its own",
                "/rename/a.0: must lead to a member with a name of its own",
                "/rename/b: is empty",
                "/rename/c..d: has an empty name in it; one with dots is written as \"/a.b\"",
            ]
        );
        let same = r#"{"rename": {"a": "x", "b": "x", "i.a": "x"}}"#;
        assert_eq!(faults(same), ["/rename: gives two members of one object the same name"]);
    }
}
