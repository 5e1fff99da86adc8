//! The keywords whose values are no schemas, each read by itself.

use super::decimal::{Decimal, Divisor};
use super::format::{FORMATS, Format};
use super::pattern::Pattern;
use super::read::object;
use super::{Check, Range, Side, Types, Value, Wrong};
use crate::settings::{FromNode, Node, Place, Problems, one_of, wrong_kind};

/// The keywords of one schema whose values are no schemas.
pub(super) struct Keywords<'k, 'p> {
    pub node: &'k Node,
    pub place: &'k Place<'k>,
    pub problems: &'p mut Problems,
}

impl<'k> Keywords<'k, '_> {
    fn fault(&mut self, key: &str, what: impl Into<String>) {
        self.problems.add(&self.place.at(key), what);
    }

    pub fn types(&mut self) -> Option<Types> {
        let written = self.node.member("type")?;
        let words: &[Node] = match written {
            Node::Array(words) if !words.is_empty() => words,
            one => std::slice::from_ref(one),
        };
        let find = |word: &Node| match word {
            Node::String(word) => Types::WORDS.iter().find(|(known, ..)| known == word).map(|(_, types, _)| *types),
            _ => None,
        };
        let types = words.iter().map(find).collect::<Option<Vec<_>>>();
        if types.is_none() {
            let words = one_of(&Types::WORDS.map(|(word, ..)| word));
            self.fault("type", format!("must be {words}, or an array of them"));
        }
        Some(types?.into_iter().fold(Types::default(), Types::and))
    }

    pub fn among(&mut self) -> Vec<Check> {
        let mut checks = Vec::new();
        match self.node.member("enum") {
            None => {}
            Some(Node::Array(values)) if !values.is_empty() => checks.extend(self.one_of("enum", values)),
            Some(_) => self.fault("enum", "must be an array of at least one value"),
        }
        if let Some(value) = self.node.member("const") {
            checks.extend(self.one_of("const", std::slice::from_ref(value)));
        }
        checks
    }

    fn one_of(&mut self, key: &str, values: &[Node]) -> Option<Check> {
        if values.iter().any(|value| !is_exact(value)) {
            self.fault(key, "has a number of more digits than are kept exactly");
            return None;
        }
        let mut types = Types::default();
        let mut canonical = Vec::new();
        for text in values.iter().map(Node::to_json) {
            let mut wrong = Wrong::default();
            let value = Value::read(&text, &mut wrong);
            if !wrong.is_empty() {
                self.fault(key, "has a value that no body can have");
                return None;
            }
            types = types.and(Types::of(&value));
            canonical.push(value.canonical());
        }
        canonical.sort_unstable();
        canonical.dedup();
        let said = match values {
            [one] => one.to_json(),
            _ => format!("one of {}", values.iter().map(Node::to_json).collect::<Vec<_>>().join(", ")),
        };
        Some(Check::Among { canonical, types, said: shortened(&said) })
    }

    pub fn numbers(&mut self, checks: &mut Vec<Check>) {
        for (key, side) in [
            ("minimum", Side::AtLeast),
            ("exclusiveMinimum", Side::Above),
            ("maximum", Side::AtMost),
            ("exclusiveMaximum", Side::Below),
        ] {
            checks.extend(self.number(key).map(|(bound, said)| Check::Bound { bound, side, said }));
        }
        let bound = |of: [Side; 2]| {
            checks.iter().find_map(|check| match check {
                Check::Bound { bound, side, .. } if of.contains(side) => Some(bound),
                _ => None,
            })
        };
        let (least, most) = (bound([Side::AtLeast, Side::Above]), bound([Side::AtMost, Side::Below]));
        if least.zip(most).is_some_and(|(least, most)| least > most) {
            self.problems.add(self.place, "has a minimum above its maximum");
        }
        if let Some((number, said)) = self.number("multipleOf") {
            match Divisor::of(&number) {
                Some(divisor) => checks.push(Check::MultipleOf { divisor, said }),
                None => self.fault("multipleOf", "must be above 0, and of at most 18 digits"),
            }
        }
    }

    /// A number, and how it is written.
    fn number(&mut self, key: &str) -> Option<(Decimal, String)> {
        match self.node.member(key)? {
            node @ Node::Number(number) => {
                if !is_exact(node) {
                    self.fault(key, "is a number of more digits than are kept exactly");
                    return None;
                }
                let said = number.to_string();
                Some((Decimal::of(&said), said))
            }
            other => wrong_kind(other, "a number", &self.place.at(key), self.problems),
        }
    }

    /// Bounds of a count, one of which is written.
    pub fn range(&mut self, least: &str, most: &str) -> Option<Range> {
        let mut count = |key: &str| {
            let node = self.node.member(key)?;
            u32::from_node(node, &self.place.at(key), self.problems)
        };
        let range = match (count(least), count(most)) {
            (None, None) => return None,
            (least, most) => Range { least: least.unwrap_or(0), most: most.unwrap_or(u32::MAX) },
        };
        if range.least > range.most {
            self.fault(least, format!("is above {most:?}"));
        }
        Some(range)
    }

    pub fn flag(&mut self, key: &str) -> bool {
        let node = self.node.member(key);
        node.and_then(|node| bool::from_node(node, &self.place.at(key), self.problems)).unwrap_or(false)
    }

    pub fn pattern(&mut self) -> Option<Pattern> {
        let text = self.text("pattern")?;
        match Pattern::compile(text) {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                self.fault("pattern", format!("is {text:?}, {why}"));
                None
            }
        }
    }

    pub fn format(&mut self) -> Option<Format> {
        let text = self.text("format")?;
        let format = FORMATS.into_iter().find(|format| format.name == text);
        if format.is_none() {
            let (place, known) = (self.place.at("format"), FORMATS.iter().map(|format| format.name));
            self.problems.add_unknown(&place, format!("is {text:?}, which is not checked here"), text, known);
        }
        format
    }

    fn text(&mut self, key: &str) -> Option<&'k str> {
        match self.node.member(key)? {
            Node::String(text) => Some(text),
            other => wrong_kind(other, "a string", &self.place.at(key), self.problems),
        }
    }

    pub fn names(&mut self, key: &str) -> Option<Vec<String>> {
        let node = self.node.member(key)?;
        names(node, &self.place.at(key), self.problems)
    }

    pub fn needs(&mut self) -> Option<Vec<(String, Vec<String>)>> {
        let (node, place) = (self.node.member("dependentRequired")?, self.place.at("dependentRequired"));
        let members = object(Some(node), &place, self.problems);
        Some(
            members
                .iter()
                .filter_map(|(name, node)| Some((name.clone(), names(node, &place.at(name), self.problems)?)))
                .collect(),
        )
    }
}

/// Names of members.
fn names(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let read = |name: &Node| if let Node::String(name) = name { Some(name.clone()) } else { None };
    let names = match node {
        Node::Array(names) => names.iter().map(read).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    names.or_else(|| wrong_kind(node, "an array of names", place, problems))
}

/// Whether all numbers in it are as they were written. The tree of the file has doubles where 64 bits do not do; of
/// these, fifteen digits are exact.
fn is_exact(node: &Node) -> bool {
    match node {
        Node::Number(number) => !number.is_f64() || Decimal::of(&number.to_string()).significant() <= 15,
        Node::Array(elements) => elements.iter().all(is_exact),
        Node::Object(members) => members.iter().all(|(_, value)| is_exact(value)),
        _ => true,
    }
}

/// A text of at most some 200 bytes.
fn shortened(text: &str) -> String {
    match text.char_indices().find(|(at, _)| *at >= 200) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
