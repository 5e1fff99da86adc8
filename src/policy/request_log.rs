//! Which requests the log has a line of.

use crate::settings::written_as_word;
use crate::trace::Trace;

/// Which requests the log has a line of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestLog {
    /// Each.
    #[default]
    All,
    /// Those that were refused or failed, or of which something is to be told.
    Troubled,
    /// None: what happens is counted elsewhere.
    None,
}

written_as_word!(RequestLog { "all" => Self::All, "troubled" => Self::Troubled, "none" => Self::None });

impl RequestLog {
    /// Whether it has one of a request that was answered with this status.
    pub fn has(self, trace: &Trace, status: u16) -> bool {
        match self {
            Self::All => true,
            Self::Troubled => status >= 400 || !trace.notes.borrow().is_empty(),
            Self::None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_well_may_be_left_out_and_so_may_all() {
        for (log, status, note, has) in [
            (RequestLog::All, 200, None, true),
            (RequestLog::Troubled, 200, None, false),
            (RequestLog::Troubled, 304, None, false),
            (RequestLog::Troubled, 404, None, true),
            (RequestLog::Troubled, 503, None, true),
            (RequestLog::Troubled, 200, Some("a part was stood in for"), true),
            (RequestLog::None, 503, Some("service s timed out"), false),
        ] {
            let trace = Trace::default();
            note.into_iter().for_each(|note| trace.note(note));
            assert_eq!(log.has(&trace, status), has, "{log:?} of {status} with {note:?}");
        }
    }
}
