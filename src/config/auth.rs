//! The rules by which callers are known.

use std::sync::Arc;

use super::compile::{Compiled, PUBLIC, named};
use super::document::AuthSettings;
use crate::gateway::Service;
use crate::policy::api_key::ApiKeyRule;
use crate::policy::auth::AuthRule;
use crate::policy::certificate::CertificateRule;
use crate::policy::forward_auth::ForwardAuthRule;
use crate::policy::introspection::IntrospectionRule;
use crate::policy::jwt::JwtRule;
use crate::policy::signature::SignatureRule;
use crate::settings::{Place, Problems, one_of};

/// Compiles a rule; notes each fault.
pub fn rule(
    name: &str,
    settings: AuthSettings,
    services: &Compiled<Service>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<AuthRule> {
    if name == PUBLIC {
        problems.add(place, "has the name by which routes are open to everyone");
    }
    let AuthSettings { jwt, api_key, introspection, signature, certificate, forward_auth } = settings;
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
        signature?.map(|settings| {
            let rule = SignatureRule::compile(name, settings, &place.at("signature"), problems);
            rule.map(|rule| AuthRule::Signature(Arc::new(rule)))
        }),
        certificate?.map(|settings| {
            let rule = CertificateRule::compile(name, settings, &place.at("certificate"), problems);
            rule.map(|rule| AuthRule::Certificate(Arc::new(rule)))
        }),
        forward_auth?.map(|settings| {
            let service = |name: &str, place: &Place<'_>, problems: &mut Problems| {
                named(services, "service", name, place, problems)
            };
            let rule = ForwardAuthRule::compile(name, settings, service, &place.at("forward_auth"), problems);
            rule.map(|rule| AuthRule::ForwardAuth(Arc::new(rule)))
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
