//! The answer as its parts arrive: an event for each part as soon as it is there, and a last one that says
//! whether that was all of it.
//!
//! The head goes out with the first event. What fails before is answered as it always is, with its own
//! status; what fails after is the last event.

use std::cell::{Cell, RefCell};

use super::compose::Chosen;
use super::ended::{Ended, RoomOfWhole};
use super::failure::PartError;
use super::part::{Done, Stopped};
use super::plan::Aggregate;
use super::words::StreamForm;
use super::{caching, refusal};
use crate::answer::{Answer, Response};
use crate::gateway::Route;
use crate::json::tree::Json;
use crate::platform::{AnswerOn, Platform};
use crate::refusal::Refusal;
use crate::template::Values;
use crate::visit::Visit;

/// An answer that is written as its parts arrive.
pub struct Stream<'s, P> {
    /// How.
    form: StreamForm,
    /// What the file says.
    aggregate: &'s Aggregate,
    /// The route.
    route: &'s Route,
    /// What of the parts the client gets.
    chosen: &'s Chosen<'s>,
    /// The values of the request.
    values: &'s Values<'s>,
    /// The request.
    visit: &'s Visit<'s, P>,
    progress: Progress,
}

/// How far it is.
struct Progress {
    is_open: Cell<bool>,
    room: RefCell<RoomOfWhole>,
    errors: RefCell<Vec<PartError>>,
}

impl<'s, P: Platform> Stream<'s, P> {
    /// One of which nothing is written yet.
    pub fn new(
        form: StreamForm,
        aggregate: &'s Aggregate,
        route: &'s Route,
        chosen: &'s Chosen<'s>,
        values: &'s Values<'s>,
        visit: &'s Visit<'s, P>,
    ) -> Self {
        let room = RefCell::new(RoomOfWhole(aggregate.answer.max_size));
        let progress = Progress { is_open: Cell::new(false), room, errors: RefCell::default() };
        Self { form, aggregate, route, chosen, values, visit, progress }
    }

    /// Writes a part that is done, if it is in the answer.
    pub fn part(&self, at: usize, done: &Done) -> Result<(), Stopped> {
        let Some(part) = self.aggregate.parts.get(at) else { return Ok(()) };
        let ended = Ended::new(at, part, done, self.chosen, &mut self.progress.room.borrow_mut())?;
        let error = ended.told(&self.visit.trace);
        let is_lacking = error.is_some();
        self.progress.errors.borrow_mut().extend(error);
        if !self.chosen.has(at, part) || !ended.was_made() {
            return Ok(());
        }
        let wanted = match &self.chosen.fields {
            Some(fields) => match fields.within(&part.name) {
                Some(wanted) => Some(wanted),
                None => return Ok(()),
            },
            None => None,
        };
        let mut event = format!("{{\"part\":{}", part.spelled).into_bytes();
        match ended.value() {
            Some(value) => {
                let mut value = Json::Raw(value);
                if let Some(wanted) = wanted {
                    value = wanted.pick(value.into());
                }
                event.extend_from_slice(b",\"value\":");
                value.write(&mut event);
                event.extend_from_slice(if is_lacking { b",\"stand_in\":true" } else { b"" });
            }
            None => event.extend_from_slice(b",\"left_out\":true"),
        }
        event.push(b'}');
        self.write("part", event);
        Ok(())
    }

    /// Writes what is left to say, and ends the answer.
    pub fn end(self, made: Result<(), Stopped>) -> Result<AnswerOn<P>, Refusal> {
        let (visit, status) = (self.visit, self.aggregate.answer.status.complete);
        match made {
            Ok(()) => {
                let errors = self.progress.errors.borrow();
                let mut event = format!("{{\"complete\":{}", errors.is_empty());
                if let (Some(name), false) = (&self.aggregate.answer.errors, errors.is_empty()) {
                    // Texts and numbers have no way to fail to be written.
                    event.push_str(&format!(",{name}:{}", serde_json::to_string(&*errors).unwrap_or_default()));
                }
                event.push('}');
                self.write("end", event.into_bytes());
            }
            Err(stopped) => {
                let refusal = refusal(stopped, self.aggregate, &visit.trace);
                if !self.progress.is_open.get() {
                    return Err(refusal);
                }
                visit.trace.note(format!("ended in the middle with status {}", refusal.status()));
                let mut event = b"{\"problem\":".to_vec();
                event.extend(refusal.response(&visit.head.request_id).body);
                event.push(b'}');
                self.write("problem", event);
            }
        }
        visit.platform.close();
        Ok(Answer::OnItsWay { status })
    }

    fn write(&self, name: &str, json: Vec<u8>) {
        if !self.progress.is_open.replace(true) {
            self.visit.platform.open(self.head());
        }
        self.visit.platform.write(&self.form.event(name, json));
    }

    /// The head of the answer.
    fn head(&self) -> Response {
        let rule = &self.aggregate.answer;
        let headers = vec![
            ("content-type".into(), self.form.media_type().into()),
            ("vary".into(), rule.vary.clone()),
            ("cache-control".into(), caching::NO_STORE.into()),
        ];
        let mut head = Response::empty(rule.status.complete, headers).edited(&self.route.response_headers, self.values);
        head.edit(self.visit.answer_edits.clone());
        head
    }
}

impl StreamForm {
    /// An event, of a JSON text.
    fn event(self, name: &str, mut json: Vec<u8>) -> Vec<u8> {
        // In JSON, a line break is white space between values.
        json.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        match self {
            Self::NdJson => {
                json.push(b'\n');
                json
            }
            Self::Sse => [format!("event: {name}\ndata: ").into_bytes(), json, b"\n\n".to_vec()].concat(),
        }
    }
}
