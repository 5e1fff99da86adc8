//! The methods that a route answers.

/// The methods that a route answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// Every method.
    Any,
    /// These, in the order of the file, in upper case. `GET` answers `HEAD` too.
    Only(Vec<String>),
}

/// How a route's methods have the method of a request; the first goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// By its name.
    Named,
    /// A `HEAD` by `GET`.
    ByGet,
    /// Because they are all.
    Any,
    /// Not at all.
    Other,
}

impl Methods {
    /// How they have a method.
    pub fn rank(&self, method: &str) -> Rank {
        match self {
            Self::Any => Rank::Any,
            Self::Only(methods) if methods.iter().any(|named| named == method) => Rank::Named,
            Self::Only(methods) if method == "HEAD" && methods.iter().any(|named| named == "GET") => Rank::ByGet,
            Self::Only(_) => Rank::Other,
        }
    }
}

/// The methods of a route that has them all, as far as they have names (RFC 9110, RFC 5789).
const COMMON: [&str; 6] = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];

/// The value of `Allow` (RFC 9110, section 10.2.1). `OPTIONS` is always answered.
pub fn allow(all: &[&Methods]) -> String {
    let mut names = vec!["OPTIONS"];
    for methods in all {
        match methods {
            Methods::Any => names.extend(COMMON),
            Methods::Only(methods) => {
                names.extend(methods.iter().map(String::as_str));
                names.extend(methods.iter().filter(|method| *method == "GET").map(|_| "HEAD"));
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}
