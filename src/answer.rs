//! What goes back to the client.

use crate::policy::headers::HeaderEdits;

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
    },
}

/// A response made here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// 200 to 599.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Bytes of the body; the runtime leaves them out where the status or `HEAD` has none.
    pub body: Vec<u8>,
}

impl<R> Answer<R> {
    /// The status that the client sees.
    pub fn status(&self) -> u16 {
        match self {
            Self::Own(response) => response.status,
            Self::Relayed { status, .. } => *status,
        }
    }

    /// Sets header fields. None of these names may be in an answer of the gateway's own already.
    pub fn set_headers(&mut self, fields: impl IntoIterator<Item = (&'static str, String)>) {
        match self {
            Self::Own(response) => response.headers.extend(fields),
            Self::Relayed { edits, .. } => edits.set.extend(fields),
        }
    }
}
