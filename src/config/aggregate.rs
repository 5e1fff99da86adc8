//! An aggregate, from its parts and its answer as they are written: which part asks for which, and
//! whether that can be.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::action::{InnerScope, Scope};
use super::document::{AnswerSettings, PartSettings, StatusSettings};
use super::part;
use crate::aggregate::plan::{Aggregate, Part, Placed, Rule, StatusTable, Variant};
use crate::aggregate::words::{Form, HeaderRule, StatusOfWhole, Statuses};
use crate::gateway::Action;
use crate::json;
use crate::policy::field_edits::field_name;
use crate::router::ValueTest;
use crate::settings::OneOrMany;
use crate::settings::{FromNode, Named, Node, Place, Problems};
use crate::shaping::{Shaping, ShapingSettings};
use crate::template::{Inner, Source};

const DEFAULT_MAX_SIZE: u32 = 8 << 20;
const DEFAULT_MAX_BODY: u32 = 64 << 10;

/// Header fields of parts' answers that the gateway always asks for.
const ALWAYS_WANTED: [&str; 4] = ["cache-control", "age", "retry-after", "vary"];

/// Header fields that the gateway itself says of the whole.
const OWN_FIELDS: [&str; 7] =
    ["cache-control", "content-type", "content-encoding", "content-length", "etag", "vary", "age"];

/// Beginnings of names of such fields; of origins, `cors` says what there is to say.
const OWN_FIELDS_BY_PREFIX: [&str; 2] = ["x-postern-", "access-control-"];

/// The most steps of a shaping, each of which may nest a value deeper.
const MOST_SHAPES: usize = 64;

/// Compiles an aggregate; notes each fault.
pub fn compile(
    parts: Named<PartSettings>,
    answer: Option<AnswerSettings>,
    scope: &Scope<'_>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Action> {
    let place_of_parts = place.at("aggregate");
    if parts.0.is_empty() {
        problems.add(&place_of_parts, "is empty");
    }
    let names: Vec<String> = parts.0.iter().map(|(name, _)| name.clone()).collect();
    let inner = InnerScope { parts: &names, has_item: false, has_keys: false };
    let scope = Scope { inner: Some(inner), ..*scope };
    let compiled: Vec<Option<Part>> = parts
        .0
        .into_iter()
        .map(|(name, settings)| part::compile(&name, settings?, &scope, &place_of_parts.at(&name), problems))
        .collect();
    let parts: Option<Vec<Part>> = compiled.into_iter().collect();
    let answer = match answer {
        Some(answer) => self::answer(answer, &names, &scope, &place.at("answer"), problems),
        None => self::answer(nothing(problems)?, &names, &scope, &place.at("answer"), problems),
    };
    let (mut parts, mut answer) = (parts?, answer?);
    if answer.form == Form::Value && parts.iter().filter(|part| part.placed != Placed::Hidden).count() != 1 {
        problems.add(&place.at("answer").at("form"), "is \"value\", which is of the one part that is not \"hidden\"");
    }
    for (at, variant) in answer.variants.iter().enumerate() {
        let named = variant.parts.iter().flatten().filter_map(|number| parts.get(*number));
        for part in named.filter(|part| part.placed == Placed::Hidden) {
            let message = format!("names {:?}, which is \"hidden\"", part.name);
            problems.add(&place.at("answer").at("variants").at(at).at("parts"), message);
        }
    }
    check_stream(&parts, &answer, &place.at("answer"), problems);
    if let Some(circle) = circle(&parts) {
        let circle: Vec<&str> = circle.iter().filter_map(|at| names.get(*at)).map(String::as_str).collect();
        problems.add(&place_of_parts, format!("has parts that wait for each other: {}", circle.join(", then ")));
    }
    check_calls(&parts, &scope, &place_of_parts, problems);
    mark_equals(&mut parts);
    want_fields(&mut parts, &answer);
    let shared = scope.request_headers.additions().iter().flat_map(|(_, text)| text.sources());
    let of_services = parts.iter().flat_map(|part| &part.call.service.headers).flat_map(|(_, text)| text.sources());
    let of_variants = answer.variants.iter().flat_map(|variant| variant.when.iter().map(|(source, _)| source));
    let asked: Vec<&Source> =
        parts.iter().flat_map(Part::sources).chain(shared).chain(of_services).chain(of_variants).collect();
    answer.vary = vary(&asked, &parts, !answer.stream.is_empty());
    // Whatever names the caller, known to the gateway or not; a cookie does too.
    let names_caller = |name: &str| matches!(name, "authorization" | "cookie");
    answer.is_private = !scope.is_public
        || asked.iter().any(|source| match source {
            Source::ClientAddress | Source::Cookie(_) => true,
            Source::Header(name) => names_caller(name),
            _ => false,
        })
        || parts.iter().flat_map(|part| &part.call.client_headers).any(|name| names_caller(name));
    let reads_body = parts.iter().flat_map(Part::sources).any(|source| matches!(source, Source::Inner(Inner::Body(_))));
    let may_be_kept = !reads_body && parts.iter().all(Part::only_reads);
    Some(Action::Aggregate(Arc::new(Aggregate { parts, answer, reads_body, may_be_kept })))
}

/// An answer of which nothing is said.
fn nothing(problems: &mut Problems) -> Option<AnswerSettings> {
    AnswerSettings::from_node(&Node::Object(Vec::new()), &Place::root(), problems)
}

fn answer(
    settings: AnswerSettings,
    names: &[String],
    scope: &Scope<'_>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Rule> {
    let shaping = steps(settings.shaping, settings.shape, place, problems);
    let form = settings.form?.unwrap_or_default();
    let errors = settings.errors?;
    if errors.is_some() && form != Form::Object {
        problems.add(&place.at("errors"), "is a member of an object; the answer has another \"form\"");
    }
    if errors.as_ref().is_some_and(|name| names.contains(name)) {
        problems.add(&place.at("errors"), "is the name of a part");
    }
    let equal_keys = settings.equal_keys?;
    if equal_keys.is_some() && form != Form::Object {
        problems.add(&place.at("equal_keys"), "is for members of an object; the answer has another \"form\"");
    }
    let headers = headers(settings.headers?, names, &place.at("headers"), problems);
    let variants = settings.variants?.map(|variants| variants.0).unwrap_or_default();
    let place_of_variants = place.at("variants");
    let variants = variants.into_iter().enumerate().map(|(at, variant)| {
        let (place, variant) = (place_of_variants.at(at), variant?);
        let request_scope = Scope { inner: None, ..*scope };
        let when = conditions(variant.when?, &request_scope, &place.at("when"), problems);
        let shaping = steps(variant.shaping, Some(None), &place, problems);
        let place = place.at("parts");
        let parts = variant.parts?.map(|parts| {
            if parts.0.is_empty() {
                problems.add(&place, "is empty");
            }
            let named = parts.0.iter().enumerate();
            let numbers = named.filter_map(|(at, name)| number_of(name.as_ref()?, names, &place.at(at), problems));
            numbers.collect()
        });
        Some(Variant { when, parts, shaping: shaping? })
    });
    let variants: Vec<Option<Variant>> = variants.collect();
    let status = status(settings.status?, &place.at("status"), problems);
    let stream = settings.stream?.map(|forms| forms.0).unwrap_or_default();
    Some(Rule {
        form,
        equal_keys: equal_keys.unwrap_or_default(),
        status: status?,
        errors: errors.map(|name| json::string(&name)),
        headers,
        etag: settings.etag?,
        fields: settings.fields?.unwrap_or(false),
        shaping: shaping?,
        variants: variants.into_iter().collect::<Option<_>>()?,
        stream,
        max_size: settings.max_size?.map_or(DEFAULT_MAX_SIZE, |size| size.0) as usize,
        max_body: settings.max_body?.map_or(DEFAULT_MAX_BODY, |size| size.0),
        vary: String::new(),
        is_private: true,
    })
}

/// The steps of a shaping: what stands beside others, then those of a list. Those that do nothing are left
/// out.
pub fn steps(
    own: ShapingSettings,
    then: Option<Option<OneOrMany<ShapingSettings>>>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Vec<Shaping>> {
    let place_of_steps = place.at("shape");
    let mut steps = vec![Shaping::compile(own, place, problems)];
    let then = then?.map(|steps| steps.0).unwrap_or_default();
    if then.len() > MOST_SHAPES {
        problems.add(&place_of_steps, format!("has {} steps, must have at most {MOST_SHAPES}", then.len()));
    }
    for (at, step) in then.into_iter().enumerate() {
        steps.push(Shaping::compile(step, &place_of_steps.at(at), problems));
    }
    let steps: Option<Vec<Shaping>> = steps.into_iter().collect();
    Some(steps?.into_iter().filter(|step| !step.is_nothing()).collect())
}

/// Conditions on values, by their names.
pub fn conditions(
    written: Named<ValueTest>,
    scope: &Scope<'_>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Vec<(Source, ValueTest)> {
    let mut conditions = Vec::new();
    for (name, test) in written.0 {
        let place = place.at(&name);
        match Source::named(&name) {
            Ok(mut source) => {
                part::take_inner(&mut source, scope);
                scope.check([&source].into_iter(), "", &place, problems);
                conditions.extend(test.map(|test| (source, test)));
            }
            Err(why) => problems.add(&place, why),
        }
    }
    conditions
}

/// The number of the part of this name; notes a name that stands for none.
fn number_of(name: &str, names: &[String], place: &Place<'_>, problems: &mut Problems) -> Option<usize> {
    let number = names.iter().position(|other| other == name);
    if number.is_none() {
        let known = names.iter().map(String::as_str);
        problems.add_unknown(place, format!("names the part {name:?}, which does not exist"), name, known);
    }
    number
}

fn headers(
    written: Named<HeaderRule>,
    names: &[String],
    place: &Place<'_>,
    problems: &mut Problems,
) -> Vec<(String, HeaderRule)> {
    let mut headers = Vec::new();
    for (name, rule) in written.0 {
        let place = place.at(&name);
        let Some(name) = field_name(&name, &place, problems) else { continue };
        if OWN_FIELDS.contains(&name.as_str()) || OWN_FIELDS_BY_PREFIX.iter().any(|prefix| name.starts_with(prefix)) {
            problems.add(&place, "is what the gateway itself says of the whole");
        }
        if headers.iter().any(|(other, _)| *other == name) {
            problems.add(&place, "is there twice");
        }
        match rule {
            Some(HeaderRule::Of(part)) => {
                number_of(&part, names, &place.at("of"), problems);
                headers.push((name, HeaderRule::Of(part)));
            }
            Some(rule) => headers.push((name, rule)),
            None => {}
        }
    }
    headers
}

fn status(settings: Option<StatusSettings>, place: &Place<'_>, problems: &mut Problems) -> Option<StatusTable> {
    let not_found = vec![(Statuses::One(404), StatusOfWhole::Same)];
    let Some(settings) = settings else {
        return Some(StatusTable {
            complete: 200,
            partial: 200,
            all_failed: 200,
            required: not_found,
            failed: None,
            timeout: 504,
        });
    };
    let mut within = |status: Option<u32>, key: &str, from: u16, to: u16| -> Option<u16> {
        let status = status?;
        match u16::try_from(status) {
            // Without a body there is nothing to put together.
            Ok(fine) if (from..=to).contains(&fine) && !matches!(fine, 204 | 205 | 304) => Some(fine),
            _ => {
                problems.add(&place.at(key), format!("is {status}, must be from {from} to {to}, and have a body"));
                None
            }
        }
    };
    let complete = within(settings.complete?, "complete", 200, 299).unwrap_or(200);
    let partial = within(settings.partial?, "partial", 200, 599).unwrap_or(200);
    let all_failed = within(settings.all_failed?, "all_failed", 200, 599).unwrap_or(partial);
    let failed = within(settings.failed?, "failed", 400, 599);
    let timeout = within(settings.timeout?, "timeout", 400, 599).unwrap_or(504);
    let place = place.at("required");
    let required = match settings.required? {
        None => not_found,
        Some(rows) => {
            let rows = rows.0.into_iter().filter_map(|(of, status)| {
                let place = place.at(&of);
                let node = of.parse::<u32>().map_or(Node::String(of.clone()), |status| Node::Number(status.into()));
                let of = Statuses::from_node(&node, &place, problems)?;
                let status = status?;
                if status == StatusOfWhole::Same && !of.are_errors() {
                    problems.add(&place, "is \"same\", which is for statuses from 400 on");
                }
                Some((of, status))
            });
            rows.collect()
        }
    };
    Some(StatusTable { complete, partial, all_failed, required, failed, timeout })
}

/// Notes what is said of the whole where it can be written part by part, so that there is no whole.
fn check_stream(parts: &[Part], answer: &Rule, place: &Place<'_>, problems: &mut Problems) {
    let is_spread = |part: &Part| part.placed == Placed::Spread;
    let of_the_whole = [
        (answer.form != Form::Object, "an answer that is no object"),
        (
            !answer.shaping.is_empty() || answer.variants.iter().any(|variant| !variant.shaping.is_empty()),
            "shaping of the whole",
        ),
        (!answer.headers.is_empty(), "header fields of the parts"),
        (parts.iter().any(is_spread), "parts that are spread"),
    ];
    for (_, what) in of_the_whole.iter().filter(|(is_there, _)| *is_there && !answer.stream.is_empty()) {
        let what = format!("writes part by part, which cannot be with {what}");
        problems.add_with_help(&place.at("stream"), what, "shape the parts, or have another route for streams");
    }
}

/// The numbers of parts that wait for each other, if there are such.
fn circle(parts: &[Part]) -> Option<Vec<usize>> {
    let mut is_done = vec![false; parts.len()];
    loop {
        let can_run = |at: &usize| -> bool {
            let after = parts.get(*at).map(|part| part.after.as_slice()).unwrap_or_default();
            after.iter().all(|before| is_done.get(*before) == Some(&true))
        };
        let left: Vec<usize> = (0..parts.len()).filter(|at| is_done.get(*at) == Some(&false)).collect();
        let ready: Vec<usize> = left.iter().copied().filter(can_run).collect();
        match (left.is_empty(), ready.is_empty()) {
            (true, _) => return None,
            (false, true) => return Some(left),
            (false, false) => {
                is_done.iter_mut().enumerate().for_each(|(at, done)| *done |= ready.contains(&at));
            }
        }
    }
}

/// Notes an aggregate that may need more calls than one request can make.
fn check_calls(parts: &[Part], scope: &Scope<'_>, place: &Place<'_>, problems: &mut Problems) {
    let calls: usize = parts
        .iter()
        .map(|part| match &part.each {
            None => 1,
            Some(each) => each.batch.as_ref().map_or(each.most, |batch| each.most.div_ceil(batch.size)),
        })
        .sum();
    let most = scope.known.max_calls;
    if calls > most as usize {
        problems.add_with_help(
            place,
            format!("may need {calls} calls, and one request can make {most}"),
            "lower \"most\", or raise \"max_calls\" of the file if the platform allows it",
        );
    }
}

/// Says which calls may have equals: those of another part, and for the elements of an array each other.
fn mark_equals(parts: &mut [Part]) {
    let has_equal = |(at, part): (usize, &Part)| {
        let mut others = parts.iter().enumerate().filter(|(other, _)| *other != at || part.each.is_some());
        others.any(|(_, other)| part.call.can_be_equal(&other.call))
    };
    let marks: Vec<bool> = parts.iter().enumerate().map(has_equal).collect();
    for (part, mark) in parts.iter_mut().zip(marks) {
        part.call.may_have_equal = mark;
    }
}

/// Says which header fields of the answers are wanted.
fn want_fields(parts: &mut [Part], answer: &Rule) {
    let asked: Vec<(String, String)> = parts
        .iter()
        .flat_map(Part::sources)
        .filter_map(|source| match source {
            Source::Inner(Inner::Reply { part, field }) => Some((part.clone(), field.clone())),
            _ => None,
        })
        .collect();
    for part in parts {
        let mut wanted: BTreeSet<&str> = ALWAYS_WANTED.into();
        wanted.extend(asked.iter().filter(|(name, _)| *name == part.name).map(|(_, field)| field.as_str()));
        let returned = answer.headers.iter().filter(|(_, rule)| match rule {
            HeaderRule::Of(name) => *name == part.name,
            _ => true,
        });
        let mut returned = returned.map(|(name, _)| name.as_str()).peekable();
        if returned.peek().is_some() {
            // It says which fields are for one hop alone.
            wanted.insert("connection");
        }
        wanted.extend(returned);
        wanted.extend(part.call.service.follow_redirects.then_some("location"));
        part.call.wants = wanted.into_iter().collect::<Vec<_>>().join(",").into();
    }
}

/// The header fields of the client's that the answer hangs on.
fn vary(asked: &[&Source], parts: &[Part], is_by_accept: bool) -> String {
    let mut names: BTreeSet<&str> = asked
        .iter()
        .filter_map(|source| match source {
            Source::Header(name) => Some(name.as_str()),
            Source::Cookie(_) => Some("cookie"),
            _ => None,
        })
        .collect();
    names.extend(parts.iter().flat_map(|part| &part.call.client_headers).map(String::as_str));
    names.extend(is_by_accept.then_some("accept"));
    names.into_iter().collect::<Vec<_>>().join(", ")
}
