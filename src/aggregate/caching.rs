//! How long the whole may be kept, from what is said of its parts: never longer, nor by more, than the
//! strictest of them (RFC 9111, section 5.2).

use sha2::{Digest, Sha256};

use crate::head::Headers;

/// What nobody may keep.
pub const NO_STORE: &str = "no-store";

/// The strictest of the parts' `Cache-Control`, with what their answers have aged taken off. One that
/// says nothing is not kept. What is for one caller alone is `private`.
pub fn strictest<'h>(answers: impl Iterator<Item = &'h Headers>, is_private: bool) -> String {
    let mut whole = Whole { is_private, is_public: true, ..Whole::default() };
    for headers in answers {
        let Some(value) = headers.get("cache-control") else { return NO_STORE.to_owned() };
        // No request is known to get it again.
        if headers.get("vary").is_some_and(|names| names.split(',').any(|name| name.trim() == "*")) {
            return NO_STORE.to_owned();
        }
        // Of several ages the first counts (section 5.1).
        let age = headers.get("age").and_then(|age| age.split(',').next()?.trim().parse().ok()).unwrap_or(0u64);
        let (mut max_age, mut shared, mut is_public) = (None, None, false);
        for directive in value.split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let seconds = || value.trim().trim_matches('"').parse::<u64>().ok().map(|max: u64| max.saturating_sub(age));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" => return NO_STORE.to_owned(),
                "private" => whole.is_private = true,
                // It lets shared caches keep what they would not: only if all say so.
                "public" => is_public = true,
                "no-cache" => whole.is_checked = true,
                "must-revalidate" | "proxy-revalidate" => whole.must_revalidate = true,
                // One that cannot be read is none at all; of several the strictest counts (section 4.2.1).
                "max-age" => max_age = Some(seconds().unwrap_or(0).min(max_age.unwrap_or(u64::MAX))),
                "s-maxage" => shared = Some(seconds().unwrap_or(0).min(shared.unwrap_or(u64::MAX))),
                _ => {}
            }
        }
        match max_age {
            Some(max_age) => whole.max_age = Some(whole.max_age.map_or(max_age, |other: u64| other.min(max_age))),
            // How long is not said.
            None => whole.is_checked = true,
        }
        whole.shared_max_age = match (whole.has_answers, whole.shared_max_age, shared.or(max_age)) {
            (false, _, own) => own,
            (true, Some(other), Some(own)) => Some(other.min(own)),
            _ => None,
        };
        whole.is_public &= is_public;
        whole.says_shared |= shared.is_some();
        whole.has_answers = true;
    }
    if whole.has_answers { whole.text() } else { NO_STORE.to_owned() }
}

#[derive(Default)]
struct Whole {
    has_answers: bool,
    is_private: bool,
    is_public: bool,
    /// Whether it is to be asked for each time whether it is still good.
    is_checked: bool,
    must_revalidate: bool,
    max_age: Option<u64>,
    shared_max_age: Option<u64>,
    says_shared: bool,
}

impl Whole {
    fn text(&self) -> String {
        let whose = match (self.is_private, self.is_public) {
            (true, _) => Some("private"),
            (false, true) => Some("public"),
            (false, false) => None,
        };
        let mut directives: Vec<String> = whose.map(str::to_owned).into_iter().collect();
        if self.is_checked {
            directives.push("no-cache".to_owned());
        } else {
            directives.extend(self.max_age.map(|seconds| format!("max-age={seconds}")));
            let shared = self.shared_max_age.filter(|_| self.says_shared && !self.is_private);
            directives.extend(shared.map(|seconds| format!("s-maxage={seconds}")));
        }
        if self.must_revalidate {
            directives.push("must-revalidate".to_owned());
        }
        directives.join(", ")
    }
}

/// The `ETag` of a body (RFC 9110, section 8.8.3).
pub fn etag(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// Whether an `If-None-Match` names the `ETag`, by weak comparison (RFC 9110, section 13.1.2).
pub fn is_known(if_none_match: &str, etag: &str) -> bool {
    if_none_match.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_counts() {
        for (answers, is_private, expected) in [
            (vec!["cache-control:max-age=60"], false, "max-age=60"),
            (vec!["cache-control:public, max-age=60", "cache-control:public, max-age=9"], false, "public, max-age=9"),
            (vec!["cache-control:public, max-age=60", "cache-control:max-age=9, x"], false, "max-age=9"),
            (vec!["cache-control:public, max-age=60\nage:20"], true, "private, max-age=40"),
            (vec!["cache-control:max-age=60\nage:90"], false, "max-age=0"),
            (vec!["cache-control:max-age=60", "x:y"], false, "no-store"),
            (vec!["cache-control:max-age=60", "cache-control:no-store"], false, "no-store"),
            (vec!["cache-control:max-age=60", "cache-control:private"], false, "private, no-cache"),
            (vec!["cache-control:max-age=60", "cache-control:no-cache"], false, "no-cache"),
            (vec!["cache-control:max-age=6, s-maxage=60", "cache-control:max-age=9"], false, "max-age=6, s-maxage=9"),
            (vec!["cache-control:max-age=6, must-revalidate"], false, "max-age=6, must-revalidate"),
            (vec!["cache-control:MAX-AGE=many"], false, "max-age=0"),
            (vec!["cache-control:max-age=0, max-age=60"], false, "max-age=0"),
            (vec!["cache-control:max-age=6, s-maxage=9, s-maxage=60"], false, "max-age=6, s-maxage=9"),
            (vec!["cache-control:max-age=60\nage:20, 5"], false, "max-age=40"),
            (vec!["cache-control:max-age=60\nvary:accept, *"], false, "no-store"),
            (vec!["cache-control:max-age=60\nvary:accept"], false, "max-age=60"),
            (vec![], false, "no-store"),
        ] {
            let answers: Vec<Headers> = answers.into_iter().map(Headers::from_text).collect();
            assert_eq!(strictest(answers.iter(), is_private), expected);
        }
    }

    #[test]
    fn an_etag_is_known_by_what_it_is_of() {
        let etag = etag(b"{}");
        assert!(is_known(&format!("\"x\", W/{etag}"), &etag) && is_known("*", &etag));
        assert!(!is_known("\"x\"", &etag));
    }
}
