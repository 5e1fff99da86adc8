//! Regular expressions on the texts of clients.

use regex_lite::{Regex, RegexBuilder};

/// A regular expression that may match anywhere in a text, and what a match costs.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    /// How much work each byte of a text is.
    weight: usize,
}

/// How much memory a compiled expression may take, in bytes. Time goes with it: a text is gone through once, by all
/// states of the expression at the same time.
const SIZES: [usize; 4] = [1 << 10, 1 << 12, 1 << 14, 1 << 16];

impl Pattern {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What completes "is PATTERN, …".
    pub fn compile(pattern: &str) -> Result<Self, String> {
        Regex::new(pattern).map_err(|error| format!("which cannot be checked here: {error}"))?;
        let fits = |size: &usize| {
            let regex = RegexBuilder::new(pattern).size_limit(*size).build().ok()?;
            Some(Self { regex, weight: size / 512 })
        };
        SIZES.iter().find_map(fits).ok_or_else(|| "which would take too long on long texts".to_owned())
    }

    /// The expression.
    pub fn as_str(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether it matches somewhere.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// How much work it is to find out.
    pub fn work(&self, text: &str) -> usize {
        text.len().saturating_mul(self.weight)
    }
}
