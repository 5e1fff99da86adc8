//! The slash at the end of a path.

use crate::settings::written_as_word;

/// What happens to a path that would belong to a route but for a slash at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlashAtEnd {
    /// It does not belong to it.
    #[default]
    Strict,
    /// The client is sent to the path of the route.
    Redirect,
    /// It is taken for the path of the route.
    Ignore,
}

written_as_word!(SlashAtEnd { "strict" => Self::Strict, "redirect" => Self::Redirect, "ignore" => Self::Ignore });
