//! Colours, where there is somebody to see them.

use std::fmt::Display;
use std::io::{self, IsTerminal};

/// Whether to write in colour.
#[derive(Clone, Copy)]
pub(super) struct Colours(bool);

impl Colours {
    /// For a standard output that is a terminal, unless the user wants none (`NO_COLOR`).
    pub(super) fn of_stdout() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(io::stdout().is_terminal() && !unwanted)
    }

    /// A text that stands out.
    pub(super) fn bold(self, text: impl Display) -> String {
        self.paint("1", text)
    }

    /// A text that tells of an error.
    pub(super) fn red(self, text: impl Display) -> String {
        self.paint("1;31", text)
    }

    /// A text that tells of a warning.
    pub(super) fn yellow(self, text: impl Display) -> String {
        self.paint("1;33", text)
    }

    /// A text that helps.
    pub(super) fn cyan(self, text: impl Display) -> String {
        self.paint("36", text)
    }

    /// A text that tells of no fault.
    pub(super) fn green(self, text: impl Display) -> String {
        self.paint("1;32", text)
    }

    fn paint(self, code: &str, text: impl Display) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}
