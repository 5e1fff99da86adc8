//! What a route does with a request: reply, redirect, forward, aggregate or batch, from what is written.

use std::sync::Arc;

use super::aggregate;
use super::compile::{Known, named};
use super::document::{
    AnswerSettings, BatchSettings, CanarySettings, FallbackSettings, Forwarding, PartSettings, Redirecting,
    ReplySettings,
};
use super::target::Target;
use crate::gateway::{Action, Batch, Canary, Destination, Fallback, Forward, Mirror, Redirect, Reply, Service};
use crate::policy::by::By;
use crate::policy::field_edits::FieldEdits;
use crate::resilience::percent::Percent;
use crate::router;
use crate::settings::{Named, Place, Problems};
use crate::template::{Inner, REST, Source, Template};

/// What a route can do, each if it is written.
pub struct Actions {
    pub reply: Option<Option<ReplySettings>>,
    pub redirect: Option<Option<Redirecting>>,
    pub forward: Option<Option<Forwarding>>,
    pub aggregate: Option<Option<Named<PartSettings>>>,
    pub answer: Option<Option<AnswerSettings>>,
    pub batch: Option<Option<BatchSettings>>,
}

impl Actions {
    /// The one that is written; notes none and several.
    pub fn the_one(self, scope: &Scope<'_>, place: &Place<'_>, problems: &mut Problems) -> Option<Action> {
        // What is at fault has been told of, and could be any.
        let (reply, redirect, forward) = (self.reply?, self.redirect?, self.forward?);
        match (reply, redirect, forward, self.aggregate?, self.batch?) {
            (Some(written), None, None, None, None) => self::reply(written, &place.at("reply"), problems),
            (None, Some(written), None, None, None) => self::redirect(written, scope, &place.at("redirect"), problems),
            (None, None, Some(written), None, None) => self::forward(written, scope, &place.at("forward"), problems),
            (None, None, None, Some(parts), None) => aggregate::compile(parts, self.answer?, scope, place, problems),
            (None, None, None, None, Some(written)) => self::batch(written, &place.at("batch"), problems),
            _ => {
                let message =
                    "must have exactly one of \"reply\", \"redirect\", \"forward\", \"aggregate\" and \"batch\"";
                problems.add(place, message);
                None
            }
        }
    }
}

/// What the texts of a route may refer to.
#[derive(Clone, Copy)]
pub struct Scope<'r> {
    /// The path patterns, whole.
    pub patterns: &'r [String],
    /// Whether the patterns are a prefix and what is below it: `{rest}` is empty for the prefix itself.
    pub is_prefix: bool,
    /// Whether the route names hosts.
    pub names_hosts: bool,
    /// Names that every host of the route captures.
    pub host_names: &'r [String],
    /// Whether there is no token.
    pub is_public: bool,
    /// What there is to name.
    pub known: &'r Known,
    /// What is sent to services besides.
    pub request_headers: &'r FieldEdits,
    /// What a part of an aggregate may refer to besides.
    pub inner: Option<InnerScope<'r>>,
}

/// What the texts of a part of an aggregate may refer to.
#[derive(Clone, Copy)]
pub struct InnerScope<'r> {
    /// The names of the parts.
    pub parts: &'r [String],
    /// Whether it is made for each element of an array.
    pub has_item: bool,
    /// Whether one call is made for all of them.
    pub has_keys: bool,
}

impl Scope<'_> {
    /// The service that a target names; notes what its path asks for and cannot have.
    pub fn resolve(&self, target: &Target, place: &Place<'_>, problems: &mut Problems) -> Option<Arc<Service>> {
        if let Some(template) = &target.template {
            self.check(template.sources(), "", place, problems);
        }
        named(&self.known.services, "service", &target.service, place, problems)
    }

    /// Why a value of an aggregate is not there to be asked for.
    fn lacks(&self, inner: &Inner) -> Option<String> {
        let Some(scope) = self.inner else {
            return Some("asks for a value that there is only for the parts of an aggregate".to_owned());
        };
        match inner {
            Inner::Part { part, .. } | Inner::Reply { part, .. } if !scope.parts.contains(part) => {
                Some(format!("asks for the part {part:?}, which does not exist; there are: {}", scope.parts.join(", ")))
            }
            Inner::Item(_) if !scope.has_item => {
                Some("asks for {item}; that is for a part with \"for_each\"".to_owned())
            }
            Inner::Keys if !scope.has_keys => Some("asks for {keys}; that is for a part with \"batch\"".to_owned()),
            _ => None,
        }
    }

    /// Whether the route captures a name.
    pub fn captures(&self, name: &str) -> bool {
        let of_path = |pattern: &String| router::captures(pattern).any(|captured| captured == name);
        self.host_names.iter().any(|captured| captured == name) || self.patterns.iter().any(of_path)
    }

    /// More to say of a name that is captured nowhere.
    fn host_word(&self) -> &'static str {
        if self.names_hosts { ", nor does every host" } else { "" }
    }

    /// Notes what a text asks for and cannot have; `what` says which text, where the place does not.
    pub fn check<'s>(
        &self,
        sources: impl Iterator<Item = &'s Source>,
        what: &str,
        place: &Place<'_>,
        problems: &mut Problems,
    ) {
        for source in sources {
            match source {
                Source::Claim(claim) if self.is_public => {
                    problems.add(
                        place,
                        format!("{what}asks for {{jwt.{claim}}}; the route is public, so there is no token"),
                    );
                }
                Source::Secret(name) => {
                    problems.add(
                        place,
                        format!("{what}asks for {{env.{name}}}; secrets are for the \"headers\" of services"),
                    );
                }
                Source::Inner(inner) => {
                    if let Some(why) = self.lacks(inner) {
                        problems.add(place, format!("{what}{why}"));
                    }
                }
                Source::Param(name) if self.host_names.contains(name) => {}
                Source::Param(name) if self.is_prefix && name == REST => {}
                Source::Param(name) => {
                    for pattern in self.patterns {
                        if !router::captures(pattern).any(|captured| captured == name) {
                            let message = format!(
                                "{what}asks for {{{name}}}, which {pattern:?} does not capture{}",
                                self.host_word()
                            );
                            match self.patterns.len() {
                                1 => problems.add(place, message),
                                _ => problems.add_with_help(place, message, "give that path a route of its own"),
                            }
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

fn reply(settings: ReplySettings, place: &Place<'_>, problems: &mut Problems) -> Option<Action> {
    let (status, body) = (settings.status?.unwrap_or(200), settings.body?);
    let status = match u16::try_from(status) {
        Ok(status @ 200..=599) => status,
        _ => {
            problems.add(&place.at("status"), format!("is {status}, must be from 200 to 599"));
            return None;
        }
    };
    if matches!(status, 204 | 205 | 304) && body.is_some() {
        problems.add(&place.at("body"), format!("cannot go with status {status}, which has no body"));
    }
    Some(Action::Reply(Reply { status, body: body.map(|body| body.to_json().into()) }))
}

fn redirect(settings: Redirecting, scope: &Scope<'_>, place: &Place<'_>, problems: &mut Problems) -> Option<Action> {
    let (target, place, status) = match settings {
        Redirecting::Brief(target) => (target, *place, None),
        Redirecting::Full(settings) => {
            let status = settings.status?;
            if status.is_some_and(|status| !matches!(status, 301 | 302 | 303 | 307 | 308)) {
                problems.add(&place.at("status"), "must be 301, 302, 303, 307 or 308");
            }
            (settings.to?, place.at("to"), status)
        }
    };
    scope.check(target.template.sources(), "", &place, problems);
    let status = u16::try_from(status.unwrap_or(307)).ok()?;
    Some(Action::Redirect(Redirect { status, origin: target.origin, path: target.template }))
}

fn forward(settings: Forwarding, scope: &Scope<'_>, place: &Place<'_>, problems: &mut Problems) -> Option<Action> {
    let settings = match settings {
        Forwarding::Brief(target) => {
            let to = destination(target, scope, place, problems)?;
            let forward = Forward { to, timeout: None, canary: None, mirror: None, fallback: None };
            return Some(Action::Forward(forward.into()));
        }
        Forwarding::Full(settings) => *settings,
    };
    // Each is compiled for its faults, also where another has one.
    let to = settings.to.and_then(|target| destination(target, scope, &place.at("to"), problems));
    let canary =
        settings.canary.map(|canary| canary.map(|canary| self::canary(canary, scope, &place.at("canary"), problems)));
    let mirror = settings.mirror.map(|mirror| {
        mirror.map(|settings| {
            let to = settings.to.and_then(|target| destination(target, scope, &place.at("mirror").at("to"), problems));
            Some(Mirror { to: to?, share: settings.share?.unwrap_or(Percent::new(100)) })
        })
    });
    let fallback = settings.fallback.map(|fallback| {
        let place = place.at("else");
        fallback.map(|fallback| match fallback {
            FallbackSettings::Service(target) => destination(target, scope, &place, problems).map(Fallback::Service),
            FallbackSettings::Reply(settings) => match reply(settings, &place, problems) {
                Some(Action::Reply(reply)) => Some(Fallback::Reply(reply)),
                _ => None,
            },
        })
    });
    /// Of what may be left out and may be at fault: at fault is `None`.
    fn faultless<T>(written: Option<Option<Option<T>>>) -> Option<Option<T>> {
        match written? {
            None => Some(None),
            Some(compiled) => compiled.map(Some),
        }
    }
    let forward = Forward {
        to: to?,
        timeout: settings.timeout?.map(|limit| limit.0),
        canary: faultless(canary)?.map(Box::new),
        mirror: faultless(mirror)?.map(Box::new),
        fallback: faultless(fallback)?.map(Box::new),
    };
    Some(Action::Forward(forward.into()))
}

fn canary(settings: CanarySettings, scope: &Scope<'_>, place: &Place<'_>, problems: &mut Problems) -> Option<Canary> {
    let to = settings.to.and_then(|target| destination(target, scope, &place.at("to"), problems));
    let by = settings.by?.unwrap_or(By::Caller);
    if let By::Claim(claim) = &by
        && scope.is_public
    {
        problems
            .add(&place.at("by"), format!("goes by the claim {claim:?}; the route is public, so there is no token"));
    }
    let to = to?;
    let name = Arc::from(to.service.name.as_str());
    Some(Canary { to, share: settings.share?, by, name })
}

fn destination(target: Target, scope: &Scope<'_>, place: &Place<'_>, problems: &mut Problems) -> Option<Destination> {
    let service = scope.resolve(&target, place, problems);
    if target.template.as_ref().is_some_and(Template::has_query) {
        problems.add(place, "has a query; a forwarded call keeps the client's");
    }
    Some(Destination { service: service?, path: target.template, replaced: None })
}

fn batch(settings: BatchSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Action> {
    let most = settings.most?.unwrap_or(10);
    if !(1..=100).contains(&most) {
        problems.add(&place.at("most"), format!("is {most}, must be from 1 to 100"));
    }
    Some(Action::Batch(Batch {
        most: usize::try_from(most).ok()?,
        max_body: settings.max_body?.map_or(256 << 10, |size| size.0),
        max_answer: settings.max_answer?.map_or(4 << 20, |size| size.0),
    }))
}
