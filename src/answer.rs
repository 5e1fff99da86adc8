//! What goes back to the client.

use crate::head::Headers;
use crate::policy::field_edits::FieldEdits;
use crate::policy::headers::{Field, HeaderEdits};
use crate::template::Values;

/// The answer to one request. `R` is a service's reply as the runtime holds it, its body unread.
#[derive(Debug)]
pub enum Answer<R> {
    /// Made here.
    Own(Response),
    /// A service's, handed on with these edits.
    Relayed {
        /// The reply.
        reply: R,
        /// Its status, for the log.
        status: u16,
        /// What changes in its header fields.
        edits: HeaderEdits,
        /// What the service said that the call cost, if it was listened to.
        cost: Option<String>,
    },
    /// On its way already: written piece by piece, or [handed on at once](crate::platform::AtOnce).
    OnItsWay {
        /// Its status, for the log.
        status: u16,
    },
}

/// A response made here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// 200 to 599.
    pub status: u16,
    /// Each name once, except for fields that may stand several times.
    pub headers: Vec<Field>,
    /// Bytes of the body; the runtime leaves them out where the status or `HEAD` has none.
    pub body: Vec<u8>,
}

impl<R> Answer<R> {
    /// The status that the client sees.
    pub fn status(&self) -> u16 {
        match self {
            Self::Own(response) => response.status,
            Self::Relayed { status, .. } | Self::OnItsWay { status } => *status,
        }
    }

    /// What the service that gave it said that the call cost, if it was listened to.
    pub fn cost(&self) -> Option<&str> {
        match self {
            Self::Relayed { cost, .. } => cost.as_deref(),
            Self::Own(_) | Self::OnItsWay { .. } => None,
        }
    }

    /// Makes more changes to its header fields, if they are not written yet.
    pub fn edit(&mut self, more: HeaderEdits) {
        match self {
            Self::Own(response) => response.edit(more),
            Self::Relayed { edits, .. } => edits.then(more),
            Self::OnItsWay { .. } => {}
        }
    }
}

impl Response {
    /// A response without a body.
    pub fn empty(status: u16, headers: Vec<Field>) -> Self {
        Self { status, headers, body: Vec::new() }
    }

    /// The same with the file's changes to its header fields.
    pub fn edited(mut self, edits: &FieldEdits, values: &Values<'_>) -> Self {
        if edits.is_empty() {
            return self;
        }
        let lines: String = self.headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let mut changes = HeaderEdits::default();
        edits.apply(values, &Headers::from_text(lines), &mut changes);
        self.edit(changes);
        self
    }

    /// Makes changes to its header fields.
    pub fn edit(&mut self, edits: HeaderEdits) {
        self.headers.retain(|(name, _)| {
            !edits.remove.iter().any(|other| other == name) && !edits.set.iter().any(|(other, _)| other == name)
        });
        self.headers.extend(edits.set);
        self.headers.extend(edits.append);
        for (name, value) in edits.add {
            if !self.headers.iter().any(|(other, _)| *other == name) {
                self.headers.push((name, value));
            }
        }
    }
}
