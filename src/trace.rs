//! What happened to one request: the line that the log keeps of it.
//!
//! It has neither tokens nor header values, paths nor queries: the route's pattern stands for them.

use std::time::Duration;

use crate::json;

/// The notes of one request on its way.
#[derive(Debug, Default)]
pub struct Trace {
    /// The pattern of the route, once it is known.
    pub route: Option<String>,
    /// What went wrong, or was made up for, in the order in which it came to be known.
    pub notes: Vec<String>,
}

impl Trace {
    /// Keeps a note.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// The log line: one JSON object.
    pub fn line(&self, request_id: &str, method: &str, status: u16, took: Duration) -> String {
        let mut line = Vec::with_capacity(160);
        let mut member = |key: &str, text: &str| {
            line.extend_from_slice(key.as_bytes());
            json::push_string(&mut line, text);
        };
        member("{\"request_id\":", request_id);
        member(",\"method\":", method);
        if let Some(route) = &self.route {
            member(",\"route\":", route);
        }
        line.extend_from_slice(format!(",\"status\":{status},\"ms\":{}", took.as_millis()).as_bytes());
        for (at, note) in self.notes.iter().enumerate() {
            line.extend_from_slice(if at == 0 { b",\"notes\":[" } else { b"," });
            json::push_string(&mut line, note);
        }
        line.extend_from_slice(if self.notes.is_empty() { b"}" } else { b"]}" });
        String::from_utf8_lossy(&line).into_owned()
    }
}
