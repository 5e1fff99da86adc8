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
    no_other_syntax(&fixed, "{*rest}")?;
    match ["&", "=", "+", "%26", "%3D", "%2B", "%3B"].iter().find(|text| fixed.contains(**text)) {
        Some(text) => Err(format!("has {text} in its fixed text, which servers read in two ways")),
        None => Ok(()),
    }
}

/// Other routers write `/*` and `/:name` for what is `/{*rest}` and `/{name}` here. Taken for text,
/// such a pattern would guard nothing.
/// `rest` is how the catch-all is written in this place.
pub fn no_other_syntax(fixed: &str, rest: &str) -> Result<(), String> {
    if fixed.contains('*') {
        return Err(format!("has a * outside braces; write {rest}"));
    }
    match fixed.split("/:").nth(1).and_then(|after| after.split('/').next()) {
        Some(name) => Err(format!("has \":{name}\"; write {{{name}}}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(methods: &[&str]) -> Methods {
        Methods::Only(methods.iter().map(|method| (*method).to_owned()).collect())
    }

    fn sample() -> Router<&'static str> {
        let mut router = Router::default();
        for (pattern, methods, name) in [
            ("/", only(&["GET"]), "home"),
            ("/orders", Methods::Any, "orders"),
            ("/orders/{id}", only(&["GET", "PATCH"]), "order"),
            ("/orders/{id}", only(&["DELETE"]), "delete"),
            ("/orders/new", only(&["GET"]), "new"),
            ("/files/{*rest}", Methods::Any, "files"),
            ("/own-head", only(&["GET"]), "get"),
            ("/own-head", only(&["HEAD"]), "head"),
            ("/with/", only(&["GET"]), "with"),
        ] {
            router.insert(pattern, methods, name).unwrap();
        }
        router
    }

    #[test]
    fn a_path_and_a_method_belong_to_one_route() {
        let router = sample();
        let table = [
            ("GET", "/", "home"),
            ("HEAD", "/", "home"),
            ("POST", "/", "allow GET, HEAD"),
            ("BREW", "/orders", "orders"),
            ("GET", "/orders/7", "order id=7"),
            ("HEAD", "/orders/7", "order id=7"),
            ("DELETE", "/orders/7", "delete id=7"),
            ("get", "/orders/7", "allow DELETE, GET, HEAD, PATCH"),
            ("GET", "/orders/new", "new"),
            ("GET", "/orders/a%20b", "order id=a%20b"),
            ("GET", "/orders/", "nothing"),
            ("GET", "/orders/7/items", "nothing"),
            ("GET", "/Orders", "nothing"),
            ("GET", "/files/a/b", "files rest=a/b"),
            ("GET", "/files/", "files"),
            ("GET", "/files", "nothing"),
            ("GET", "/files/a/", "files rest=a/"),
            ("HEAD", "/own-head", "head"),
            ("GET", "/own-head", "get"),
            ("GET", "/with/", "with"),
        ];
        for (method, path, expected) in table {
            let path = NormalPath::parse(path).unwrap();
            let found = match router.find(&path, method) {
                Found::Route(name, params) => {
                    params.0.iter().fold((*name).to_owned(), |text, (key, value)| format!("{text} {key}={value}"))
                }
                Found::OtherMethods(allow) => format!("allow {allow}"),
                Found::Nothing => "nothing".to_owned(),
            };
            assert_eq!(found, expected, "of {method} {path}");
        }
    }

    #[test]
    fn fixed_text_goes_before_a_name_and_a_name_before_a_rest() {
        let mut router = Router::default();
        for pattern in [
            "/{a}/{b}",
            "/admin/{*rest}",
            "/admin/users/{id}",
            "/admin/users/{id}/{*rest}",
            "/{*rest}",
            "/{x}",
            "/{file}.png",
            "/orders/{id}",
            "/orders/{*rest}",
        ] {
            router.insert(pattern, Methods::Any, pattern).unwrap();
        }
        for (path, expected) in [
            ("/admin", "/{x}"),
            ("/admin/x", "/admin/{*rest}"),
            ("/admin/users", "/admin/{*rest}"),
            ("/admin/users/7", "/admin/users/{id}"),
            ("/admin/users/7/x/y", "/admin/users/{id}/{*rest}"),
            ("/other/x", "/{a}/{b}"),
            ("/other/x/y", "/{*rest}"),
            ("/logo.png", "/{file}.png"),
            ("/logo.jpg", "/{x}"),
            ("/orders/7", "/orders/{id}"),
            ("/orders/7/items", "/orders/{*rest}"),
            ("/orders/", "/orders/{*rest}"),
        ] {
            let path = NormalPath::parse(path).unwrap();
            let found = match router.find(&path, "GET") {
                Found::Route(pattern, _) => Some(*pattern),
                _ => None,
            };
            assert_eq!(found, Some(expected), "of {path}");
        }
    }

    #[test]
    fn a_slash_at_the_end_leads_to_no_wider_route() {
        let mut router = Router::default();
        for pattern in ["/admin", "/admin/{*rest}", "/users/me", "/users/{id}", "/t/{a}/{*rest}", "/t/{a}", "/{*rest}"]
        {
            router.insert(pattern, Methods::Any, pattern).unwrap();
        }
        for (path, expected) in [
            ("/admin", Some("/admin")),
            ("/admin/", Some("/admin/{*rest}")),
            ("/admin/x/", Some("/admin/{*rest}")),
            ("/users/me", Some("/users/me")),
            ("/users/me/", None),
            ("/users/7/", None),
            ("/users/", Some("/{*rest}")),
            ("/t/1/", Some("/t/{a}/{*rest}")),
            ("/other/", Some("/{*rest}")),
            ("/", Some("/{*rest}")),
        ] {
            let path = NormalPath::parse(path).unwrap();
            let found = match router.find(&path, "GET") {
                Found::Route(pattern, _) => Some(*pattern),
                _ => None,
            };
            assert_eq!(found, expected, "of {path}");
        }
    }

    #[test]
    fn routes_that_cannot_be_told_apart_are_refused() {
        let table = [
            ("/orders/{id}", only(&["PATCH"]), Unroutable::Method("PATCH".into())),
            ("/orders/{id}", Methods::Any, Unroutable::Method("GET".into())),
            ("/orders", Methods::Any, Unroutable::Method("every method".into())),
            ("/orders/{other}", only(&["GET"]), Unroutable::Pattern("/orders/{id}".into())),
            ("/files/{*all}", Methods::Any, Unroutable::Pattern("/files/{*rest}".into())),
        ];
        for (pattern, methods, expected) in table {
            assert_eq!(sample().insert(pattern, methods, "again"), Err(expected), "of {pattern}");
        }
    }

    #[test]
    fn a_pattern_that_nothing_reaches_is_refused() {
        for pattern in [
            "",
            "orders",
            "/a//b",
            "/a/../b",
            "/%61",
            "/a b",
            "/ä",
            "/a%2Fb",
            "/{a}/{a}",
            "/{",
            "/{}",
            "/{a b}",
            "/v=1",
            "/a;b",
            "/a%2Bb",
            "/{*rest}/more",
            "/a/*",
            "/a/:id",
            "/:id/x",
            "/a/{**b}",
        ] {
            let refused = Router::default().insert(pattern, Methods::Any, ());
            assert!(matches!(refused, Err(Unroutable::Malformed(_))), "of {pattern:?}: {refused:?}");
        }
    }

    /// Whether a pattern takes a path, by the definition and not by a tree.
    fn takes(pattern: &str, path: &str) -> bool {
        let (mut segments, mut rest) = (path.split('/'), pattern.split('/'));
        loop {
            match (rest.next(), segments.next()) {
                (None, None) => return true,
                (Some(wanted), Some(_)) if wanted.starts_with("{*") => return true,
                (Some(wanted), Some(segment)) if wanted == segment => {}
                (Some(wanted), Some(segment)) if wanted.starts_with('{') && !segment.is_empty() => {}
                _ => return false,
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn the_trees_agree_with_the_definition(
            patterns in proptest::collection::vec("(/(a|b|\\{x\\})){1,3}(/\\{\\*r\\})?", 1..8),
            path in "(/(a|b|c)){1,4}",
        ) {
            let mut router = Router::default();
            let mut known: Vec<String> = Vec::new();
            for pattern in patterns {
                if router.insert(&pattern, Methods::Any, pattern.clone()).is_ok() {
                    known.push(pattern);
                }
            }
            let takers = known.iter().filter(|pattern| takes(pattern, &path));
            let expected = takers.max_by(|one, other| specificity(one).cmp(specificity(other)));
            let path = NormalPath::parse(&path).unwrap();
            let found = match router.find(&path, "GET") {
                Found::Route(pattern, _) => Some(pattern),
                _ => None,
            };
            proptest::prop_assert_eq!(found, expected);
        }
    }
}
