//! Routes and what applies to them, in words.

use crate::forward::DEFAULT_MAX_BODY;
use crate::gateway::{Action, Fallback, Forward, Route};
use crate::router::{Matcher, Methods};
use crate::validate;

/// What a route takes: `GET api.example.com/orders/{id} if header x-version is "2"`.
pub(super) fn matcher(matcher: &Matcher) -> String {
    let mut text = format!("{} {}{}", methods(&matcher.methods), host(matcher), matcher.pattern);
    let conditions: Vec<_> = matcher.conditions.iter().map(ToString::to_string).collect();
    if !conditions.is_empty() {
        text.push_str(&format!(" if {}", conditions.join(" and ")));
    }
    text
}

/// The methods, `*` for all.
pub(super) fn methods(methods: &Methods) -> String {
    match methods {
        Methods::Any => "*".to_owned(),
        Methods::Only(methods) => methods.join(","),
    }
}

/// The host, empty for every one.
pub(super) fn host(matcher: &Matcher) -> &str {
    matcher.host.as_ref().map_or("", |host| host.as_str())
}

/// Who may call.
pub(super) fn auth(route: &Route) -> String {
    match route.auth.as_slice() {
        [] => "public".to_owned(),
        rules => rules.iter().map(|rule| rule.name()).collect::<Vec<_>>().join(" or "),
    }
}

/// What a route does.
pub(super) fn action(action: &Action) -> String {
    match action {
        Action::Reply(reply) => format!("reply {}", reply.status),
        Action::Redirect(redirect) => format!("redirect {}", redirect.status),
        Action::Forward(forward) => {
            let Forward { to, canary, mirror, fallback, .. } = &**forward;
            let mut text = format!("forward to {}", to.service.name);
            if let Some(canary) = canary {
                text.push_str(&format!(", {} of callers to {}", canary.share, canary.to.service.name));
            }
            if let Some(mirror) = mirror {
                text.push_str(&format!(", {} copied to {}", mirror.share, mirror.to.service.name));
            }
            match fallback.as_deref() {
                Some(Fallback::Service(to)) => text.push_str(&format!(", else {}", to.service.name)),
                Some(Fallback::Reply(reply)) => text.push_str(&format!(", else reply {}", reply.status)),
                None => {}
            }
            text
        }
        Action::Aggregate(aggregate) => {
            let mut names: Vec<&str> = Vec::new();
            for part in &aggregate.parts {
                let name = part.call.service.name.as_str();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            format!("aggregate of {}", names.join(", "))
        }
        Action::Batch(batch) => format!("batch of at most {}", batch.most),
    }
}

/// What applies to a request of a route, in order.
pub(super) fn policies(route: &Route) -> Vec<String> {
    let mut policies = Vec::new();
    if route.cors.is_some() {
        policies.push("cors: pages of some other origins may call".to_owned());
    }
    if !route.addresses.is_empty() {
        policies.push("addresses: clients of some alone may call".to_owned());
    }
    match route.auth.as_slice() {
        [] => policies.push("auth: public, everyone may call".to_owned()),
        _ => policies.push(format!("auth: {}", auth(route))),
    }
    for requirement in &route.require {
        for (what, several) in [("scopes", &requirement.scopes), ("roles", &requirement.roles)] {
            policies.extend(several.as_ref().map(|several| format!("require: {what} {}", several.words())));
        }
    }
    for limit in &route.limits {
        policies.push(format!("limit: {}", limit.name()));
    }
    if let Some(rule) = &route.validation {
        policies.push(format!("validate: {}", rule.said()));
    }
    if let (Action::Forward(_), Some(_)) = (&route.action, &route.idempotency) {
        policies.push("idempotency: a POST or PATCH with a key is done once".to_owned());
    }
    let default = match (&route.validation, &route.action) {
        (Some(rule), _) if rule.body.is_some() => Some(validate::DEFAULT_MAX_BODY),
        (_, Action::Forward(_)) => Some(DEFAULT_MAX_BODY),
        _ => None,
    };
    policies.extend(default.map(|default| format!("max_body: {} bytes", route.max_body.unwrap_or(default))));
    if let Action::Batch(batch) = &route.action {
        policies.push(format!("max_body: {} bytes, of the list", batch.max_body));
        policies.push(format!("max_answer: {} bytes, of all answers together", batch.max_answer));
    }
    let edits = [("request_headers", route.request_headers.names()), ("request_query", route.request_query.names())];
    policies
        .extend(edits.into_iter().filter(|(_, names)| !names.is_empty()).map(|(key, names)| format!("{key}: {names}")));
    policies.push(action(&route.action));
    let names = route.response_headers.names();
    policies.extend((!names.is_empty()).then(|| format!("response_headers: {names}")));
    policies
}
