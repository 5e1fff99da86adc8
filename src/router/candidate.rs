//! A route that may take a request: how it fits, what its patterns captured.

use super::conditions::Condition;
use super::methods::Rank;
use super::patterns::{Captured, by_specificity};
use super::{Entry, Found, Matcher};

/// A route whose host and path a request has.
#[derive(Debug)]
pub struct Candidate<'r, 'p, T> {
    /// The route.
    pub route: &'r T,
    /// Whether it takes the request.
    pub fit: Fit<'r>,
    pub(super) entry: &'r Entry,
    pub(super) host: Captured<'p>,
    pub(super) path: Captured<'p>,
}

/// Whether a route takes a request whose host and path it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit<'r> {
    /// It does.
    Taken,
    /// It does not have the method.
    OtherMethod,
    /// This condition does not hold.
    Unmet(&'r Condition),
}

/// What host and path captured; of the path in the normal form of [`crate::path`].
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Params<'p>(Vec<(&'p str, &'p str)>);

impl<'r: 'p, 'p, T> Candidate<'r, 'p, T> {
    /// Whether its route has a method.
    pub fn has_method(&self, method: &str) -> bool {
        self.matcher().methods.rank(method) != Rank::Other
    }

    /// What takes the request to it.
    pub fn matcher(&self) -> &'r Matcher {
        &self.entry.matcher
    }

    /// The first row of the table by which it goes before another one.
    pub fn goes_before_by(&self, other: &Self, method: &str) -> &'static str {
        let (mine, theirs) = (self.matcher(), other.matcher());
        let host = |matcher: &Matcher| matcher.host.as_ref().map(|host| host.as_path().to_owned());
        if host(mine) != host(theirs) {
            return "host";
        }
        if by_specificity(&mine.pattern, &theirs.pattern).is_ne() || mine.is_prefix != theirs.is_prefix {
            return "path";
        }
        if mine.methods.rank(method) != theirs.methods.rank(method) {
            return "method";
        }
        let weights = mine.conditions.weight().into_iter().zip(theirs.conditions.weight());
        let rows = weights.zip(["header", "query", "cookie"]);
        rows.filter(|((mine, theirs), _)| mine != theirs).map(|(_, row)| row).next().unwrap_or("file")
    }

    /// Whether its pattern has a slash at its end, or a rest that is empty.
    pub(super) fn has_slash_at_end(&self) -> bool {
        self.entry.matcher.pattern.ends_with('/') || self.path.len() < self.entry.path_names.len()
    }

    /// As what the router found.
    pub(super) fn found(self) -> Found<'r, 'p, T> {
        let Entry { host_names, path_names, .. } = self.entry;
        let mut params = Vec::with_capacity(host_names.len() + path_names.len());
        for (names, values) in [(host_names, self.host), (path_names, self.path)] {
            // The value that may be missing is that of a rest.
            let of_name = |at: usize| values.get(at).copied().unwrap_or_default();
            params.extend(names.iter().enumerate().map(|(at, name)| (name.as_str(), of_name(at))));
        }
        Found::Route(self.route, Params(params))
    }
}

impl<'p> Params<'p> {
    /// What `{name}` or `{*name}` captured.
    pub fn get(&self, name: &str) -> Option<&'p str> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    /// All names and what they captured.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().copied()
    }

    /// Parameters from names and values, for tests of what uses them.
    #[cfg(test)]
    pub fn from_pairs(pairs: &[(&'p str, &'p str)]) -> Self {
        Self(pairs.to_vec())
    }
}
