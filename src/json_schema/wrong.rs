//! What is wrong with a value.

use crate::settings::{OwnedPlace, Place};

/// The most that is told of one request.
pub const MOST_TOLD: usize = crate::refusal::fault::MOST_FAULTS;

/// What is wrong, each with its place in the value; the first [`MOST_TOLD`].
#[derive(Debug, Default)]
pub struct Wrong(Vec<(OwnedPlace, String)>);

impl Wrong {
    /// Notes something; completes "the value at this place …".
    pub fn add(&mut self, place: &Place<'_>, what: impl Into<String>) {
        if !self.is_full() {
            self.0.push((place.to_owned(), what.into()));
        }
    }

    /// Whether no more is told.
    pub fn is_full(&self) -> bool {
        self.0.len() >= MOST_TOLD
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of it.
    pub fn into_told(self) -> Vec<(OwnedPlace, String)> {
        self.0
    }
}
