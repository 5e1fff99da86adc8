//! The parts as one answer: its body, its status and its header fields.

use std::cell::OnceCell;

use super::caching::{self, NO_STORE};
use super::ended::{Ended, RoomOfWhole};
use super::failure::PartError;
use super::part::{Done, Stopped};
use super::plan::{Aggregate, Otherwise, Part, Placed, Rule, Variant};
use super::words::{Form, HeaderRule};
use crate::answer::Response;
use crate::head::Headers;
use crate::json::tree::{Json, Key};
use crate::merge::{concatenated, members_of, merged};
use crate::path::push_encoded_value;
use crate::policy::headers::{Field, towards_client};
use crate::refusal::Refusal;
use crate::shaping::Shaping;
use crate::shaping::fields::Fields;
use crate::trace::Trace;

/// Tells whether every part is the service's own.
pub const COMPLETE: &str = "x-postern-complete";

/// Names the parts that are stand-ins, percent-encoded, separated by `, `.
pub const STAND_INS: &str = "x-postern-stand-ins";

/// Names the parts that are left out because they failed, in the same form.
pub const LEFT_OUT: &str = "x-postern-left-out";

/// What of the parts a client gets.
pub struct Chosen<'a> {
    /// The variant for it.
    pub variant: Option<&'a Variant>,
    /// The fields that it asks for.
    pub fields: Option<Fields>,
}

impl Chosen<'_> {
    /// Whether a part is in the answer.
    pub fn has(&self, at: usize, part: &Part) -> bool {
        part.placed != Placed::Hidden
            && self.variant.and_then(|variant| variant.parts.as_ref()).is_none_or(|parts| parts.contains(&at))
    }
}

/// The whole, before the file's changes to its header fields.
pub struct Composed {
    /// The answer.
    pub response: Response,
    /// Whether all of it is the services' own, so that it may be kept.
    pub is_complete: bool,
}

/// The whole; `may_be_kept` says whether caches can know the request again.
pub fn compose(
    aggregate: &Aggregate,
    chosen: &Chosen<'_>,
    done: &[OnceCell<Done>],
    may_be_kept: bool,
    trace: &Trace,
) -> Result<Composed, Stopped> {
    let (parts, rule) = (&aggregate.parts, &aggregate.answer);
    let all = parts.iter().zip(done).enumerate();
    let mut room = RoomOfWhole(rule.max_size);
    let ended = all.filter_map(|(at, (part, done))| Some(Ended::new(at, part, done.get()?, chosen, &mut room)));
    let ended: Vec<Ended<'_>> = ended.collect::<Result<_, _>>()?;

    let errors: Vec<PartError> = ended.iter().filter_map(|ended| ended.told(trace)).collect();
    let is_complete = errors.is_empty();
    let made = ended.iter().filter(|ended| ended.was_made()).count();
    let status = match errors.len() {
        0 => rule.status.complete,
        failed if failed == made => rule.status.all_failed,
        _ => rule.status.partial,
    };
    if status >= 400 {
        let errors = if rule.errors.is_some() { errors } else { Vec::new() };
        return Err(Stopped::Refused(Refusal::Composed { status, errors }));
    }
    let body = body(rule, chosen, &ended, &errors).map_err(|why| {
        trace.note(why);
        Stopped::Refused(Refusal::BadGateway)
    })?;
    let headers = header_fields(rule, &ended, &body, is_complete, may_be_kept);
    Ok(Composed { response: Response { status, headers, body }, is_complete })
}

/// The body: the parts put together, shaped, picked from, and with what is told of failures; the error is
/// for the log.
fn body(rule: &Rule, chosen: &Chosen<'_>, ended: &[Ended<'_>], errors: &[PartError]) -> Result<Vec<u8>, String> {
    // Texts and numbers have no way to fail to be written.
    let told = serde_json::to_string(errors).unwrap_or_default();
    let mut value = put_together(rule, chosen, ended)?;
    let mut steps = rule.shaping.iter().chain(chosen.variant.iter().flat_map(|variant| &variant.shaping)).peekable();
    if steps.peek().is_some() {
        value = Shaping::apply_all(steps, value.into())
            .map_err(|_| "the answer is without what is taken of it".to_owned())?;
        // The parts fitted as they were.
        if value.size() > rule.max_size {
            return Err("the answer is too large in its shape".to_owned());
        }
    }
    if let Some(fields) = &chosen.fields {
        value = fields.pick(value);
    }
    if let (Some(name), false) = (&rule.errors, errors.is_empty()) {
        value.open();
        if let Json::Object(members) = &mut value {
            let name = Key::spelled(name);
            members.retain(|(key, _)| key.name() != name.name());
            members.push((name, Json::Raw(&told)));
        }
    }
    Ok(value.to_text())
}

fn header_fields(rule: &Rule, ended: &[Ended<'_>], body: &[u8], is_complete: bool, may_be_kept: bool) -> Vec<Field> {
    let mut headers: Vec<Field> = vec![("content-type".into(), "application/json".into())];
    let returned = returned(rule, ended);
    // A cookie is for one caller.
    let is_private = rule.is_private || returned.iter().any(|(name, _)| name == "set-cookie");
    let cache_control = match is_complete && may_be_kept {
        true => {
            let answers = ended.iter().flat_map(|ended| &ended.done.answers);
            caching::strictest(answers.map(|answer| &answer.headers), is_private)
        }
        false => NO_STORE.to_owned(),
    };
    if !rule.vary.is_empty() {
        headers.push(("vary".into(), rule.vary.clone()));
    }
    headers.extend(returned);
    headers.push((COMPLETE.into(), is_complete.to_string()));
    for (name, is_of) in [(STAND_INS, false), (LEFT_OUT, true)] {
        let of = |ended: &&Ended<'_>| ended.failure.is_some() && (ended.part.otherwise == Otherwise::LeaveOut) == is_of;
        let names = names(ended.iter().filter(of).map(|ended| ended.part.name.as_str()));
        headers.extend((!names.is_empty()).then(|| (name.into(), names)));
    }
    if is_complete && rule.etag.unwrap_or(cache_control != NO_STORE) {
        headers.push(("etag".into(), caching::etag(body)));
    }
    headers.push(("cache-control".into(), cache_control));
    headers
}

/// The value of the whole, before it is shaped; the error is for the log.
fn put_together<'d>(rule: &Rule, chosen: &Chosen<'_>, ended: &[Ended<'d>]) -> Result<Json<'d>, String> {
    let visible = ended.iter().filter(|ended| chosen.has(ended.at, ended.part));
    let mut values = visible.filter_map(|ended| Some((ended.part, Json::Raw(ended.value()?))));
    match rule.form {
        Form::Value => Ok(values.next().map_or(Json::NULL, |(_, value)| value)),
        Form::Array => Ok(concatenated(
            values
                .map(|(part, value)| match part.placed {
                    Placed::Spread => value.into_elements(),
                    _ => vec![value],
                })
                .collect(),
        )),
        Form::Object => {
            let members = values.map(|(part, value)| match part.placed {
                Placed::Spread => {
                    members_of(value).ok_or_else(|| format!("part {} is no object, and cannot be spread", part.name))
                }
                _ => Ok(vec![(Key::spelled(&part.spelled), value)]),
            });
            let members = members.collect::<Result<Vec<_>, String>>()?;
            merged(members, &rule.equal_keys).map_err(|_| "several parts have an equal key".to_owned())
        }
    }
}

/// The header fields of the parts' answers that come back.
fn returned(rule: &Rule, ended: &[Ended<'_>]) -> Vec<Field> {
    let mut fields = Vec::new();
    for (name, which) in &rule.headers {
        let from = ended.iter().filter(|ended| !matches!(which, HeaderRule::Of(part) if *part != ended.part.name));
        let answers = from.flat_map(|ended| &ended.done.answers).map(|answer| &answer.headers);
        let of_answer = |headers: &Headers| -> Vec<String> {
            if towards_client(headers).remove.iter().any(|removed| removed == name) {
                return Vec::new();
            }
            let values = headers.iter().filter(|(other, value)| other == name && !shows_a_host(name, value));
            values.map(|(_, value)| value.to_owned()).collect()
        };
        let mut values: Vec<Vec<String>> = answers.map(of_answer).filter(|values| !values.is_empty()).collect();
        let kept = match which {
            HeaderRule::Append => values.concat(),
            HeaderRule::Last => values.pop().unwrap_or_default(),
            HeaderRule::First | HeaderRule::Of(_) => values.into_iter().next().unwrap_or_default(),
        };
        fields.extend(kept.into_iter().map(|value| (name.clone().into(), value)));
    }
    fields
}

/// Whether a field says at which host a service is, which is nobody's concern.
fn shows_a_host(name: &str, value: &str) -> bool {
    matches!(name, "location" | "content-location") && (!value.starts_with('/') || value.starts_with("//"))
}

fn names<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut text = String::new();
    for name in names {
        if !text.is_empty() {
            text.push_str(", ");
        }
        push_encoded_value(&mut text, name.as_bytes());
    }
    text
}
