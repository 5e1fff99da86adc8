//! What is wrong with a request, piece by piece: an element of `errors` in a problem document.

use std::fmt;

use serde::Serialize;

use crate::path::push_encoded_value;
use crate::settings::OwnedPlace;

/// The most faults that are told of one request.
pub const MOST_FAULTS: usize = 20;

/// The longest pointer that is told, in bytes: keys are the client's, and come as long as it likes.
const MOST_POINTER: usize = 200;

/// What is wrong with a request, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// In the body: a JSON Pointer as a fragment (RFC 6901, section 6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Outside of it: the name of a parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// What has the parameter: `path`, `query` or `header`.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    pub of: Option<&'static str>,
    /// What is wrong.
    pub detail: String,
}

impl Fault {
    /// Of the body.
    pub fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, of: None, detail: detail.into() }
    }

    /// At a place in the body or, where the way there is too long to be told, around it.
    pub fn at_place(place: &OwnedPlace, detail: impl Into<String>) -> Self {
        let mut pointer = "#".to_owned();
        for key in place.keys().iter().take_while(|key| key.len() <= MOST_POINTER) {
            let below = at(&pointer, key);
            if below.len() > MOST_POINTER {
                break;
            }
            pointer = below;
        }
        Self::at(pointer, detail)
    }

    /// Of a parameter.
    pub fn of_parameter(of: &'static str, name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(name.into()), of: Some(of), detail: detail.into() }
    }
}

/// For people: `query page must be an integer`.
impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = [self.of, self.parameter.as_deref(), self.pointer.as_deref()];
        places.iter().flatten().try_for_each(|place| write!(formatter, "{place} "))?;
        formatter.write_str(&self.detail)
    }
}

/// The first [`MOST_FAULTS`] faults of a body.
#[derive(Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Notes one.
    pub fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        if self.0.len() < MOST_FAULTS {
            self.0.push(Fault::at(pointer, detail));
        }
    }

    /// This one and no other.
    pub fn only(mut self, pointer: &str, detail: String) -> Vec<Fault> {
        self.add(pointer, detail);
        self.0
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them.
    pub fn into_all(self) -> Vec<Fault> {
        self.0
    }
}

/// The place of a member.
pub fn at(place: &str, key: &str) -> String {
    let mut pointer = format!("{place}/");
    push_encoded_value(&mut pointer, key.replace('~', "~0").replace('/', "~1").as_bytes());
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Place;

    #[test]
    fn a_pointer_has_an_end() {
        let (root, long) = (Place::root(), "x".repeat(1 << 20));
        let (a, far) = (root.at("a/ü"), "y".repeat(190));
        for (place, pointer) in [
            (a.at(3).to_owned(), "#/a~1%C3%BC/3"),
            (a.at(&long).at(3).to_owned(), "#/a~1%C3%BC"),
            (a.at(&far).to_owned(), "#/a~1%C3%BC"),
        ] {
            assert_eq!(Fault::at_place(&place, "").pointer.as_deref(), Some(pointer));
        }
    }
}
