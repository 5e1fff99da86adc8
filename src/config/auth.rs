//! The rules by which callers are known.

use std::sync::Arc;

use super::compile::PUBLIC;
use super::document::AuthSettings;
use crate::policy::api_key::ApiKeyRule;
use crate::policy::auth::AuthRule;
use crate::policy::introspection::IntrospectionRule;
use crate::policy::jwt::JwtRule;
use crate::settings::{Place, Problems, one_of};

/// Compiles a rule; notes each fault.
pub fn rule(name: &str, settings: AuthSettings, place: &Place<'_>, problems: &mut Problems) -> Option<AuthRule> {
    if name == PUBLIC {
        problems.add(place, "has the name by which routes are open to everyone");
    }
    let AuthSettings { jwt, api_key, introspection } = settings;
    let written = [
        jwt?.map(|settings| {
            let rule = JwtRule::compile(name, settings, &place.at("jwt"), problems);
            rule.map(|rule| AuthRule::Jwt(Arc::new(rule)))
        }),
        api_key?.map(|settings| {
            let rule = ApiKeyRule::compile(name, settings, &place.at("api_key"), problems);
            rule.map(|rule| AuthRule::ApiKey(Arc::new(rule)))
        }),
        introspection?.map(|settings| {
            let rule = IntrospectionRule::compile(name, settings, &place.at("introspection"), problems);
            rule.map(|rule| AuthRule::Introspection(Arc::new(rule)))
        }),
    ];
    let mut rules = written.into_iter().flatten();
    match (rules.next(), rules.next()) {
        (Some(rule), None) => rule,
        _ => {
            let kinds = one_of(&<AuthSettings as crate::settings::Shape>::keys());
            problems.add(place, format!("must have exactly one of {kinds}"));
            None
        }
    }
}
