//! A fault of the file: where it is, what it is, what to do.

use std::fmt;

use super::node::Node;

/// A place in the file: a chain back to the whole of it, so that going deeper costs nothing as long
/// as there is no fault to tell.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    way: Way<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Way<'p> {
    Keys(&'p [String]),
    From(&'p Place<'p>, Key<'p>),
}

/// One step into the file.
#[derive(Clone, Copy, Debug)]
pub enum Key<'p> {
    /// To the member of this name.
    Name(&'p str),
    /// To the element of this number.
    Number(usize),
}

impl<'p> From<&'p str> for Key<'p> {
    fn from(name: &'p str) -> Self {
        Self::Name(name)
    }
}

impl<'p> From<&'p String> for Key<'p> {
    fn from(name: &'p String) -> Self {
        Self::Name(name)
    }
}

impl From<usize> for Key<'_> {
    fn from(number: usize) -> Self {
        Self::Number(number)
    }
}

impl<'p> Place<'p> {
    /// The whole file.
    pub fn root() -> Self {
        Self { way: Way::Keys(&[]) }
    }

    /// The member or element `key` of what is here.
    pub fn at(&'p self, key: impl Into<Key<'p>>) -> Self {
        Self { way: Way::From(self, key.into()) }
    }

    /// The place, for later.
    pub fn to_owned(&self) -> OwnedPlace {
        OwnedPlace(self.keys())
    }

    fn keys(&self) -> Vec<String> {
        let (from, key) = match self.way {
            Way::Keys(keys) => return keys.to_vec(),
            Way::From(from, key) => (from, key),
        };
        let mut keys = from.keys();
        keys.push(match key {
            Key::Name(name) => name.to_owned(),
            Key::Number(number) => number.to_string(),
        });
        keys
    }
}

/// A place in the file that outlives the look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedPlace(Vec<String>);

impl OwnedPlace {
    /// The place again.
    pub fn as_place(&self) -> Place<'_> {
        Place { way: Way::Keys(&self.0) }
    }

    /// The names and numbers that lead to it, from the whole file.
    pub fn keys(&self) -> &[String] {
        &self.0
    }
}

/// As a JSON pointer (RFC 6901).
impl fmt::Display for OwnedPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|key| write!(formatter, "/{}", key.replace('~', "~0").replace('/', "~1")))
    }
}

/// Whether the file can be used all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It is refused.
    Error,
    /// It is used; what it says may not be what is meant.
    Warning,
}

/// One fault, or something that may be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the file can be used all the same.
    pub severity: Severity,
    /// Where in the file.
    pub place: OwnedPlace,
    /// What is wrong.
    pub message: String,
    /// What would mend it.
    pub help: Option<String>,
    /// Whether the value at the place may be a secret, and is not to be shown.
    pub is_about_secret: bool,
}

impl Problem {
    /// The same at another place, of these keys.
    pub fn below(self, first: &[&str], then: &[String]) -> Self {
        let first = first.iter().map(|key| (*key).to_owned());
        Self { place: OwnedPlace(first.chain(then.iter().cloned()).collect()), ..self }
    }

    /// The file is not JSON.
    pub fn not_json(error: &serde_json::Error) -> Self {
        Self {
            severity: Severity::Error,
            place: OwnedPlace(Vec::new()),
            message: format!("not JSON: {error}"),
            help: None,
            is_about_secret: false,
        }
    }

    /// The fault that `name` is none of `known`, with the likeliest of them.
    pub fn of_unknown<'k>(
        place: &Place<'_>,
        message: impl Into<String>,
        name: &str,
        known: impl Iterator<Item = &'k str>,
    ) -> Self {
        let known: Vec<_> = known.collect();
        let nearest = known.iter().min_by_key(|candidate| distance(name, candidate));
        let help = match nearest {
            Some(nearest) if distance(name, nearest) <= (name.len() / 3).max(1) => {
                format!("did you mean {nearest:?}?")
            }
            Some(_) => format!("there are: {}", known.join(", ")),
            None => "there are none".to_owned(),
        };
        let (severity, place, message) = (Severity::Error, place.to_owned(), message.into());
        Self { severity, place, message, help: Some(help), is_about_secret: false }
    }

    /// The way to the place as the number of the member or element at each step: by it, problems
    /// sort in the order of the file.
    fn ordinals(&self, tree: &Node) -> Vec<usize> {
        let mut node = Some(tree);
        let steps = self.place.0.iter().map(|key| {
            let (at, below) = match node {
                Some(Node::Object(members)) => {
                    let found = members.iter().enumerate().find(|(_, (name, _))| name == key);
                    found.map(|(at, (_, value))| (at, value)).unzip()
                }
                Some(Node::Array(elements)) => {
                    let found = key.parse().ok().and_then(|at: usize| Some((at, elements.get(at)?)));
                    found.unzip()
                }
                _ => (None, None),
            };
            node = below;
            at.unwrap_or_default()
        });
        steps.collect()
    }
}

impl Problem {
    /// Whether the value at its place may be shown: of a key that is not known, it may be anything.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn may_show_value(&self) -> bool {
        !self.message.starts_with(UNKNOWN_KEY) && !self.message.contains("with credentials")
    }
}

/// What is said of a key that is not known.
pub const UNKNOWN_KEY: &str = "is not known here";

/// The place as a JSON pointer (RFC 6901), unless it is the whole file; what is wrong; what to do.
impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.0.is_empty() {
            write!(formatter, "{}: ", self.place)?;
        }
        formatter.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(formatter, "; {help}"),
            None => Ok(()),
        }
    }
}

/// The faults found so far.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a fault.
    pub fn add(&mut self, place: &Place<'_>, message: impl Into<String>) {
        self.push(Severity::Error, place, message.into(), None);
    }

    /// Notes what may not be meant.
    pub fn warn(&mut self, place: &Place<'_>, message: impl Into<String>) {
        self.push(Severity::Warning, place, message.into(), None);
    }

    /// Notes a fault of a value that may be a secret, and must not be shown.
    pub fn add_about_secret(&mut self, place: &Place<'_>, message: impl Into<String>) {
        let (severity, place, message) = (Severity::Error, place.to_owned(), message.into());
        self.0.push(Problem { severity, place, message, help: None, is_about_secret: true });
    }

    /// Notes a fault, and what would mend it.
    pub fn add_with_help(&mut self, place: &Place<'_>, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Error, place, message.into(), Some(help.into()));
    }

    fn push(&mut self, severity: Severity, place: &Place<'_>, message: String, help: Option<String>) {
        self.0.push(Problem { severity, place: place.to_owned(), message, help, is_about_secret: false });
    }

    /// Notes that `name` is none of `known`, with the likeliest of them.
    pub fn add_unknown<'k>(
        &mut self,
        place: &Place<'_>,
        message: impl Into<String>,
        name: &str,
        known: impl Iterator<Item = &'k str>,
    ) {
        self.0.push(Problem::of_unknown(place, message, name, known));
    }

    /// Takes over what was noted apart.
    pub fn take_over(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Whether there is one for which the file is refused.
    pub fn refuse(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// All of them, in the order of the file.
    pub fn in_order_of(mut self, tree: &Node) -> Vec<Problem> {
        self.0.sort_by_cached_key(|problem| problem.ordinals(tree));
        self.0
    }
}

/// How many letters to add, drop or change to make one word of the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut next = vec![line + 1];
        for ((substitute, delete), other) in row.iter().zip(row.iter().skip(1)).zip(&to) {
            let insert = next.last().map_or(0, |last| last + 1);
            next.push((substitute + usize::from(letter != *other)).min(delete + 1).min(insert));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_a_distance() {
        for (from, to, expected) in
            [("", "", 0), ("auth", "auth", 0), ("atuh", "auth", 2), ("", "abc", 3), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(from, to), expected, "from {from} to {to}");
        }
    }

    #[test]
    fn a_pointer_escapes_its_keys() {
        let mut problems = Problems::default();
        problems.add(&Place::root().at("a/b~c").at(3), "is wrong");
        assert_eq!(problems.0[0].to_string(), "/a~1b~0c/3: is wrong");
    }
}
