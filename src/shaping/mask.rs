//! Which places of a value are meant, of several paths at once: what is picked, or dropped.
//!
//! Several paths can lead on from one value (`*.id` and `users.name`), so a value is looked at with
//! all of the masks that lead on from there.

use std::borrow::Cow;

use json_scan::{Spans, Walk};
use smallvec::{SmallVec, smallvec};

use crate::json::path::{Path, Step};
use crate::json::tree::{Json, Key};

/// The places that paths lead to, as a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mask {
    /// Whether the whole value is meant.
    is_whole: bool,
    /// What is meant below a name, sorted by its length and then by itself: most names differ in that already.
    names: Vec<(String, Mask)>,
    /// The [`hint`]s of all of them.
    hints: u64,
    /// What is meant below every member and element.
    every: Option<Box<Mask>>,
    /// Whether a name is the number of an element.
    has_numbers: bool,
    /// Whether a name is none, and is looked for in every element.
    has_words: bool,
}

impl<'p> FromIterator<&'p Path> for Mask {
    fn from_iter<I: IntoIterator<Item = &'p Path>>(paths: I) -> Self {
        let mut mask = Self::default();
        paths.into_iter().for_each(|path| mask.add(path.steps()));
        mask
    }
}

impl Mask {
    fn add(&mut self, steps: &[Step]) {
        let Some((step, below)) = steps.split_first() else {
            self.is_whole = true;
            return;
        };
        match step {
            Step::Every => self.every.get_or_insert_default().add(below),
            Step::Name(name) => {
                self.has_numbers |= name.index.is_some();
                self.has_words |= name.index.is_none();
                let at = self.position(&name.text).unwrap_or_else(|at| {
                    self.names.insert(at, (name.text.clone(), Self::default()));
                    self.hints |= hint(&name.text);
                    at
                });
                if let Some((_, mask)) = self.names.get_mut(at) {
                    mask.add(below);
                }
            }
        }
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.names.binary_search_by(|(other, _)| other.len().cmp(&name.len()).then_with(|| other.as_str().cmp(name)))
    }

    /// What is meant below a name.
    pub fn below(&self, name: &str) -> Option<&Self> {
        if self.hints & hint(name) == 0 {
            return None;
        }
        self.position(name).ok().and_then(|at| self.names.get(at)).map(|(_, mask)| mask)
    }

    /// Whether nothing is meant.
    pub fn is_empty(&self) -> bool {
        !self.is_whole && self.names.is_empty() && self.every.is_none()
    }

    /// The value with nothing but these places, in its own order. An element of an array keeps its
    /// place: of an object that has none of them `{}` is left, of what is neither object nor array
    /// null. Only a number in a path leaves the other elements out.
    pub fn pick<'t>(&self, value: Source<'t>) -> Json<'t> {
        if self.is_whole {
            return value.json();
        }
        let (value, has_below) = value.sifted(&Looks::from(self), true);
        if has_below { value } else { Json::NULL }
    }

    /// The value without these places.
    pub fn drop<'t>(&self, value: Source<'t>) -> Json<'t> {
        value.sifted(&Looks::from(self), false).0
    }
}

/// A bit for a name: what has another one is another name.
fn hint(name: &str) -> u64 {
    let first = name.bytes().next().unwrap_or_default();
    1 << ((8 * name.len() + usize::from(first)) % 64)
}

/// A value as it is at hand.
#[derive(Clone, Debug)]
pub enum Source<'t> {
    /// One that may be opened.
    Opened(Json<'t>),
    /// A text, gone over when it was checked.
    Scanned(&'t Spans<'t>),
}

impl<'t> Source<'t> {
    /// The value.
    pub fn json(self) -> Json<'t> {
        match self {
            Self::Opened(value) => value,
            Self::Scanned(spans) => Json::Raw(spans.walk().take()),
        }
    }

    /// About how many bytes it has.
    pub fn size(&self) -> usize {
        match self {
            Self::Opened(value) => value.size(),
            Self::Scanned(spans) => spans.text().len(),
        }
    }

    /// What is left of it.
    fn sifted(self, looks: &Looks<'_>, is_pick: bool) -> (Json<'t>, bool) {
        match self {
            Self::Opened(value) => looks.sift(Unsifted::Opened(value), is_pick),
            Self::Scanned(spans) => looks.sift(Unsifted::Next(&mut spans.walk()), is_pick),
        }
    }
}

impl<'t> From<Json<'t>> for Source<'t> {
    fn from(value: Json<'t>) -> Self {
        Self::Opened(value)
    }
}

/// What of a value is meant.
enum Meant<'m> {
    Nothing,
    /// All of it.
    Whole,
    /// What is below it, by these masks.
    Below(Looks<'m>),
}

/// The masks with which a value is looked at that is not meant as a whole.
struct Looks<'m>(SmallVec<[Look<'m>; 2]>);

#[derive(Clone, Copy)]
struct Look<'m> {
    mask: &'m Mask,
    /// Whether it is an element that is looked at for the sake of its array: the numbers and the `*`
    /// of the mask were for the array.
    is_of_array: bool,
}

impl<'m> From<&'m Mask> for Looks<'m> {
    fn from(mask: &'m Mask) -> Self {
        Self(smallvec![Look { mask, is_of_array: false }])
    }
}

impl<'m> Meant<'m> {
    /// What a mask means is meant too.
    fn add(&mut self, mask: Option<&'m Mask>) {
        match (mask, &self) {
            (None, _) | (_, Self::Whole) => {}
            (Some(mask), _) if mask.is_whole => *self = Self::Whole,
            (Some(mask), _) => self.look(Look { mask, is_of_array: false }),
        }
    }

    /// It is looked at with one mask more.
    fn look(&mut self, look: Look<'m>) {
        match self {
            Self::Whole => {}
            Self::Nothing => *self = Self::Below(Looks(smallvec![look])),
            Self::Below(looks) => looks.0.push(look),
        }
    }
}

impl<'m> Looks<'m> {
    /// Keeps (`is_pick`) or removes what is meant below a value that is not meant as a whole. Tells
    /// whether there is a below.
    fn sift<'t>(&self, value: Unsifted<'t, '_, '_>, is_pick: bool) -> (Json<'t>, bool) {
        let sifted = match value {
            Unsifted::Opened(Json::Raw(text)) => {
                let spans = if text.starts_with(['[', '{']) { Spans::of(text, u32::MAX) } else { None };
                return match spans {
                    Some((spans, _)) => self.sift(Unsifted::Next(&mut spans.walk()), is_pick),
                    None => (Json::Raw(text), false),
                };
            }
            Unsifted::Opened(Json::Object(members)) => {
                let kept = members.into_iter().filter_map(|(key, value)| {
                    Some((key, self.member(&key.name(), Unsifted::Opened(value), is_pick)?))
                });
                Json::Object(kept.collect())
            }
            Unsifted::Opened(Json::Array(values)) => {
                let mut elements = Elements::of(self);
                let kept = values.into_iter().filter_map(|value| elements.next(Unsifted::Opened(value), is_pick));
                Json::Array(kept.collect())
            }
            Unsifted::Next(walk) => match walk.enter() {
                None => return (Json::Raw(walk.take()), false),
                Some(entered) if entered.bracket == b'{' => {
                    let mut kept = Vec::new();
                    while walk.is_in(entered) {
                        let (spelled, name) = walk.key();
                        let key = Key::spelled(spelled);
                        let name = name.map_or_else(|| key.name(), Cow::Borrowed);
                        let value = self.member(&name, Unsifted::Next(walk), is_pick);
                        kept.extend(value.map(|value| (key, value)));
                    }
                    Json::Object(kept)
                }
                Some(entered) => {
                    let (mut elements, mut kept) = (Elements::of(self), Vec::new());
                    while walk.is_in(entered) {
                        kept.extend(elements.next(Unsifted::Next(walk), is_pick));
                    }
                    Json::Array(kept)
                }
            },
        };
        (sifted, true)
    }

    /// What is left of the member of a name.
    fn member<'t>(&self, name: &str, value: Unsifted<'t, '_, '_>, is_pick: bool) -> Option<Json<'t>> {
        match self.below(name) {
            Meant::Nothing => value.if_kept(!is_pick),
            Meant::Whole => value.if_kept(is_pick),
            Meant::Below(looks) => {
                let (value, has_below) = looks.sift(value, is_pick);
                (has_below || !is_pick).then_some(value)
            }
        }
    }

    fn below(&self, name: &str) -> Meant<'m> {
        let mut below = Meant::Nothing;
        for look in &self.0 {
            // In a mask of an array, numbers were for the array.
            let is_for_array = look.is_of_array && look.mask.has_numbers && is_number(name);
            below.add(look.mask.below(name).filter(|_| !is_for_array));
            below.add(look.mask.every.as_deref().filter(|_| !look.is_of_array));
        }
        below
    }

    fn below_element(&self, at: Option<usize>) -> Meant<'m> {
        let mut below = Meant::Nothing;
        for look in &self.0 {
            if look.mask.has_words {
                below.look(Look { mask: look.mask, is_of_array: true });
            }
            if !look.is_of_array {
                below.add(at.and_then(|at| look.mask.below(&at.to_string())));
                below.add(look.mask.every.as_deref());
            }
        }
        below
    }
}

/// A value that was not sifted yet.
enum Unsifted<'t, 'w, 's> {
    /// One that may be opened.
    Opened(Json<'t>),
    /// The next one of a walk.
    Next(&'w mut Walk<'t, 's>),
}

impl<'t> Unsifted<'t, '_, '_> {
    /// The whole value, if it is kept.
    fn if_kept(self, is_kept: bool) -> Option<Json<'t>> {
        match self {
            Self::Opened(value) => is_kept.then_some(value),
            Self::Next(walk) => {
                let text = walk.take();
                is_kept.then_some(Json::Raw(text))
            }
        }
    }
}

/// The elements of an array, one after the other.
struct Elements<'l, 'm> {
    looks: &'l Looks<'m>,
    /// What of an element is meant; by its number, if that counts.
    below: Meant<'m>,
    has_numbers: bool,
    at: usize,
}

impl<'l, 'm> Elements<'l, 'm> {
    fn of(looks: &'l Looks<'m>) -> Self {
        let has_numbers = looks.0.iter().any(|look| look.mask.has_numbers && !look.is_of_array);
        Self { looks, below: looks.below_element(None), has_numbers, at: 0 }
    }

    /// What is left of the next one.
    fn next<'t>(&mut self, value: Unsifted<'t, '_, '_>, is_pick: bool) -> Option<Json<'t>> {
        if self.has_numbers {
            self.below = self.looks.below_element(Some(self.at));
            self.at += 1;
        }
        match &self.below {
            Meant::Nothing => value.if_kept(!is_pick),
            Meant::Whole => value.if_kept(is_pick),
            Meant::Below(looks) => {
                let (value, has_below) = looks.sift(value, is_pick);
                Some(if has_below || !is_pick { value } else { Json::NULL })
            }
        }
    }
}

fn is_number(name: &str) -> bool {
    crate::json::path::Name::from(name).index.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Text;

    fn mask(paths: &str) -> Mask {
        let paths: Vec<_> = paths.split_whitespace().map(|path| Path::read(path).unwrap()).collect();
        paths.iter().collect()
    }

    #[test]
    fn what_is_picked_is_kept_and_what_is_dropped_is_not() {
        for (paths, value, picked, dropped) in [
            ("a", r#"{"b":1, "a": 2.0 ,"c":3}"#, r#"{"a":2.0}"#, r#"{"b":1,"c":3}"#),
            ("b a", r#"{"a":1,"c":2,"b":[ 3 ]}"#, r#"{"a":1,"b":[ 3 ]}"#, r#"{"c":2}"#),
            ("a.b", r#"{"a":{"b":1,"c":2},"d":3}"#, r#"{"a":{"b":1}}"#, r#"{"a":{"c":2},"d":3}"#),
            ("a.b", r#"{"a":{"c":2}}"#, r#"{"a":{}}"#, r#"{"a":{"c":2}}"#),
            ("a.b", r#"{"a":5,"d":3}"#, "{}", r#"{"a":5,"d":3}"#),
            ("a a.b", r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"b":1,"c":2}}"#, "{}"),
            ("id", r#"[{"id":1,"x":2},{"x":3},4,null]"#, r#"[{"id":1},{},null,null]"#, r#"[{"x":2},{"x":3},4,null]"#),
            ("i.a i.b", r#"{"i":[{"b":1,"a":2,"c":3}]}"#, r#"{"i":[{"b":1,"a":2}]}"#, r#"{"i":[{"c":3}]}"#),
            ("i.a", r#"{"i":[[{"a":1,"c":2}],[]]}"#, r#"{"i":[[{"a":1}],[]]}"#, r#"{"i":[[{"c":2}],[]]}"#),
            ("i.1", r#"{"i":[1,2,3]}"#, r#"{"i":[2]}"#, r#"{"i":[1,3]}"#),
            ("i.0 i.1", r#"{"i":[1,2,3]}"#, r#"{"i":[1,2]}"#, r#"{"i":[3]}"#),
            ("0.a b", r#"[{"a":1,"b":2},{"a":3,"b":4}]"#, r#"[{"a":1,"b":2},{"b":4}]"#, r#"[{},{"a":3}]"#),
            ("0 x", r#"[{"0":1},{"0":2,"x":3}]"#, r#"[{"0":1},{"x":3}]"#, r#"[{"0":2}]"#),
            ("0", r#"{"0":1,"1":2}"#, r#"{"0":1}"#, r#"{"1":2}"#),
            (
                "*.a u.b",
                r#"{"u":{"a":1,"b":2,"c":3},"v":{"b":4}}"#,
                r#"{"u":{"a":1,"b":2},"v":{}}"#,
                r#"{"u":{"c":3},"v":{"b":4}}"#,
            ),
            ("i.*", r#"{"i":[1,[2]],"j":3}"#, r#"{"i":[1,[2]]}"#, r#"{"i":[],"j":3}"#),
            ("a", r#"{"a":1,"\u0061":2,"b":3}"#, r#"{"a":1,"\u0061":2}"#, r#"{"b":3}"#),
            ("/a.b//", r#"{"a.b":{"":{"":1}},"c":2}"#, r#"{"a.b":{"":{"":1}}}"#, r#"{"a.b":{"":{}},"c":2}"#),
            ("a", "5", "null", "5"),
        ] {
            let mask = mask(paths);
            let text = |value: Json<'_>| String::from_utf8(value.to_text()).unwrap();
            let (spans, _) = Spans::of(value, 100).unwrap();
            for source in [Json::Raw(value).into(), Json::Raw(value).opened().into(), Source::Scanned(&spans)] {
                assert_eq!(text(mask.pick(source.clone())), picked, "picked of {source:?} by {paths}");
                assert_eq!(text(mask.drop(source.clone())), dropped, "dropped of {source:?} by {paths}");
            }
        }
    }
}
