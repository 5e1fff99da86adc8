//! A part of an aggregate, from what is written of it.

use super::action::{InnerScope, Scope};
use super::aggregate::{conditions, steps};
use super::document::{PartSettings, SpreadSettings};
use crate::aggregate::plan::{Batch, Each, Otherwise, Part, PartCall, Placed, Reading};
use crate::aggregate::words::{Empty, Format, Statuses};
use crate::json::{self, Bounds};
use crate::policy::field_edits::field_name;
use crate::policy::headers;
use crate::resilience::bounds::within;
use crate::resilience::retry::RetryRule;
use crate::running::CONNECTIONS;
use crate::settings::{Named, OneOrMany, OrNone, Place, Problems};
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
    let batch = settings.batch?;
    let mut of = settings.for_each?;
    let inner = scope.inner.map(|inner| InnerScope {
        has_item: of.is_some() && batch.is_none(),
        has_keys: of.is_some() && batch.is_some(),
        ..inner
    });
    // What is asked for before there is an element.
    let outer = scope;
    let scope = &Scope { inner, ..*scope };

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
    if written.len() != 1 {
        if !is_faulty {
            problems.add(place, "must have exactly one of \"get\", \"post\", \"put\", \"patch\" and \"delete\"");
        }
        return None;
    }
    let (key, method, target) = written.pop()?;
    let place_of_target = place.at(key);
    if target.template.is_none() {
        problems.add(&place_of_target, "lacks a path; write \"service:/path\"");
    }
    let mut target = target;
    if let Some(template) = &mut target.template {
        template.for_each_source(&mut |source| take_inner(source, scope));
    }
    let service = scope.resolve(&target, &place_of_target, problems);

    let query = texts(settings.query?, scope, &place.at("query"), problems, |name, _, _| Some(name.to_owned()));
    let headers = texts(settings.headers?, scope, &place.at("headers"), problems, field_name);
    let client_headers = client_headers(settings.client_headers?, &place.at("client_headers"), problems);
    let body = settings.body?.map(|node| {
        let place = place.at("body");
        let mut template = JsonTemplate::compile(&node, &place, problems);
        template.for_each_source(&mut |source| take_inner(source, scope));
        scope.check(template.sources().into_iter(), "", &place, problems);
        template
    });
    if body.is_some() && method == "GET" {
        problems.add(&place.at("body"), "cannot go with a \"get\"");
    }
    let when = conditions(settings.when?, outer, &place.at("when"), problems);
    if let Some(source) = &mut of {
        take_inner(source, outer);
        let place = place.at("for_each");
        scope_check_array(source, outer, &place, problems);
    }
    let each = match of {
        Some(of) => {
            let parallel = settings.parallel?.unwrap_or(MOST_PARALLEL);
            let parallel = within(parallel, 1..=MOST_PARALLEL, &place.at("parallel"), problems)?;
            let most = within(settings.most?.unwrap_or(DEFAULT_MOST), 1..=10_000, &place.at("most"), problems)?;
            let (most, parallel) = (most as usize, parallel as usize);
            let batch = match batch {
                Some(SpreadSettings { by, matching, size }) => {
                    let (by, size) = (by?, size?.map_or(most, |size| size.max(1) as usize));
                    Some(Batch { matching: matching?.unwrap_or_else(|| by.clone()), by, size })
                }
                None => None,
            };
            Some(Each { of, most, parallel, into: settings.into?.map(|name| json::string(&name)), batch })
        }
        None => {
            let of_no_use = [
                ("most", settings.most?.is_some()),
                ("parallel", settings.parallel?.is_some()),
                ("into", settings.into?.is_some()),
                ("batch", batch.is_some()),
            ];
            for (key, _) in of_no_use.into_iter().filter(|(_, is_written)| *is_written) {
                problems.add(&place.at(key), "is of no use without \"for_each\"");
            }
            None
        }
    };
    let statuses = |written: Option<OneOrMany<u32>>, key: &str, problems: &mut Problems| -> Option<Vec<u16>> {
        let read =
            |status| within(status, 200..=599, &place.at(key), problems).and_then(|status| status.try_into().ok());
        let statuses: Vec<Option<u16>> = written.map(|many| many.0).unwrap_or_default().into_iter().map(read).collect();
        statuses.into_iter().collect()
    };
    let null_on = statuses(settings.null_on?, "null_on", problems);
    let success = settings.success.map(|written| written.map_or(vec![Statuses::Hundred(2)], |many| many.0));
    let depth =
        within(settings.max_depth?.unwrap_or(Bounds::default().depth), 1..=512, &place.at("max_depth"), problems);
    let shaping = steps(settings.shaping, settings.shape, place, problems);
    let otherwise = match (settings.stand_in?, settings.optional?.unwrap_or(false)) {
        (Some(value), false) => Otherwise::StandIn(value.to_json()),
        (None, true) => Otherwise::LeaveOut,
        (None, false) => Otherwise::Fail,
        (Some(_), true) => {
            problems.add(place, "has \"else\" and \"optional\": something stands in for it, or it is left out");
            Otherwise::Fail
        }
    };
    let placed = match (settings.spread?.unwrap_or(false), settings.hidden?.unwrap_or(false)) {
        (false, false) => Placed::Named,
        (true, false) => Placed::Spread,
        (false, true) => Placed::Hidden,
        (true, true) => {
            problems.add(place, "is \"spread\" and \"hidden\"");
            Placed::Hidden
        }
    };
    let service = service?;
    let retry = match settings.retry? {
        Some(OrNone(Some(retry))) => RetryRule::compile(retry, &place.at("retry"), problems),
        Some(OrNone(None)) => None,
        None => service.retry.clone(),
    };
    let success = success?;
    // What is read beside 200 to 299: other statuses that are no failure.
    let read = (300..600u16).filter(|status| success.iter().any(|statuses| statuses.include(*status)));
    let reads: String = read.map(|status| format!("{status},")).collect();
    let call = PartCall {
        method,
        path: target.template?,
        query,
        headers,
        client_headers,
        body,
        timeout: settings.timeout?.map_or(service.timeout, |limit| limit.0),
        // What writes is never made again.
        retry: retry.filter(|_| method == "GET"),
        max_answer: settings.max_answer?.map_or(service.max_answer, |size| size.0),
        reads: reads.into(),
        wants: "".into(),
        service,
    };
    let reading = Reading {
        success,
        null_on: null_on?,
        empty: settings.empty?.unwrap_or(Empty::Null),
        format: settings.format?.unwrap_or(Format::Json),
        bounds: Bounds { depth: depth?, elements: settings.max_elements?.unwrap_or(Bounds::default().elements) },
        shaping: shaping?,
    };
    let spelled = json::string(name);
    let mut part =
        Part { name: name.to_owned(), spelled, call, when, each, reading, otherwise, placed, after: Vec::new() };
    let names = scope.inner.map(|inner| inner.parts).unwrap_or_default();
    let asked = part.sources().filter_map(Source::part);
    let mut after: Vec<usize> = asked.filter_map(|part| names.iter().position(|name| name == part)).collect();
    after.sort_unstable();
    after.dedup();
    part.after = after;
    Some(part)
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

fn scope_check_array(source: &Source, scope: &Scope<'_>, place: &Place<'_>, problems: &mut Problems) {
    scope.check([source].into_iter(), "", place, problems);
    if !matches!(source, Source::Inner(Inner::Part { .. } | Inner::Body(_)) | Source::Claim(_)) {
        problems.add(place, "must be a value of a part, of the client's body, or a claim: others are no arrays");
    }
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
            if headers::is_claim_of_the_client(&name) {
                problems
                    .add(place, format!("names {name:?}, by which a client could claim what only the gateway may say"));
            }
            names.push(name);
        }
    }
    names
}
