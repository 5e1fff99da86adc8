//! The file that a command is given, or the standard input.

use std::ffi::OsStr;
use std::io::{self, Read};

use super::Trouble;

/// A file as it was read.
pub(super) struct File {
    /// How to call it in what is said of it.
    pub(super) name: String,
    /// What is in it.
    pub(super) text: String,
}

impl File {
    /// The file that is read where none is named.
    pub(super) const USUAL: &'static str = "routes.json";

    /// Reads the file of this name; `-` is the standard input.
    pub(super) fn read(name: &OsStr) -> Result<Self, Trouble> {
        let (name, text) = if name == "-" {
            let mut text = String::new();
            ("stdin".to_owned(), io::stdin().read_to_string(&mut text).map(|_| text))
        } else {
            (name.to_string_lossy().into_owned(), std::fs::read_to_string(name))
        };
        match text {
            Ok(text) => Ok(Self { name, text }),
            Err(error) => Err(Trouble::File(format!("{name} cannot be read: {error}"))),
        }
    }
}
