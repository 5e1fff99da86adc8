//! A fault of the file: where it is, what it is, what to do.

use std::fmt;

/// A place in the file, as a JSON pointer (RFC 6901): `/routes/3/auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// The whole file.
    pub fn root() -> Self {
        Self(String::new())
    }

    /// The member `key` of the object here, or the element of that number in the array here.
    pub fn at(&self, key: impl fmt::Display) -> Self {
        let key = key.to_string().replace('~', "~0").replace('/', "~1");
        Self(format!("{}/{key}", self.0))
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    place: Place,
    message: String,
    help: Option<String>,
}

impl Problem {
    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self { place: Place::root(), message: format!("not JSON: {error}"), help: None }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.0.is_empty() {
            write!(formatter, "{}: ", self.place.0)?;
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
    pub fn add(&mut self, place: &Place, message: impl Into<String>) {
        self.0.push(Problem { place: place.clone(), message: message.into(), help: None });
    }

    /// Notes a fault, and what would mend it.
    pub fn add_with_help(&mut self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        self.0.push(Problem { place: place.clone(), message: message.into(), help: Some(help.into()) });
    }

    /// Notes that `name` is none of `known`, with the likeliest of them.
    pub fn add_unknown<'k>(
        &mut self,
        place: &Place,
        message: impl Into<String>,
        name: &str,
        known: impl Iterator<Item = &'k str>,
    ) {
        let known: Vec<_> = known.collect();
        let nearest = known.iter().min_by_key(|candidate| distance(name, candidate));
        let help = match nearest {
            Some(nearest) if distance(name, nearest) < (2 + name.len() / 4).min(name.len()) => {
                format!("did you mean {nearest:?}?")
            }
            Some(_) => format!("there are: {}", known.join(", ")),
            None => "there are none".to_owned(),
        };
        self.add_with_help(place, message, help);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_vec(self) -> Vec<Problem> {
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
        assert_eq!(Place::root().at("a/b~c").at(3).0, "/a~1b~0c/3");
    }
}
