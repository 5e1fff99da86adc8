//! What happened to one request: the line that the log keeps of it.
//!
//! It has neither tokens nor header values, paths nor queries: the route's pattern stands for them.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

/// The notes of one request on its way.
#[derive(Debug, Default)]
pub struct Trace {
    /// The pattern of the route, once it is known.
    pub route: Option<Arc<str>>,
    /// Where the route stands in the file.
    pub place: Option<Arc<str>>,
    /// The gateway that the file says the route is of.
    pub gateway: Option<Arc<str>>,
    /// What went wrong, or was made up for, in the order in which it came to be known.
    pub notes: RefCell<Vec<String>>,
}

impl Trace {
    /// Keeps a note.
    pub fn note(&self, note: impl Into<String>) {
        self.notes.borrow_mut().push(note.into());
    }

    /// The log line: one JSON object.
    pub fn line(&self, request_id: &str, method: &str, status: u16, took: Duration) -> String {
        let line = Line {
            request_id,
            method,
            gateway: self.gateway.as_deref(),
            route: self.route.as_deref(),
            at: self.place.as_deref(),
            status,
            ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            notes: &self.notes.borrow(),
        };
        // Writing texts and numbers has no way to fail.
        serde_json::to_string(&line).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Line<'l> {
    request_id: &'l str,
    method: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'l str>,
    status: u16,
    ms: u64,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'l [String],
}
