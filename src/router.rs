//! Which route a path and a method belong to.

use std::collections::HashMap;

use matchit::InsertError;

use crate::path::NormalPath;

/// The routes of a gateway, by path and then by method. `T` is what a route is.
#[derive(Debug)]
pub struct Router<T> {
    /// The patterns without a catch-all, and those with one: `matchit` takes a name and a rest at one
    /// place for a conflict; here the name goes first.
    named: matchit::Router<usize>,
    rests: matchit::Router<usize>,
    /// For each pattern with a catch-all, the path before it: a rest may be empty.
    empty_rests: matchit::Router<usize>,
    by_pattern: HashMap<String, usize>,
    leaves: Vec<Leaf<T>>,
}

/// What a pattern leads to.
#[derive(Debug)]
struct Leaf<T> {
    pattern: String,
    entries: Vec<Entry<T>>,
}

#[derive(Debug)]
struct Entry<T> {
    methods: Methods,
    route: T,
}

/// The methods that a route answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// Every method.
    Any,
    /// These, in the order of the file, in upper case. `GET` answers `HEAD` too.
    Only(Vec<String>),
}

/// What a path pattern captured, in the normal form of [`crate::path`].
#[derive(Debug, Default)]
pub struct Params<'p>(Vec<(&'p str, &'p str)>);

/// What the router found.
#[derive(Debug)]
pub enum Found<'r, 'p, T> {
    /// The one route, and what its path captured.
    Route(&'r T, Params<'p>),
    /// The path is there, the method is not; the value of `Allow`.
    OtherMethods(String),
    /// No route has this path.
    Nothing,
}

/// Why a route cannot be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unroutable {
    /// The pattern is not one, with the reason.
    Malformed(String),
    /// Requests could belong to this pattern and to the named one alike.
    Pattern(String),
    /// The same path already has a route for this method.
    Method(String),
}

impl<T> Default for Router<T> {
    fn default() -> Self {
        Self {
            named: matchit::Router::new(),
            rests: matchit::Router::new(),
            empty_rests: matchit::Router::new(),
            by_pattern: HashMap::new(),
            leaves: Vec::new(),
        }
    }
}

impl<T> Router<T> {
    /// Adds a route for the path `pattern` (`/a/{b}/{*rest}`) and its methods.
    pub fn insert(&mut self, pattern: &str, methods: Methods, route: T) -> Result<(), Unroutable> {
        check_pattern(pattern).map_err(Unroutable::Malformed)?;
        let at = match self.by_pattern.get(pattern) {
            Some(at) => *at,
            None => {
                let at = self.leaves.len();
                let before_rest = pattern.split_once("{*").map(|(before, _)| before);
                let tree = if before_rest.is_some() { &mut self.rests } else { &mut self.named };
                tree.insert(pattern, at).map_err(|error| match error {
                    InsertError::Conflict { with } => Unroutable::Pattern(with),
                    other => Unroutable::Malformed(other.to_string()),
                })?;
                if let Some(before) = before_rest {
                    // What conflicts here conflicted above.
                    let _ = self.empty_rests.insert(before, at);
                }
                self.by_pattern.insert(pattern.to_owned(), at);
                self.leaves.push(Leaf { pattern: pattern.to_owned(), entries: Vec::new() });
                at
            }
        };
        let Some(Leaf { entries, .. }) = self.leaves.get_mut(at) else { return Ok(()) };
        if let Some(taken) = entries.iter().find_map(|other| methods.overlap(&other.methods)) {
            return Err(Unroutable::Method(taken));
        }
        entries.push(Entry { methods, route });
        Ok(())
    }

    /// The route for a path and method.
    pub fn find<'r, 'p>(&'r self, path: &'p NormalPath, method: &str) -> Found<'r, 'p, T>
    where
        'r: 'p,
    {
        let Some((entries, params)) = self.find_path(path.as_str()) else {
            return Found::Nothing;
        };
        // A route of its own for HEAD goes before the GET that would answer it too.
        let named = entries.iter().find(|entry| entry.methods.names(method));
        match named.or_else(|| entries.iter().find(|entry| entry.methods.answers(method))) {
            Some(entry) => Found::Route(&entry.route, Params(params.iter().collect())),
            None => Found::OtherMethods(allow(entries.iter().map(|entry| &entry.methods))),
        }
    }

    /// The pattern that a path belongs to.
    ///
    /// Many servers read `/admin/` as `/admin`. A path with a slash at its end therefore belongs to
    /// the pattern that it belongs to without, or to one that has such an end itself (`/admin/`,
    /// `/admin/{*rest}`), but never to a wider one, which may be guarded less.
    fn find_path<'r, 'p>(&'r self, path: &'p str) -> Option<(&'r [Entry<T>], matchit::Params<'r, 'p>)> {
        let exact = self.most_specific(path);
        let Some(bare) = path.strip_suffix('/') else {
            return exact.map(|(leaf, params)| (leaf.entries.as_slice(), params));
        };
        let (leaf, params) = match exact {
            Some((leaf, params)) if leaf.pattern.ends_with('/') => (leaf, params),
            exact => match self.empty_rests.at(path) {
                Ok(root) => (self.leaves.get(*root.value)?, root.params),
                Err(_) => {
                    let (without, _) = self.most_specific(bare)?;
                    exact.filter(|(leaf, _)| std::ptr::eq(*leaf, without))?
                }
            },
        };
        Some((&leaf.entries, params))
    }

    /// The pattern that says most of a path: at the first place where two differ, fixed text goes
    /// before a name, and a name before a rest.
    fn most_specific<'r, 'p>(&'r self, path: &'p str) -> Option<(&'r Leaf<T>, matchit::Params<'r, 'p>)> {
        let find = |tree: &'r matchit::Router<usize>| {
            let matched = tree.at(path).ok()?;
            Some((self.leaves.get(*matched.value)?, matched.params))
        };
        match (find(&self.named), find(&self.rests)) {
            (Some(named), Some(rest)) => {
                let order = specificity(&named.0.pattern).cmp(specificity(&rest.0.pattern));
                Some(if order.is_ge() { named } else { rest })
            }
            (named, rest) => named.or(rest),
        }
    }
}

/// How much each segment of a pattern says, to be compared from the first.
fn specificity(pattern: &str) -> impl Iterator<Item = u8> {
    pattern.split('/').map(|segment| match segment.find('{') {
        None => 3,
        Some(_) if segment.starts_with("{*") => 0,
        Some(0) if segment.ends_with('}') => 1,
        Some(_) => 2,
    })
}

impl<'p> Params<'p> {
    /// What `{name}` or `{*name}` captured.
    pub fn get(&self, name: &str) -> Option<&'p str> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    /// Parameters from names and values, for tests of what uses them.
    #[cfg(test)]
    pub fn from_pairs(pairs: &[(&'p str, &'p str)]) -> Self {
        Self(pairs.to_vec())
    }
}

impl Methods {
    /// Whether the method is named, not just covered.
    fn names(&self, method: &str) -> bool {
        matches!(self, Self::Only(methods) if methods.iter().any(|named| named == method))
    }

    fn answers(&self, method: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(methods) => {
                methods.iter().any(|answered| answered == method || (answered == "GET" && method == "HEAD"))
            }
        }
    }

    /// A method that both answer.
    fn overlap(&self, other: &Self) -> Option<String> {
        match (self, other) {
            (Self::Any, Self::Any) => Some("every method".to_owned()),
            (Self::Any, Self::Only(methods)) | (Self::Only(methods), Self::Any) => methods.first().cloned(),
            (Self::Only(mine), Self::Only(theirs)) => mine.iter().find(|method| theirs.contains(method)).cloned(),
        }
    }
}

/// The value of `Allow` (RFC 9110, section 10.2.1).
fn allow<'m>(methods: impl Iterator<Item = &'m Methods>) -> String {
    let mut names = Vec::new();
    for methods in methods {
        if let Methods::Only(methods) = methods {
            for method in methods {
                names.push(method.as_str());
                if method == "GET" {
                    names.push("HEAD");
                }
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

/// The names that a pattern captures.
pub fn captures(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('{').skip(1).filter_map(|piece| piece.split_once('}')).map(|(name, _)| name.trim_start_matches('*'))
}

/// A pattern's fixed text must be in normal form, or no request could ever reach it; and free of
/// the characters that a client may spell in two ways that no server is bound to read alike.
fn check_pattern(pattern: &str) -> Result<(), String> {
    let mut sample = String::new();
    let mut fixed = String::new();
    let mut rest = pattern;
    while let Some((before, inner)) = rest.split_once('{') {
        let (name, after) = inner.split_once('}').ok_or("has a brace without its partner")?;
        if name.starts_with('*') && !after.is_empty() {
            return Err(format!("has {{{name}}} before its end; a rest comes last"));
        }
        if name.starts_with('*') && !before.ends_with('/') {
            return Err(format!("has {{{name}}} after other text; a rest begins after a slash"));
        }
        if after.split('/').next().is_some_and(|segment| segment.contains('{')) {
            return Err("has two names in one segment; one is allowed".to_owned());
        }
        let bare = name.strip_prefix('*').unwrap_or(name);
        if bare.is_empty() || !bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!("captures {{{name}}}; a name is of letters, digits and _"));
        }
        sample.push_str(before);
        sample.push('x');
        fixed.push_str(before);
        rest = after;
    }
    sample.push_str(rest);
    fixed.push_str(rest);
    let names: Vec<_> = captures(pattern).collect();
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|n| n == *name)) {
        return Err(format!("captures {{{}}} twice", twice.1));
    }
    NormalPath::check_written(&sample)?;
    no_other_syntax(&sample, "{*rest}")?;
    match ["&", "=", "+", "%26", "%3D", "%2B", "%3B"].iter().find(|text| fixed.contains(**text)) {
        Some(text) => Err(format!("has {text} in its fixed text, which servers read in two ways")),
        None => Ok(()),
    }
}

/// Other routers write `/*` and `/:name` for what is `/{*rest}` and `/{name}` here. Taken for text,
/// such a pattern would guard nothing. `sample` has a letter in the place of each value; `rest` is
/// how the catch-all is written in this place.
pub fn no_other_syntax(sample: &str, rest: &str) -> Result<(), String> {
    if sample.contains('*') {
        return Err(format!("has a * outside braces; write {rest}"));
    }
    match sample.split("/:").nth(1).and_then(|after| after.split('/').next()) {
        Some(name) => Err(format!("has \":{name}\"; write {{{name}}}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
