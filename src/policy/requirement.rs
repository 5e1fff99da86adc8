//! What a caller must be allowed, beside being known: scopes (RFC 6749, section 3.3), roles, and claims that are
//! what the request asks for.
//!
//! ```json
//! { "path": "/users/{user}/orders", "auth": "customer",
//!   "require": { "scopes": ["orders:read"], "roles": { "any": ["staff", "owner"] }, "match": { "sub": "{user}" } } }
//! ```

use crate::policy::caller::Caller;
use crate::policy::jwt::claim_test::ClaimTest;
use crate::refusal::Refusal;
use crate::settings::{FromNode, Named, Node, Place, Problems, Text, described_as, shape, wrong_kind};
use crate::template::{Source, TextTemplate, Values};

shape! {
    /// What a caller must be allowed. All of it must hold, and what the groups above say too.
    pub struct RequirementSettings {
        /// Scopes that the caller's token has: all of a list, or { "any": [...] }, of which one is enough.
        "scopes" => scopes: Option<Several> = ["orders:read"],
        /// Roles of the caller, in the same way.
        "roles" => roles: Option<Several> = { "any": ["staff", "owner"] },
        /// Claims, and what must hold for each, as in an auth rule.
        "claims" => claims: Named<ClaimTest> = { "plan": ["pro", "team"] },
        /// Claims, each of which must be what a text with values of the request comes to.
        "match" => matches: Named<TextTemplate> = { "sub": "{user}" },
    }
}

/// Several words, of which one has all or any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Several {
    /// All.
    All(Vec<String>),
    /// One is enough.
    Any(Vec<String>),
}

impl Several {
    fn are_met(&self, has: &[String]) -> bool {
        match self {
            Self::All(words) => words.iter().all(|word| has.contains(word)),
            Self::Any(words) => words.iter().any(|word| has.contains(word)),
        }
    }

    /// The words, separated by spaces.
    pub fn words(&self) -> String {
        let (Self::All(words) | Self::Any(words)) = self;
        words.join(" ")
    }
}

impl FromNode for Several {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        // Of RFC 6749: they stand in a header field, and are told apart by spaces.
        let word = |node: &Node| match node {
            Node::String(text)
                if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte)) =>
            {
                Some(text.clone())
            }
            _ => None,
        };
        let words =
            |nodes: &[Node]| nodes.iter().map(word).collect::<Option<Vec<_>>>().filter(|words| !words.is_empty());
        let read = match node {
            Node::Array(nodes) => words(nodes).map(Self::All),
            Node::Object(members) => match members.as_slice() {
                [(name, Node::Array(nodes))] if name == "any" => words(nodes).map(Self::Any),
                [(name, Node::Array(nodes))] if name == "all" => words(nodes).map(Self::All),
                _ => None,
            },
            one => word(one).map(|word| Self::All(vec![word])),
        };
        read.or_else(|| wrong_kind(node, "a word, a list of words, or {\"any\": [...]}", place, problems))
    }
}

described_as!(Several, { "anyOf": [
    { "type": "string", "minLength": 1 },
    { "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 },
    { "type": "object", "properties": { "any": { "type": "array", "items": { "type": "string" }, "minItems": 1 } }, "required": ["any"], "additionalProperties": false },
    { "type": "object", "properties": { "all": { "type": "array", "items": { "type": "string" }, "minItems": 1 } }, "required": ["all"], "additionalProperties": false },
] });

/// What a caller must be allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// Scopes of the token.
    pub scopes: Option<Several>,
    /// Roles of the caller.
    pub roles: Option<Several>,
    claims: Vec<(String, ClaimTest)>,
    matches: Vec<(String, TextTemplate)>,
}

impl Requirement {
    /// Compiles it.
    pub fn compile(settings: RequirementSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        fn all<T>(named: Named<T>) -> Option<Vec<(String, T)>> {
            named.0.into_iter().map(|(name, value)| Some((name, value?))).collect()
        }
        let requirement = Self {
            scopes: settings.scopes?,
            roles: settings.roles?,
            claims: all(settings.claims?)?,
            matches: all(settings.matches?)?,
        };
        let Self { scopes, roles, claims, matches } = &requirement;
        for (name, text) in matches {
            if TextTemplate::read(&format!("{{jwt.{name}}}")).as_ref() == Ok(text) {
                let place = place.at("match");
                problems.add(&place.at(name), "is what it is compared with, and so holds of everyone who has it");
            }
        }
        if scopes.is_none() && roles.is_none() && claims.is_empty() && matches.is_empty() {
            problems.add(place, "asks for nothing");
        }
        Some(requirement)
    }

    /// The values of the request that it asks for.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.matches.iter().flat_map(|(_, text)| text.sources())
    }

    /// Whether claims must be what the request says.
    pub fn has_matches(&self) -> bool {
        !self.matches.is_empty()
    }

    /// Why a caller may not, if so.
    pub fn refuses(&self, caller: Option<&Caller>, values: &Values<'_>) -> Option<Refusal> {
        let Some(caller) = caller else { return Some(Refusal::NotAllowed { scopes: None }) };
        if let Some(scopes) = self.scopes.as_ref().filter(|scopes| !scopes.are_met(caller.scopes())) {
            return Some(Refusal::NotAllowed { scopes: Some(scopes.words()) });
        }
        let has_roles = self.roles.as_ref().is_none_or(|roles| roles.are_met(caller.roles()));
        let has_claims = self.claims.iter().all(|(name, test)| test.holds(caller.claim_value(name)));
        // What is missing on both sides is not equal, and of what is said twice a service may take the other.
        let is_own = |(name, text): &(String, TextTemplate)| {
            text.sources().all(|source| values.has_at_most_one(source))
                && caller.claim(name).zip(text.plain(values)).is_some_and(|(claim, asked)| claim == asked)
        };
        let is_allowed = has_roles && has_claims && self.matches.iter().all(is_own);
        (!is_allowed).then_some(Refusal::NotAllowed { scopes: None })
    }
}
