//! A part of an aggregate, from what is written of it.

use super::action::{InnerScope, Scope};
use super::aggregate::{conditions, steps};
use super::document::{PartSettings, SpreadSettings};
use crate::aggregate::plan::{Batch, Each, Otherwise, Part, PartCall, Placed, Reading};
use crate::aggregate::words::{Empty, Format, Statuses};
use crate::allowance::CONNECTIONS;
use crate::json::{self, Bounds};
use crate::policy::field_edits::field_name;
use crate::policy::headers;
use crate::resilience::bounds::within;
use crate::resilience::retry::RetryRule;
use crate::settings::{Named, Node, OneOrMany, OrNone, Place, Problems};
use crate::template::{Inner, JsonTemplate, Source, TextTemplate, Texts};

const DEFAULT_MOST: u32 = 20;
const MOST_PARALLEL: u32 = CONNECTIONS as u32;

/// Compiles a part; notes each fault. Which parts it asks for is known by the names of `scope`.
pub fn compile(
    name: &str,
    settings: PartSettings,
    scope: &Scope<'_>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Part> {
    // Within a call there may be an element; conditions and the array itself come before.
    let of_call = Scope { inner: inner_scope(&settings, scope), ..*scope };
    let otherwise = otherwise(&settings, place, problems);
    let placed = placed(&settings, place, problems);
    let when = settings.when.clone().map(|when| conditions(when, scope, &place.at("when"), problems));
    let each = each(&settings, scope, place, problems);
    // Each is compiled for its faults, also where another has one.
    let reading = reading(&settings, place, problems);
    let call = call(settings, reading.as_ref(), &of_call, place, problems);
    let spelled = json::string(name);
    let mut part = Part {
        name: name.to_owned(),
        spelled,
        call: call?,
        when: when?,
        each: each?,
        reading: reading?,
        otherwise: otherwise?,
        placed: placed?,
        after: Vec::new(),
    };
    let names = scope.inner.map(|inner| inner.parts).unwrap_or_default();
    let asked = part.sources().filter_map(Source::part);
    let mut after: Vec<usize> = asked.filter_map(|part| names.iter().position(|name| name == part)).collect();
    after.sort_unstable();
    after.dedup();
    part.after = after;
    Some(part)
}

/// What the texts of a part's call may refer to.
fn inner_scope<'r>(settings: &PartSettings, scope: &Scope<'r>) -> Option<InnerScope<'r>> {
    let is_each = !matches!(settings.for_each, Some(None));
    let is_batch = !matches!(settings.batch, Some(None));
    scope.inner.map(|inner| InnerScope { has_item: is_each && !is_batch, has_keys: is_each && is_batch, ..inner })
}

fn otherwise(settings: &PartSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Otherwise> {
    match (settings.stand_in.as_ref()?, settings.optional?.unwrap_or(false)) {
        (Some(value), false) => Some(Otherwise::StandIn(value.to_json())),
        (None, true) => Some(Otherwise::LeaveOut),
        (None, false) => Some(Otherwise::Fail),
        (Some(_), true) => {
            problems.add(place, "has \"else\" and \"optional\": something stands in for it, or it is left out");
            None
        }
    }
}

fn placed(settings: &PartSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Placed> {
    match (settings.spread?.unwrap_or(false), settings.hidden?.unwrap_or(false)) {
        (false, false) => Some(Placed::Named),
        (true, false) => Some(Placed::Spread),
        (false, true) => Some(Placed::Hidden),
        (true, true) => {
            problems.add(place, "is \"spread\" and \"hidden\"");
            None
        }
    }
}

/// The array that the part is made for each element of; the inner `None` is one that is made once.
fn each(
    settings: &PartSettings,
    scope: &Scope<'_>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Option<Each>> {
    let Some(mut of) = settings.for_each.clone()? else {
        let of_no_use = [
            ("most", settings.most?.is_some()),
            ("parallel", settings.parallel?.is_some()),
            ("into", settings.into.as_ref()?.is_some()),
            ("batch", settings.batch.as_ref()?.is_some()),
        ];
        for (key, _) in of_no_use.into_iter().filter(|(_, is_written)| *is_written) {
            problems.add(&place.at(key), "is of no use without \"for_each\"");
        }
        return Some(None);
    };
    let place_of_array = place.at("for_each");
    take_inner(&mut of, scope);
    scope.check([&of].into_iter(), "", &place_of_array, problems);
    if !matches!(of, Source::Inner(Inner::Part { .. } | Inner::Body(_)) | Source::Claim(_)) {
        problems
            .add(&place_of_array, "must be a value of a part, of the client's body, or a claim: others are no arrays");
    }
    let parallel =
        within(settings.parallel?.unwrap_or(MOST_PARALLEL), 1..=MOST_PARALLEL, &place.at("parallel"), problems);
    let most = within(settings.most?.unwrap_or(DEFAULT_MOST), 1..=10_000, &place.at("most"), problems);
    let (most, parallel) = (most? as usize, parallel? as usize);
    let batch = match settings.batch.clone()? {
        Some(SpreadSettings { by, matching, size }) => {
            let (by, size) = (by?, size?);
            if size == Some(0) {
                problems.add(&place.at("batch").at("size"), "is 0, must be at least 1");
            }
            let size = size.map_or(most, |size| size.max(1) as usize);
            Some(Batch { matching: matching?.unwrap_or_else(|| by.clone()), by, size })
        }
        None => None,
    };
    let into = settings.into.as_ref()?.as_ref().map(|name| json::string(name));
    Some(Some(Each { of, most, parallel, into, batch }))
}

/// What of an answer counts, and how.
fn reading(settings: &PartSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Reading> {
    let place_of_null = place.at("null_on");
    let mut status =
        |status| within(status, 200..=599, &place_of_null, problems).and_then(|status| status.try_into().ok());
    let null_on = settings.null_on.clone().map(|statuses| {
        // Collected in two steps, so that a fault does not hide the next.
        let statuses: Vec<Option<u16>> =
            statuses.map(|many| many.0).unwrap_or_default().into_iter().map(&mut status).collect();
        statuses.into_iter().collect::<Option<Vec<u16>>>()
    });
    let default = Bounds::default();
    let depth = settings
        .max_depth
        .and_then(|depth| within(depth.unwrap_or(default.depth), 1..=512, &place.at("max_depth"), problems));
    let shaping = steps(settings.shaping.clone(), settings.shape.clone(), place, problems);
    Some(Reading {
        success: settings.success.clone()?.map_or(vec![Statuses::Hundred(2)], |many| many.0),
        null_on: null_on??,
        empty: settings.empty?.unwrap_or(Empty::Null),
        format: settings.format?.unwrap_or(Format::Json),
        bounds: Bounds { depth: depth?, elements: settings.max_elements?.unwrap_or(default.elements) },
        shaping: shaping?,
    })
}

/// What is asked of the service.
fn call(
    settings: PartSettings,
    reading: Option<&Reading>,
    scope: &Scope<'_>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<PartCall> {
    let methods = [
        ("get", "GET", settings.get),
        ("post", "POST", settings.post),
        ("put", "PUT", settings.put),
        ("patch", "PATCH", settings.patch),
        ("delete", "DELETE", settings.delete),
    ];
    let is_faulty = methods.iter().any(|(_, _, target)| target.is_none());
    let mut written: Vec<_> =
        methods.into_iter().filter_map(|(key, method, target)| Some((key, method, target??))).collect();
    if written.len() != 1 && !is_faulty {
        problems.add(place, "must have exactly one of \"get\", \"post\", \"put\", \"patch\" and \"delete\"");
    }
    let query = settings
        .query
        .map(|query| texts(query, scope, &place.at("query"), problems, |name, _, _| Some(name.to_owned())));
    let headers = settings.headers.map(|headers| texts(headers, scope, &place.at("headers"), problems, field_name));
    let client_headers =
        settings.client_headers.map(|names| client_headers(names, &place.at("client_headers"), problems));
    let client_query = settings.client_query.map(|names| names.map(|names| names.0).unwrap_or_default());
    let body = settings.body.map(|body| body.map(|body| json_body(&body, scope, &place.at("body"), problems)));
    let retry = settings.retry.map(|retry| {
        retry.map(|OrNone(rule)| rule.and_then(|rule| RetryRule::compile(rule, &place.at("retry"), problems)))
    });
    let is_for_get = written.iter().all(|(_, method, _)| *method == "GET");
    if matches!(retry, Some(Some(Some(_)))) && !is_for_get {
        problems.add(&place.at("retry"), "is for a \"get\"; what writes is never made again");
    }
    let (key, method, mut target) = written.pop().filter(|_| written.is_empty())?;
    if matches!(body, Some(Some(_))) && method == "GET" {
        problems.add(&place.at("body"), "cannot go with a \"get\"");
    }
    let place = place.at(key);
    match &mut target.template {
        Some(template) => template.for_each_source(&mut |source| take_inner(source, scope)),
        None => problems.add(&place, "lacks a path; write \"service:/path\""),
    }
    let service = scope.resolve(&target, &place, problems)?;
    // What is read beside 200 to 299: other statuses that are no failure.
    let is_read = |status: &u16| reading.is_some_and(|reading| reading.success.iter().any(|of| of.include(*status)));
    let reads: String = (300..600u16).filter(is_read).map(|status| format!("{status},")).collect();
    Some(PartCall {
        method,
        path: target.template?,
        query: query?,
        headers: headers?,
        client_headers: client_headers?,
        client_query: client_query?,
        body: body?,
        timeout: settings.timeout?.map_or(service.timeout, |limit| limit.0),
        // What writes is never made again.
        retry: retry?.unwrap_or_else(|| service.retry.clone()).filter(|_| method == "GET"),
        max_answer: settings.max_answer?.map_or(service.max_answer, |size| size.0),
        reads: reads.into(),
        wants: "".into(),
        may_have_equal: true,
        service,
    })
}

impl Part {
    /// All values that it asks for.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        let PartCall { path, query, headers, body, .. } = &self.call;
        let texts = query.iter().chain(headers).flat_map(|(_, text)| text.sources());
        let body = body.iter().flat_map(JsonTemplate::sources);
        let each = self.each.iter().map(|each| &each.of);
        path.sources().chain(texts).chain(body).chain(each).chain(self.when.iter().map(|(source, _)| source))
    }
}

/// Takes a name that the route does not capture for a value of the aggregate, if there is one of that name.
pub fn take_inner(source: &mut Source, scope: &Scope<'_>) {
    if let Source::Param(name) = source
        && !scope.captures(name)
        && let Some(inner) = Inner::of_name(name)
    {
        *source = Source::Inner(inner);
    }
}

fn json_body(node: &Node, scope: &Scope<'_>, place: &Place<'_>, problems: &mut Problems) -> JsonTemplate {
    let mut template = JsonTemplate::compile(node, place, problems);
    template.for_each_source(&mut |source| take_inner(source, scope));
    scope.check(template.sources().into_iter(), "", place, problems);
    template
}

/// Texts by name, each with its values checked.
fn texts(
    written: Named<TextTemplate>,
    scope: &Scope<'_>,
    place: &Place<'_>,
    problems: &mut Problems,
    name_of: impl Fn(&str, &Place<'_>, &mut Problems) -> Option<String>,
) -> Vec<(String, TextTemplate)> {
    let mut texts = Vec::new();
    for (name, text) in written.0 {
        let place = place.at(&name);
        let (Some(name), Some(mut text)) = (name_of(&name, &place, problems), text) else { continue };
        text.for_each_source(&mut |source| take_inner(source, scope));
        scope.check(text.sources(), "", &place, problems);
        texts.push((name, text));
    }
    texts
}

fn client_headers(written: Option<OneOrMany<String>>, place: &Place<'_>, problems: &mut Problems) -> Vec<String> {
    let mut names = Vec::new();
    for name in written.map(|many| many.0).unwrap_or_default() {
        if let Some(name) = field_name(&name, place, problems) {
            if headers::is_about_the_body(&name) {
                problems.add(place, format!("names {name:?}, which asks for another answer, and is of this one alone"));
            } else if headers::is_claim_of_the_client(&name) {
                problems
                    .add(place, format!("names {name:?}, by which a client could claim what only the gateway may say"));
            }
            names.push(name);
        }
    }
    names
}
