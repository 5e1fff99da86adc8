//! What becomes of calls while what decides over them cannot be asked.

use crate::settings::written_as_word;

/// What becomes of calls while what decides over them cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenDown {
    /// They go through, unchecked.
    Open,
    /// They are refused with 503.
    Closed,
}

written_as_word!(WhenDown { "open" => Self::Open, "closed" => Self::Closed });
