//! Values of one array put into the elements of another, by a key that both have.
//!
//! What is looked up is numbered once by its keys, so that a join takes one look an element. Keys are
//! equal as texts: `"7"` is 7.

use crate::json::Numbers;
use crate::json::path::{Name, Path, Step};
use crate::json::places::{Found, Room, change, put};
use crate::json::tree::Json;
use crate::settings::{Place, Problems, shape};

shape! {
    /// Values of one array put into the elements of another, by a key that both have.
    pub struct JoinSettings {
        /// Where the array is whose elements get something.
        "into" => into: Path = "orders",
        /// Where the array of objects is in which they are looked up. It stays; a "drop" in a
        /// later step, of "shape", removes it.
        "with" => with: Path = "users",
        /// Where an element of "into" has the key. An array of keys is looked up key by key, and what is
        /// found is an array too. Keys are equal as texts: "7" is 7.
        "by" => by: Path = "user_id",
        /// Where an object of "with" has its key.
        "match" => matching: Path = "id",
        /// The name under which an element gets what is found. Where nothing is found, it gets none.
        "as" => name: String = "user",
        /// Whether all that match are put there, as an array that may be empty. Default false: the first
        /// that matches.
        "many" => many: Option<bool> = false,
    }
}

/// A compiled join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    into: Path,
    with: Path,
    by: Path,
    matching: Path,
    /// The one step to what is found.
    name: [Step; 1],
    is_many: bool,
}

impl Join {
    /// Compiles a join; notes each fault.
    pub fn compile(settings: JoinSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let by = settings.by?;
        if by.steps().is_empty() {
            problems.add(&place.at("by"), "is empty; an element that is a key itself can get nothing");
            return None;
        }
        Some(Self {
            into: settings.into?,
            with: settings.with?,
            by,
            matching: settings.matching?,
            name: [Step::Name(Name::from(settings.name?.as_str()))],
            is_many: settings.many?.unwrap_or_default(),
        })
    }

    /// Puts what is found into the elements.
    pub fn apply<'t>(&'t self, value: &mut Json<'t>, room: &mut Room) {
        let with = Found::at(self.with.steps(), value).values;
        let with = Lookup::new(with.into_iter().flat_map(Json::into_elements).collect(), &self.matching);
        change(self.into.steps(), value, &mut |value| self.fill(value, &with, room));
    }

    fn fill<'t>(&'t self, value: &mut Json<'t>, with: &Lookup<'t>, room: &mut Room) {
        if value.is_array() {
            value.open();
        }
        if let Json::Array(elements) = value {
            return elements.iter_mut().for_each(|element| self.fill(element, with, room));
        }
        if !value.is_object() {
            return;
        }
        let by = Found::at(self.by.steps(), value);
        let is_list = by.is_each || by.values.iter().any(Json::is_array);
        let mut found = Vec::new();
        for key in by.values.into_iter().flat_map(Json::into_elements).filter_map(|key| key.comparable()) {
            let most = if self.is_many { usize::MAX } else { 1 };
            // Where there is no more room, there is no need to go through the rest.
            let all = with.all(&key).take(most).take_while(|(_, weight)| room.takes(*weight));
            found.extend(all.map(|(element, _)| element.clone()));
        }
        let found = if is_list || self.is_many { Some(Json::Array(found)) } else { found.pop() };
        if let Some(found) = found {
            put(&self.name, value, &found, room);
        }
    }
}

/// The elements of an array, to be found by their keys.
struct Lookup<'t> {
    /// Each with its weight.
    elements: Vec<(Json<'t>, usize)>,
    keys: Numbers<'t>,
    /// For each key, which elements have it.
    with_key: Vec<Vec<usize>>,
}

impl<'t> Lookup<'t> {
    fn new(elements: Vec<Json<'t>>, matching: &Path) -> Self {
        let mut keys = Numbers::default();
        let mut with_key: Vec<Vec<usize>> = Vec::new();
        for (at, element) in elements.iter().enumerate() {
            let found = Found::at(matching.steps(), element).values.into_iter().flat_map(Json::into_elements);
            for key in found.filter_map(|key| key.comparable()) {
                let key = keys.of(key);
                with_key.resize_with(keys.count(), Vec::new);
                with_key.get_mut(key).into_iter().for_each(|all| all.push(at));
            }
        }
        let elements = elements
            .into_iter()
            .map(|element| {
                let weight = element.weight();
                (element, weight)
            })
            .collect();
        Self { elements, keys, with_key }
    }

    /// All that have a key, in their order.
    fn all<'l>(&'l self, key: &str) -> impl Iterator<Item = &'l (Json<'t>, usize)> + use<'l, 't> {
        let all = self.keys.find(key).and_then(|key| self.with_key.get(key));
        all.into_iter().flatten().filter_map(|at| self.elements.get(*at))
    }
}

#[cfg(test)]
mod tests {
    use crate::shaping::tests::{assert_shaped, faults, shaped};

    #[test]
    fn elements_get_what_has_their_key() {
        let one = r#"{"join": [{"into": "o", "with": "u", "by": "u", "match": "id", "as": "user"}], "drop": ["none"]}"#;
        let many = r#"{"join": [{"into": "o", "with": "u", "by": "u", "match": "id", "as": "user", "many": true}]}"#;
        assert_shaped(&[
            (
                one,
                r#"{"o":[{"u":7},{"u":"8"},{"u":9},{},4],"u":[{"id":"7","n":1.0},{"id":8},{"id":7}]}"#,
                r#"{"o":[{"u":7,"user":{"id":"7","n":1.0}},{"u":"8","user":{"id":8}},{"u":9},{},4],"u":[{"id":"7","n":1.0},{"id":8},{"id":7}]}"#,
            ),
            (
                many,
                r#"{"o":[{"u":7},{"u":9}],"u":[{"id":7,"n":1},{"id":8},{"id":7}]}"#,
                r#"{"o":[{"u":7,"user":[{"id":7,"n":1},{"id":7}]},{"u":9,"user":[]}],"u":[{"id":7,"n":1},{"id":8},{"id":7}]}"#,
            ),
            (
                one,
                r#"{"o":[{"u":[2,3,1]},{"u":[]}],"u":[{"id":1},{"id":2}]}"#,
                r#"{"o":[{"u":[2,3,1],"user":[{"id":2},{"id":1}]},{"u":[],"user":[]}],"u":[{"id":1},{"id":2}]}"#,
            ),
            (one, r#"{"o":[{"u":null}],"u":[{"id":null}]}"#, r#"{"o":[{"u":null}],"u":[{"id":null}]}"#),
            (one, r#"{"o":{"u":1},"u":{"id":1}}"#, r#"{"o":{"u":1,"user":{"id":1}},"u":{"id":1}}"#),
            (one, r#"{"o":[{"u":1,"user":0}],"u":[{"id":1}]}"#, r#"{"o":[{"u":1,"user":{"id":1}}],"u":[{"id":1}]}"#),
            (
                r#"{"join": [{"into": "o.i", "with": "p.*", "by": "sku", "match": "codes", "as": "p"}]}"#,
                r#"{"o":[{"i":[{"sku":"a"}]},{"i":[{"sku":"b"}]}],"p":{"x":{"codes":["a","b"]}}}"#,
                r#"{"o":[{"i":[{"sku":"a","p":{"codes":["a","b"]}}]},{"i":[{"sku":"b","p":{"codes":["a","b"]}}]}],"p":{"x":{"codes":["a","b"]}}}"#,
            ),
        ]);
    }

    #[test]
    fn a_join_takes_one_look_an_element_and_has_an_end() {
        let join = |many| {
            format!(r#"{{"join": [{{"into": "o", "with": "u", "by": "k", "match": "k", "as": "u", "many": {many}}}]}}"#)
        };
        let array = |element: &dyn Fn(usize) -> String| (0..20_000).map(element).collect::<Vec<_>>().join(",");
        let own = array(&|at| format!("{{\"k\":{at}}}"));
        assert!(shaped(&join(false), &format!("{{\"o\":[{own}],\"u\":[{own}]}}")).is_ok());
        let same = array(&|_| "{\"k\":1}".to_owned());
        assert_eq!(shaped(&join(true), &format!("{{\"o\":[{same}],\"u\":[{same}]}}")), Err("TooLarge".to_owned()));
    }

    #[test]
    fn a_faulty_join_is_refused() {
        assert_eq!(
            faults(r#"{"join": [{"into": "o", "with": "u", "by": "", "match": "id", "as": "user"}, {"many": 1}]}"#),
            [
                "/join/0/by: is empty; an element that is a key itself can get nothing",
                "/join/1: lacks \"into\"",
                "/join/1: lacks \"with\"",
                "/join/1: lacks \"by\"",
                "/join/1: lacks \"match\"",
                "/join/1: lacks \"as\"",
                "/join/1/many: is 1, must be true or false",
            ]
        );
    }
}
