//! Arrays that are made of others: one after the other, or side by side.

use super::compiled;
use super::together::Together;
use crate::json::path::{Name, Path};
use crate::json::places::{Found, Room, put};
use crate::json::tree::{Json, Key};
use crate::settings::{List, Named, Place, Problems};

/// An array that is made of others, which stay. Null is an array of nothing, and any other value one
/// of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gather {
    together: Together,
    from: From,
    to: Path,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum From {
    /// Arrays one after the other.
    Concat(Vec<Path>),
    /// Arrays side by side: objects with one element of each.
    Zip(Vec<(Name, Path)>),
}

impl Gather {
    /// Compiles `concat`; notes each fault.
    pub fn compile_concat(
        settings: Named<List<Path>>,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Option<Vec<Self>> {
        compiled(settings, place, problems, |mut to, paths, _, _| {
            let mut paths: Vec<Path> = paths.0.into_iter().collect::<Option<_>>()?;
            let together = Together::cut(&mut [&mut to].into_iter().chain(&mut paths).collect::<Vec<_>>());
            Some(Self { together, from: From::Concat(paths), to })
        })
    }

    /// Compiles `zip`; notes each fault.
    pub fn compile_zip(settings: Named<Named<Path>>, place: &Place<'_>, problems: &mut Problems) -> Option<Vec<Self>> {
        compiled(settings, place, problems, |mut to, columns, _, _| {
            let columns = columns.0.into_iter().map(|(name, path)| Some((Name::from(name.as_str()), path?)));
            let mut columns: Vec<(Name, Path)> = columns.collect::<Option<_>>()?;
            let sources = columns.iter_mut().map(|(_, path)| path);
            let together = Together::cut(&mut [&mut to].into_iter().chain(sources).collect::<Vec<_>>());
            Some(Self { together, from: From::Zip(columns), to })
        })
    }

    /// Makes the array.
    pub fn apply<'t>(&'t self, value: &mut Json<'t>, room: &mut Room) {
        self.together.each(value, &mut |value| {
            let made = match &self.from {
                From::Concat(paths) => concat(paths, value),
                From::Zip(columns) => zip(columns, value),
            };
            put(self.to.steps(), value, &Json::Array(made), room);
        });
    }
}

fn concat<'t>(paths: &[Path], value: &Json<'t>) -> Vec<Json<'t>> {
    let found = paths.iter().flat_map(|path| Found::at(path.steps(), value).values);
    found.flat_map(Json::into_elements).collect()
}

fn zip<'t>(columns: &'t [(Name, Path)], value: &Json<'t>) -> Vec<Json<'t>> {
    let mut rows: Vec<Vec<(Key<'t>, Json<'t>)>> = Vec::new();
    for (name, path) in columns {
        let found = Found::at(path.steps(), value).into_one();
        let column = found.map(Json::into_elements).unwrap_or_default();
        rows.resize_with(rows.len().max(column.len()), Vec::new);
        for (row, element) in rows.iter_mut().zip(column) {
            row.push((Key::spelled(&name.spelled), element));
        }
    }
    rows.into_iter().map(Json::Object).collect()
}

#[cfg(test)]
mod tests {
    use crate::shaping::tests::{assert_shaped, shaped};

    #[test]
    fn arrays_go_one_after_the_other() {
        assert_shaped(&[
            (r#"{"concat": {"c": ["b", "a"]}}"#, r#"{"a":[1, 2],"b":[3]}"#, r#"{"a":[1, 2],"b":[3],"c":[3,1,2]}"#),
            (
                r#"{"concat": {"c": ["a", "b", "x"]}}"#,
                r#"{"a":null,"b":{"n": 1}}"#,
                r#"{"a":null,"b":{"n": 1},"c":[{"n": 1}]}"#,
            ),
            (r#"{"concat": {"c": ["a"]}}"#, "{}", r#"{"c":[]}"#),
            (r#"{"concat": {"a": ["a", "b"]}}"#, r#"{"a":[1],"b":[2]}"#, r#"{"a":[1,2],"b":[2]}"#),
            (
                r#"{"concat": {"c": ["i.t"]}}"#,
                r#"{"i":[{"t":[1]},{"t":[2,3]}]}"#,
                r#"{"i":[{"t":[1]},{"t":[2,3]}],"c":[1,2,3]}"#,
            ),
            (
                r#"{"concat": {"i.c": ["i.a", "i.b"]}}"#,
                r#"{"i":[{"a":[1],"b":[2]},{"b":3}]}"#,
                r#"{"i":[{"a":[1],"b":[2],"c":[1,2]},{"b":3,"c":[3]}]}"#,
            ),
        ]);
    }

    #[test]
    fn arrays_go_side_by_side() {
        assert_shaped(&[
            (
                r#"{"zip": {"days": {"date": "d", "high": "t.max"}}, "drop": ["none"]}"#,
                r#"{"d":["mo","tu"],"t":{"max":[1.0,2.0,3.0]}}"#,
                r#"{"d":["mo","tu"],"t":{"max":[1.0,2.0,3.0]},"days":[{"date":"mo","high":1.0},{"date":"tu","high":2.0},{"high":3.0}]}"#,
            ),
            (r#"{"zip": {"z": {"a": "a", "b": "b"}}}"#, r#"{"a":null,"b":7}"#, r#"{"a":null,"b":7,"z":[{"b":7}]}"#),
            (
                r#"{"zip": {"z": {"n": "i.n"}}}"#,
                r#"{"i":[{"n":1},{},{"n":2}]}"#,
                r#"{"i":[{"n":1},{},{"n":2}],"z":[{"n":1},{"n":2}]}"#,
            ),
            (
                r#"{"zip": {"i.z": {"a": "i.a", "b": "i.b"}}}"#,
                r#"{"i":[{"a":[1],"b":[2]}]}"#,
                r#"{"i":[{"a":[1],"b":[2],"z":[{"a":1,"b":2}]}]}"#,
            ),
        ]);
    }

    #[test]
    fn copies_that_have_no_room_cost_nothing_more() {
        let array = |element: &str| vec![element; 50_000].join(",");
        let value = format!("{{\"i\":[{}],\"a\":[{}]}}", array("{}"), array("1"));
        for settings in [r#"{"concat": {"i.c": ["a"]}}"#, r#"{"move": {"a.*": "i.c"}}"#] {
            assert_eq!(shaped(settings, &value), Err("TooLarge".to_owned()), "of {settings}");
        }
    }
}
