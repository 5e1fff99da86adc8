//! Which route a request belongs to.
//!
//! A route takes a request if all that it says holds: host, path, method, header, query, cookie. Of
//! several that do, one goes first, by the first row in which they differ (after the Kubernetes
//! Gateway API, `HTTPRouteRule`):
//!
//! | | goes first | before |
//! | --- | --- | --- |
//! | 1. host | `api.example.com` | `{tenant}.example.com`, then `*.example.com`, then no host; from the last label on |
//! | 2. path | fixed text | text around a name (the longer first), then `{name}`, then `{*rest}`; from the first segment on; a path before a prefix that is the same |
//! | 3. method | a named one | `GET` for a `HEAD`, then every method |
//! | 4. header | more conditions | fewer |
//! | 5. query | more conditions | fewer |
//! | 6. cookie | more conditions | fewer |
//! | 7. file | the earlier route | the later |

mod candidate;
mod conditions;
mod host;
mod methods;
mod overlap;
mod pattern;
mod patterns;
mod slash;

use std::cmp::Reverse;
use std::ops::ControlFlow;

use crate::head::Head;
use crate::path::NormalPath;
pub use candidate::{Candidate, Fit, Params};
pub use conditions::{Condition, Conditions, Kind, ValueTest};
pub use host::{HostPath, HostPattern, host_of, is_label};
use methods::allow;
pub use methods::{Methods, Rank};
pub use overlap::Overlap;
pub use pattern::{captures, check_pattern, no_other_syntax};
use patterns::{Captured, Patterns, by_specificity};
pub use slash::SlashAtEnd;

/// The routes of a gateway. `T` is what a route is.
#[derive(Debug)]
pub struct Router<T> {
    /// By host, then by path.
    hosts: Patterns<Patterns<Vec<Entry>>>,
    /// Of routes that name no host, by path.
    any_host: Patterns<Vec<Entry>>,
    routes: Vec<T>,
    /// Whether every route is strict about a slash at the end.
    is_strict: bool,
    /// Whether a route has conditions on header fields.
    is_by_fields: bool,
    /// Whether a pattern takes a path with a slash at its end for more than one without.
    has_slash_ends: bool,
}

/// What a request must be like to belong to a route.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// `None` is every host.
    pub host: Option<HostPattern>,
    /// The path pattern, `/a/{b}/{*rest}`.
    pub pattern: String,
    /// Whether the pattern is a prefix, of which the route has all below too: one that names the very path
    /// goes before it.
    pub is_prefix: bool,
    /// The methods.
    pub methods: Methods,
    /// What else must hold.
    pub conditions: Conditions,
    /// What of a path that differs by a slash at its end.
    pub slash: SlashAtEnd,
}

/// A route's way into the router: one for each of its hosts and paths.
#[derive(Debug)]
struct Entry {
    matcher: Matcher,
    /// The names that host and path capture, in the order in which [`Patterns`] gives their values.
    host_names: Vec<String>,
    path_names: Vec<String>,
    /// The route in `routes`; later ones come later in the file.
    route: usize,
}

/// A request, as the router looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'p> {
    /// The host.
    pub host: &'p HostPath,
    /// The path.
    pub path: &'p NormalPath,
    /// Method, header fields and query.
    pub head: &'p Head,
}

/// What the router found.
#[derive(Debug)]
pub enum Found<'r, 'p, T> {
    /// The one route, and what its host and path captured.
    Route(&'r T, Params<'p>),
    /// The request is to be taken for one of this path.
    SamePath(NormalPath),
    /// The client is to ask for this path.
    OtherPath(NormalPath),
    /// The path is there, the method is not; the value of `Allow`.
    OtherMethods(String),
    /// No route takes the request.
    Nothing,
}

impl<T> Default for Router<T> {
    fn default() -> Self {
        Self {
            hosts: Patterns::default(),
            any_host: Patterns::default(),
            routes: Vec::new(),
            is_strict: true,
            is_by_fields: false,
            has_slash_ends: false,
        }
    }
}

impl<T> Router<T> {
    /// Adds a route; gives its number, by which [`Self::overlaps`] calls it.
    ///
    /// # Errors
    /// Completes "is PATTERN, which …".
    pub fn insert(&mut self, matcher: Matcher, route: T) -> Result<usize, String> {
        check_pattern(&matcher.pattern)?;
        let number = self.routes.len();
        let host_names: Vec<String> = matcher.host.iter().flat_map(HostPattern::captures).map(str::to_owned).collect();
        let path_names: Vec<String> = captures(&matcher.pattern).map(str::to_owned).collect();
        if let Some(name) = path_names.iter().find(|name| host_names.contains(name)) {
            return Err(format!("captures {{{name}}}, as the host does"));
        }
        let paths = match &matcher.host {
            Some(host) => self.hosts.entry(host.as_path())?,
            None => &mut self.any_host,
        };
        let entries = paths.entry(&matcher.pattern)?;
        self.is_strict &= matcher.slash == SlashAtEnd::Strict;
        self.is_by_fields |= matcher.conditions.iter().any(|condition| condition.field().is_some());
        self.has_slash_ends |= matcher.pattern.ends_with('/') || matcher.pattern.contains("{*");
        let entry = Entry { matcher, host_names, path_names, route: number };
        let at = entries.partition_point(|other| other.precedence() < entry.precedence());
        entries.insert(at, entry);
        self.routes.push(route);
        Ok(number)
    }

    /// Lets go of the memory that is needed for more routes alone, where it is deployed. [`Self::routes`] then has none.
    pub fn settle(&mut self) {
        let shrink = |entries: &mut Vec<Entry>| {
            entries.shrink_to_fit();
            for names in entries.iter_mut().flat_map(|entry| [&mut entry.host_names, &mut entry.path_names]) {
                names.shrink_to_fit();
            }
        };
        let each = |paths: &mut Patterns<Vec<Entry>>| paths.settle(shrink);
        self.hosts.settle(each);
        each(&mut self.any_host);
        self.routes.shrink_to_fit();
    }

    /// The route of a request.
    pub fn find<'r: 'p, 'p>(&'r self, asked: Asked<'p>) -> Found<'r, 'p, T> {
        let path = asked.path.as_str();
        let taken = self.first(asked, path);
        let has_slash = path.len() > 1 && path.ends_with('/');
        let other = match &taken {
            Some(taken) if taken.has_slash_at_end() || (self.is_strict && !has_slash) => None,
            None if self.is_strict => None,
            // A route for the path with a slash at its end is then the one that is there without.
            _ if !has_slash && !self.has_slash_ends => None,
            _ => asked.path.with_other_end(),
        };
        let Some(other) = other else {
            return taken.map_or_else(|| self.nobody(asked), Candidate::found);
        };
        let near = self.first(asked, other.as_str()).map(|near| (near.entry, near.has_slash_at_end()));
        match (taken, near) {
            // Many servers read `/admin/` as `/admin`. A path with a slash at its end therefore belongs
            // to the route that it belongs to without, or to one whose pattern has such an end itself
            // (`/admin/`, `/admin/{*rest}`), but never to a wider one, which may be guarded less.
            (Some(taken), Some((near, _))) if has_slash && std::ptr::eq(taken.entry, near) => taken.found(),
            (taken, Some((near, ends_in_slash)))
                if has_slash || (ends_in_slash && near.says_more_than(taken.as_ref())) =>
            {
                match near.matcher.slash {
                    SlashAtEnd::Redirect => Found::OtherPath(other),
                    SlashAtEnd::Ignore => Found::SamePath(other),
                    SlashAtEnd::Strict => {
                        taken.filter(|_| !has_slash).map_or_else(|| self.nobody(asked), Candidate::found)
                    }
                }
            }
            (Some(taken), _) if !has_slash => taken.found(),
            _ => self.nobody(asked),
        }
    }

    /// Whether any route names a host.
    pub fn names_hosts(&self) -> bool {
        !self.hosts.is_empty()
    }

    /// Whether every route is strict about a slash at the end.
    pub fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// The header fields by which a request came to its route and not to another one, for `Vary` (RFC 9110,
    /// section 12.5.5).
    pub fn fields_that_decided(&self, asked: Asked<'_>) -> Vec<&str> {
        let mut fields = Vec::new();
        if !self.is_by_fields {
            return fields;
        }
        // By name, each once.
        let mut add = |field| {
            if let Err(at) = fields.binary_search(&field) {
                fields.insert(at, field);
            }
        };
        self.candidates(asked, |candidate| match candidate.fit {
            Fit::Taken => {
                candidate.matcher().conditions.iter().filter_map(Condition::field).for_each(&mut add);
                ControlFlow::Break(())
            }
            Fit::Unmet(condition) => {
                condition.field().into_iter().for_each(&mut add);
                ControlFlow::Continue(())
            }
            Fit::OtherMethod => ControlFlow::Continue(()),
        });
        fields
    }

    /// Gives the routes whose host and path are those of the request to `take`, in their precedence, until that breaks;
    /// of each, whether it takes the request.
    pub fn candidates<'r: 'p, 'p>(
        &'r self,
        asked: Asked<'p>,
        mut take: impl FnMut(Candidate<'r, 'p, T>) -> ControlFlow<()>,
    ) {
        let _ = self.candidates_at(asked, asked.path.as_str(), &mut take);
    }

    fn candidates_at<'r: 'p, 'p>(
        &'r self,
        asked: Asked<'p>,
        path: &'p str,
        take: &mut dyn FnMut(Candidate<'r, 'p, T>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut of_host = |paths: &'r Patterns<Vec<Entry>>, host: Captured<'p>| {
            paths.matching(path, &mut |entries, path| self.candidates_of(entries, asked, &host, &path, take))
        };
        self.hosts.matching(asked.host.as_str(), &mut of_host)?;
        of_host(&self.any_host, Captured::new())
    }

    /// Those of one host and path, which captured this.
    fn candidates_of<'r, 'p>(
        &'r self,
        entries: &'r [Entry],
        asked: Asked<'p>,
        host: &Captured<'p>,
        path: &Captured<'p>,
        take: &mut dyn FnMut(Candidate<'r, 'p, T>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        // Routes stand in the order of the table already, but for a HEAD: of one path, one that is
        // named for it goes before those that answer it by GET.
        let passes: &[fn(Rank) -> bool] = match asked.head.method.as_str() {
            "HEAD" => &[|rank| rank == Rank::Named, |rank| rank != Rank::Named],
            _ => &[|_| true],
        };
        let of_prefix = entries.partition_point(|entry| !entry.matcher.is_prefix);
        let (of_path, of_prefix) = entries.split_at_checked(of_prefix).unwrap_or((entries, &[]));
        for entries in [of_path, of_prefix] {
            for is_of_pass in passes {
                for entry in entries {
                    let rank = entry.matcher.methods.rank(&asked.head.method);
                    let Some(route) = self.routes.get(entry.route).filter(|_| is_of_pass(rank)) else { continue };
                    let fit = match entry.matcher.conditions.unmet(asked.head) {
                        Some(condition) => Fit::Unmet(condition),
                        None if rank == Rank::Other => Fit::OtherMethod,
                        None => Fit::Taken,
                    };
                    take(Candidate { route, fit, entry, host: host.clone(), path: path.clone() })?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn first<'r: 'p, 'p>(&'r self, asked: Asked<'p>, path: &'p str) -> Option<Candidate<'r, 'p, T>> {
        let mut first = None;
        let _ = self.candidates_at(asked, path, &mut |candidate| match candidate.fit {
            Fit::Taken => {
                first = Some(candidate);
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        });
        first
    }

    /// What is said where no route takes a request.
    fn nobody<'r, 'p>(&'r self, asked: Asked<'p>) -> Found<'r, 'p, T> {
        // Who asks with OPTIONS does not send the header fields of what it asks about.
        let is_asking = asked.head.method == "OPTIONS";
        let methods = self.methods(asked, |fit| fit == Fit::OtherMethod || is_asking);
        methods.map_or(Found::Nothing, Found::OtherMethods)
    }

    /// The methods of the routes whose host and path are those of the request, as `Allow` has them.
    pub fn methods(&self, asked: Asked<'_>, counts: impl Fn(Fit<'_>) -> bool) -> Option<String> {
        let mut methods = Vec::new();
        self.candidates(asked, |candidate| {
            methods.extend(counts(candidate.fit).then_some(&candidate.entry.matcher.methods));
            ControlFlow::Continue(())
        });
        (!methods.is_empty()).then(|| allow(&methods))
    }

    /// The routes that get nothing because others go before them, and those of which only the order
    /// of the file says which goes first.
    pub fn overlaps(&self) -> Vec<Overlap> {
        let of_hosts = self.hosts.values().chain([&self.any_host]);
        let mut overlaps: Vec<_> =
            of_hosts.flat_map(Patterns::values).flat_map(|entries| overlap::all(entries)).collect();
        overlaps.sort_by_key(|overlap| (overlap.later, overlap.earlier));
        overlaps
    }

    /// All routes in their precedence, with their matchers: hosts and paths that are told apart
    /// anyway come in the order of the file.
    pub fn routes(&self) -> impl Iterator<Item = (&Matcher, &T)> {
        let named = self.hosts.by_precedence();
        let entries = named.chain([&self.any_host]).flat_map(Patterns::by_precedence).flatten();
        entries.filter_map(|entry| Some((&entry.matcher, self.routes.get(entry.route)?)))
    }
}

impl Entry {
    /// Sorts the routes of one host and path.
    fn precedence(&self) -> impl Ord + use<> {
        (
            self.matcher.is_prefix,
            self.matcher.methods == Methods::Any,
            Reverse(self.matcher.conditions.weight()),
            self.route,
        )
    }

    fn says_more_than<T>(&self, other: Option<&Candidate<'_, '_, T>>) -> bool {
        let pattern = &self.matcher.pattern;
        other.is_none_or(|other| by_specificity(pattern, &other.entry.matcher.pattern).is_gt())
    }
}

#[cfg(test)]
mod tests;
