//! What goes with a credential that was given to somebody: whose it is, what they may, and until when.

use std::sync::Arc;

use serde_json::{Map, json};

use crate::calendar;
use crate::head::UnixMillis;
use crate::policy::caller::Caller;
use crate::settings::{List, OneOrMany, Text, not_of_form, shape, written_as_text};

/// A day, from its first moment in UTC on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(UnixMillis);

impl Text for Day {
    const FORM: &'static str = "a day such as \"2027-01-31\"";
    const PATTERN: &'static str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

    fn read(text: &str) -> Result<Self, String> {
        calendar::day(text).map(Self).ok_or_else(not_of_form::<Self>)
    }
}

written_as_text!(Day);

shape! {
    /// What goes with a credential.
    pub struct RecordSettings {
        /// Whose it is; {jwt.sub} of its callers.
        "owner" => owner: String = "acme",
        /// What its callers pay for; {jwt.plan}.
        "plan" => plan: Option<String> = "pro",
        /// What its callers may, for `require`.
        "scopes" => scopes: Option<List<String>> = ["orders:read"],
        /// What its callers are, for `require`.
        "roles" => roles: Option<List<String>> = ["partner"],
        /// The day (UTC) from which on it counts no more. Default: never.
        "expires" => expires: Option<Day> = "2027-01-31",
        /// The patterns of the routes that it is for; one that ends in * is for all that begin so. Default: all.
        "routes" => routes: Option<OneOrMany<String>> = ["/orders", "/v1/*"],
    }
}

/// What goes with a credential.
#[derive(Debug)]
pub struct Record {
    caller: Arc<Caller>,
    expires: Option<UnixMillis>,
    routes: Vec<String>,
}

impl Record {
    /// Compiles it, for callers whom `issuer` vouches for; `None` if it is at fault.
    pub fn compile(issuer: &str, settings: RecordSettings) -> Option<Self> {
        let RecordSettings { owner, plan, scopes, roles, expires, routes } = settings;
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), json!(owner?));
        if let Some(plan) = plan? {
            claims.insert("plan".to_owned(), json!(plan));
        }
        for (name, words) in [("scope", scopes?), ("roles", roles?)] {
            if let Some(words) = words {
                claims.insert(name.to_owned(), words.0.into_iter().collect::<Option<Vec<String>>>()?.into());
            }
        }
        Some(Self {
            caller: Arc::new(Caller::new(issuer, claims)),
            expires: expires?.map(|day| day.0),
            routes: routes?.map(|routes| routes.0).unwrap_or_default(),
        })
    }

    /// Whose credential it is, if it counts now for a route of this pattern; the error is for the log.
    pub fn caller(&self, route: &str, now: UnixMillis) -> Result<Arc<Caller>, &'static str> {
        if self.expires.is_some_and(|expires| now >= expires) {
            return Err("is over");
        }
        let is_for = |pattern: &String| match pattern.strip_suffix('*') {
            Some(prefix) => route.starts_with(prefix),
            None => route == pattern,
        };
        if !self.routes.is_empty() && !self.routes.iter().any(is_for) {
            return Err("is not for this route");
        }
        Ok(Arc::clone(&self.caller))
    }
}
