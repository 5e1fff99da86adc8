//! Turning down what is not of the form that the file says, before anything is done for it.
//!
//! What is checked is what services get: the body is read whole, kept, and sent on byte by byte. It is JSON in
//! UTF-8 and not encoded, or no two readers would have to read the same.

use crate::gateway::{Action, Route};
use crate::head::{Head, is_json};
use crate::json::{self, Bounds, Unusable};
use crate::json_schema::{Schema, Value, Wrong};
use crate::platform::Platform;
use crate::policy::credential::query_without;
use crate::policy::validation::Validation;
use crate::refusal::Refusal;
use crate::refusal::fault::Fault;
use crate::template::Values;
use crate::visit::Visit;

/// The largest body that is checked where the file says nothing, in bytes.
pub(crate) const DEFAULT_MAX_BODY: u64 = 1 << 20;

/// The largest body that can be checked, in bytes: an isolate has 128 MB in all.
pub(crate) const MOST_BODY: u64 = 32 << 20;

/// How much JSON is checked.
const BOUNDS: Bounds = Bounds { depth: 64, elements: 200_000 };

/// Turns a request down that is not as the rule says.
pub async fn check<P: Platform>(
    rule: &Validation,
    route: &Route,
    values: &Values<'_>,
    visit: &Visit<'_, P>,
) -> Result<(), Refusal> {
    check_parameters(rule, route, values, visit)?;
    let Some(schema) = &rule.body else { return Ok(()) };
    if is_without_body(values.head)? {
        return Ok(());
    }
    let Some(body) = body(route, visit).await? else { return Ok(()) };
    let faults = faults(schema, &body)?;
    if faults.is_empty() { Ok(()) } else { Err(Refusal::UnfitBody(faults)) }
}

/// The same, but for the body.
pub fn check_parameters<P: Platform>(
    rule: &Validation,
    route: &Route,
    values: &Values<'_>,
    visit: &Visit<'_, P>,
) -> Result<(), Refusal> {
    let query = values.head.query.as_deref().unwrap_or_default();
    let query = query_without(query, &visit.hidden_credentials);
    let has_fields = matches!(&route.action, Action::Aggregate(aggregate) if aggregate.answer.fields);
    let is_known = |name: &str| (has_fields && name == "fields") || route.query_names.iter().any(|known| known == name);
    let faults = rule.faults(values.head, values.params, &query, is_known);
    if faults.is_empty() { Ok(()) } else { Err(Refusal::UnfitParameters(faults)) }
}

/// Whether a request is one of a GET or HEAD, which have no body; one that has is turned down: it would mean nothing
/// (RFC 9110, section 9.3.1), and some service reads it all the same.
fn is_without_body(head: &Head) -> Result<bool, Refusal> {
    if !matches!(head.method.as_str(), "GET" | "HEAD") {
        return Ok(false);
    }
    if head.headers.say_body() {
        return Err(unfit("cannot go with GET or HEAD"));
    }
    Ok(true)
}

/// The body; `None` if there is none, and need not be.
async fn body<P: Platform>(route: &Route, visit: &Visit<'_, P>) -> Result<Option<Vec<u8>>, Refusal> {
    let headers = &visit.head.headers;
    let encoding = headers.get("content-encoding").map(str::trim).unwrap_or_default();
    if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
        return Err(Refusal::EncodedBody);
    }
    let kind = headers.get("content-type");
    if let Some(kind) = kind {
        says_json(kind)?;
    }
    let most = route.max_body.unwrap_or(DEFAULT_MAX_BODY).min(MOST_BODY);
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    let body = visit.whole_body(most).await?;
    match (body.is_empty(), kind) {
        (true, _) if matches!(visit.head.method.as_str(), "POST" | "PUT" | "PATCH") => Err(unfit("is missing")),
        (true, _) => Ok(None),
        (false, None) => Err(Refusal::OtherContentType),
        (false, Some(_)) => Ok(Some(body)),
    }
}

/// Turns a `Content-Type` down that is none of JSON in UTF-8, or several.
fn says_json(kind: &str) -> Result<(), Refusal> {
    // Several fields come joined by a comma: which of them would count?
    if !is_json(kind) || kind.contains(',') {
        return Err(Refusal::OtherContentType);
    }
    let mut parameters = kind.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    // `charset*` is the same to those who read RFC 8187.
    let is_charset =
        |name: &str| name.split('*').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("charset"));
    let is_utf8 = |value: &str| value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8");
    match parameters.all(|(name, value)| !is_charset(name) || is_utf8(value)) {
        true => Ok(()),
        false => Err(Refusal::EncodedBody),
    }
}

/// What is wrong with a body.
fn faults(schema: &Schema, body: &[u8]) -> Result<Vec<Fault>, Refusal> {
    let text = match json::value(body, BOUNDS) {
        Ok(text) => text,
        Err(Unusable::TooDeep) => return Err(unfit(format!("is deeper than {} levels", BOUNDS.depth))),
        Err(Unusable::TooMany) => return Err(unfit(format!("has more than {} elements", BOUNDS.elements))),
        Err(_) => return Err(Refusal::BodyNotJson),
    };
    let mut wrong = Wrong::default();
    let value = Value::read(text, &mut wrong);
    if wrong.is_empty() {
        schema.check(&value, &mut wrong);
    }
    Ok(wrong.into_told().into_iter().map(|(place, what)| Fault::at_place(&place, what)).collect())
}

/// The whole body is not as it must be.
fn unfit(why: impl Into<String>) -> Refusal {
    Refusal::UnfitBody(vec![Fault::at("#", why)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_says_that_it_is_json_of_one_reading() {
        for (kind, refusal) in [
            ("application/json", None),
            ("Application/Problem+JSON ; charset=\"UTF-8\"", None),
            ("application/json; profile=x", None),
            ("text/plain", Some(Refusal::OtherContentType)),
            ("application/json, text/plain", Some(Refusal::OtherContentType)),
            ("application/json; a=b, text/plain", Some(Refusal::OtherContentType)),
            ("text/plain;application/json", Some(Refusal::OtherContentType)),
            ("", Some(Refusal::OtherContentType)),
            ("application/json; charset=utf-16", Some(Refusal::EncodedBody)),
            ("application/json; charset*=utf-8''utf-7", Some(Refusal::EncodedBody)),
            ("application/json;Charset=\"utf-7\"", Some(Refusal::EncodedBody)),
        ] {
            assert_eq!(says_json(kind).err(), refusal, "of {kind:?}");
        }
    }
}
