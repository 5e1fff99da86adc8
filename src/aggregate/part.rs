//! One part: whether it is made, what is asked for it, and what value comes of the answers.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

use super::calls::{Answered, Asked, Calls};
use super::failure::Failure;
use super::plan::{Batch, Each, Otherwise, Part, PartCall, all_hold};
use super::spread::{self, Results};
use super::value::Value;
use crate::forward;
use crate::gateway::Route;
use crate::head::Headers;
use crate::json::tree::elements;
use crate::path::push_encoded_value;
use crate::platform::Platform;
use crate::policy::headers::{self, Field, HeaderEdits};
use crate::query;
use crate::refusal::Refusal;
use crate::running::in_order;
use crate::template::{Inner, InnerPart, InnerValues, Source, Unfit, Values};
use crate::visit::Visit;

/// The longest path and query of a call, and the most bytes of its header fields: more, platforms do not
/// send. To make such a call would tell of its service what is the fault of the values.
const LONGEST_TARGET: usize = 16 << 10;
const MOST_OF_FIELDS: usize = 128 << 10;

/// What a part came to.
#[derive(Debug)]
pub struct Done {
    /// Its value; `None` is left out.
    pub value: Option<Value>,
    /// How it came to that.
    pub state: State,
    /// The answers that it is of, whose header fields count.
    pub answers: Vec<Rc<Answered>>,
}

/// How a part came to its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// By its service.
    Whole,
    /// Its conditions do not hold: it was not made.
    Skipped,
    /// It failed, or one of its elements did, and something stands in or is left out.
    Lacking(Failure),
}

/// Why a part, and with it the whole, cannot be.
pub enum Stopped {
    /// It is required, and failed.
    Failed(usize, Failure),
    /// The request lacks what it asks for.
    Refused(Refusal),
}

enum NotMade {
    Skipped,
    Failed(Failure),
    Refused(Refusal),
}

/// What one call of several came to: its value and answer, or why there are none.
type OneOfMany = (Option<Value>, Option<Rc<Answered>>, Option<Failure>);

impl From<Failure> for NotMade {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What parts are made with.
pub struct Making<'v, P> {
    /// All parts.
    pub parts: &'v [Part],
    /// What they came to so far.
    pub done: &'v [OnceCell<Done>],
    /// Their calls.
    pub calls: Calls<'v, P>,
    /// The route.
    pub route: &'v Route,
    /// The values of the request.
    pub values: Values<'v>,
    /// The request.
    pub visit: &'v Visit<'v, P>,
}

impl<'v, P: Platform> Making<'v, P> {
    /// Makes a part whose predecessors are done.
    pub async fn make(&self, at: usize) -> Result<Done, Stopped> {
        // `at` is a number of a part.
        let Some(part) = self.parts.get(at) else { return Err(Stopped::Refused(Refusal::Internal)) };
        let done = self.inner_parts(part);
        let inner = InnerValues { parts: &done, ..self.values.inner };
        let values = Values { inner, ..self.values };
        let made = match &part.each {
            _ if !all_hold(&part.when, &values) => Err(NotMade::Skipped),
            Some(each) => self.make_each(part, each, &values).await,
            None => self.one(part, &values).await.map(|(value, answer)| Done {
                value: Some(value),
                state: State::Whole,
                answers: vec![answer],
            }),
        };
        let failure = match made {
            Ok(done) => return Ok(done),
            Err(NotMade::Refused(refusal)) => return Err(Stopped::Refused(refusal)),
            Err(NotMade::Skipped) => return Ok(Done { value: None, state: State::Skipped, answers: Vec::new() }),
            Err(NotMade::Failed(failure)) => failure,
        };
        let value = match &part.otherwise {
            _ if failure.is_final() => return Err(Stopped::Failed(at, failure)),
            Otherwise::Fail => return Err(Stopped::Failed(at, failure)),
            Otherwise::StandIn(value) => Some(value.clone().into()),
            Otherwise::LeaveOut => None,
        };
        Ok(Done { value, state: State::Lacking(failure), answers: Vec::new() })
    }

    /// The values of the parts that this one asks for.
    fn inner_parts(&self, part: &Part) -> Vec<InnerPart<'v>> {
        let of = |at: &usize| {
            let done = self.done.get(*at)?.get()?;
            let reply = done.answers.first().map(|answer| &answer.headers);
            Some(InnerPart { name: &self.parts.get(*at)?.name, value: done.value.as_ref().map(Value::text), reply })
        };
        part.after.iter().filter_map(of).collect()
    }

    /// What it means that some of these values are missing: a part that asks for one that was not made is not
    /// made, if nothing else is missing. What an element lacks says nothing of the part: else the order of
    /// the elements would decide.
    fn lacks<'s>(&self, sources: impl IntoIterator<Item = &'s Source>, values: &Values<'_>) -> NotMade {
        let is_skipped = |source: &Source| {
            let at = self.parts.iter().position(|part| Some(part.name.as_str()) == source.part());
            let done = at.and_then(|at| self.done.get(at)).and_then(OnceCell::get);
            done.is_some_and(|done| done.state == State::Skipped)
        };
        let is_missing = |source: &&Source| !source.is_of_element() && values.of(source).is_none();
        let mut missing = sources.into_iter().filter(is_missing).peekable();
        match missing.peek().is_some() && missing.all(is_skipped) {
            true => NotMade::Skipped,
            false => NotMade::Failed(Failure::Missing),
        }
    }

    /// One call, and the value of its answer.
    async fn one(&self, part: &'v Part, values: &Values<'_>) -> Result<(Value, Rc<Answered>), NotMade> {
        let asked = self.asked(part, values)?;
        let answer = self.calls.answer(&part.call, asked).await.map_err(Failure::Call)?;
        Ok((part.reading.value(&answer)?, answer))
    }

    /// One call of several for a part, which may fail without the part where the file says what there is then.
    async fn one_or_lacking(&self, part: &'v Part, values: &Values<'_>) -> Result<OneOfMany, NotMade> {
        match self.one(part, values).await {
            Ok((value, answer)) => Ok((Some(value), Some(answer), None)),
            Err(NotMade::Failed(failure)) if part.otherwise != Otherwise::Fail && !failure.is_final() => {
                Ok((None, None, Some(failure)))
            }
            Err(other) => Err(other),
        }
    }

    /// A call for each element of an array, or one for all.
    async fn make_each(&self, part: &'v Part, each: &'v Each, values: &Values<'_>) -> Result<Done, NotMade> {
        let array = match values.json(&each.of).ok_or_else(|| self.lacks([&each.of], values))? {
            Cow::Borrowed("null") => Cow::Borrowed("[]"),
            array if array.starts_with('[') => array,
            _ => return Err(Failure::NoArray.into()),
        };
        let items: Vec<&str> = elements(&array).collect();
        if items.len() > each.most {
            return Err(Failure::TooManyElements.into());
        }
        let results = match &each.batch {
            Some(batch) => self.batched(part, each, batch, &items, values).await?,
            None => self.one_by_one(part, each, &items, values).await?,
        };
        let value = spread::over(&items, &results, each.into.as_deref()).ok_or(Failure::WholeTooLarge)?;
        let state = results.failure.map_or(State::Whole, State::Lacking);
        Ok(Done { value: Some(value.into()), state, answers: results.answers })
    }

    async fn one_by_one(
        &self,
        part: &'v Part,
        each: &Each,
        items: &[&str],
        values: &Values<'_>,
    ) -> Result<Results, NotMade> {
        let calls = items.iter().map(|item| async move {
            let inner = InnerValues { item: Some(item), ..values.inner };
            self.one_or_lacking(part, &Values { inner, ..*values }).await
        });
        let made: Vec<OneOfMany> = in_order(each.parallel, calls).await?;
        let mut results = Results::default();
        for (value, answer, failure) in made {
            results.values.push(value.or_else(|| part.otherwise.stand_in()));
            results.answers.extend(answer);
            results.failure = results.failure.or(failure);
        }
        Ok(results)
    }

    async fn batched(
        &self,
        part: &'v Part,
        each: &Each,
        batch: &Batch,
        items: &[&str],
        values: &Values<'_>,
    ) -> Result<Results, NotMade> {
        let keys = spread::keys(&batch.by, items);
        let calls = keys.distinct.chunks(batch.size).map(|chunk| async move {
            let inner = InnerValues { keys: chunk, ..values.inner };
            self.one_or_lacking(part, &Values { inner, ..*values }).await
        });
        let made: Vec<OneOfMany> = in_order(each.parallel, calls).await?;
        let mut results = Results::default();
        let mut found = spread::Lookup::default();
        for (value, answer, failure) in &made {
            if let Some(value) = value {
                found.add(value.text(), &batch.matching);
            }
            results.answers.extend(answer.clone());
            results.failure = results.failure.or(*failure);
        }
        let stand_in = results.failure.and_then(|_| part.otherwise.stand_in());
        // Many elements may have one key, and one element many.
        let mut room = spread::room(items, &results.answers);
        let values = keys.of_items.iter().map(|key| found.value(key, &mut room).map(Value::from));
        results.values = values.map(|value| value.or_else(|| stand_in.clone())).collect();
        if room.is_exceeded { Err(Failure::WholeTooLarge.into()) } else { Ok(results) }
    }

    /// What is asked for a part, with its values.
    fn asked(&self, part: &Part, values: &Values<'_>) -> Result<Asked, NotMade> {
        let PartCall { service, path, query, headers, client_headers, client_query, body, .. } = &part.call;
        let mut target = path.render(values).map_err(|unfit| match unfit {
            Unfit::Part => match part.lacks_of_client(values) {
                Some(refusal) => NotMade::Refused(refusal),
                None => self.lacks(path.sources(), values),
            },
            // A service's value, not the client's, may be what cannot stand there.
            Unfit::Path if path.sources().any(|source| part.is_of_service(source)) => Failure::UnusableValue.into(),
            other => NotMade::Refused(other.into()),
        })?;
        for (name, value) in query {
            if let Some(texts) = value.texts(values) {
                push_parameter(&mut target);
                push_encoded_value(&mut target, name.as_bytes());
                target.push('=');
                for (at, text) in texts.iter().enumerate() {
                    if at > 0 {
                        target.push(',');
                    }
                    push_encoded_value(&mut target, text.as_bytes());
                }
            }
        }
        for (name, value) in query::parameters(self.visit.head.query.as_deref().unwrap_or_default()) {
            if client_query.iter().any(|wanted| *wanted == query::decoded(name)) {
                push_parameter(&mut target);
                target.push_str(name);
                target.push('=');
                target.push_str(value);
            }
        }
        let body = match body {
            Some(template) => Some(template.render(values).ok_or_else(|| self.lacks(template.sources(), values))?),
            None => None,
        };
        let mut edits: HeaderEdits =
            headers::of_own_call(self.visit.head, &self.visit.gateway.provenance, part.reading.format.accepted());
        for name in client_headers {
            if let Some(value) = headers::of_client(name, &self.visit.head.headers) {
                edits.set(name.clone(), value);
            }
        }
        headers::tell_of_caller(&mut edits, &self.visit.gateway.vouched, values.caller);
        if body.is_some() {
            edits.set("content-type", "application/json");
        }
        for (name, value) in headers {
            if let Some(value) = value.field_value(values) {
                edits.set(name.clone(), value);
            }
        }
        forward::add_fields(&mut edits, &Headers::default(), service, self.route, values, &self.visit.trace)
            .map_err(NotMade::Refused)?;
        let headers: Vec<Field> = edits.set.into_iter().chain(edits.append).collect();
        let size_of_fields: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if target.len() > LONGEST_TARGET || size_of_fields > MOST_OF_FIELDS {
            return Err(Failure::CallTooLong.into());
        }
        Ok(Asked { target, headers: headers.into(), body, key: service.key.as_ref().and_then(|key| key.plain(values)) })
    }
}

/// Goes on to the next parameter of a query.
fn push_parameter(target: &mut String) {
    target.push(if target.contains('?') { '&' } else { '?' });
}

impl Part {
    /// Why the request cannot be, where its path lacks a value that is the client's to say.
    pub fn lacks_of_client(&self, values: &Values<'_>) -> Option<Refusal> {
        self.call.path.sources().find_map(|source| match source {
            // What the pattern captured is there.
            Source::Param(_) => None,
            Source::Inner(inner) if !matches!(inner, Inner::Body(_)) => None,
            source if values.of(source).is_some() => None,
            Source::Claim(name) => Some(Refusal::ClaimMissing(name.clone())),
            _ => Some(Refusal::UnusableValue),
        })
    }

    /// Whether nothing is written for it.
    pub fn only_reads(&self) -> bool {
        self.call.method == "GET"
    }

    /// Whether a value is one that a service answered, also as an element of an array.
    fn is_of_service(&self, source: &Source) -> bool {
        match (source, &self.each) {
            (Source::Inner(Inner::Item(_) | Inner::Keys), Some(each)) => each.of.part().is_some(),
            (source, _) => source.part().is_some(),
        }
    }
}

impl Otherwise {
    fn stand_in(&self) -> Option<Value> {
        if let Self::StandIn(value) = self { Some(value.clone().into()) } else { None }
    }
}
