//! What a part that is done is in the whole: there, stood in for, or left out.

use super::compose::Chosen;
use super::failure::{Failure, PartError};
use super::part::{Done, State, Stopped};
use super::plan::{Otherwise, Part};
use super::value::Value;
use crate::trace::Trace;

/// A part that is done.
pub struct Ended<'d> {
    /// Its number.
    pub at: usize,
    /// What the file says of it.
    pub part: &'d Part,
    /// What it came to.
    pub done: &'d Done,
    /// What is not there of it.
    pub failure: Option<Failure>,
}

/// How many more bytes the parts of an answer may have.
pub struct RoomOfWhole(pub usize);

impl<'d> Ended<'d> {
    /// A part, for which there has to be room if it is in the answer.
    pub fn new(
        at: usize,
        part: &'d Part,
        done: &'d Done,
        chosen: &Chosen<'_>,
        room: &mut RoomOfWhole,
    ) -> Result<Self, Stopped> {
        let failure = if let State::Lacking(failure) = done.state { Some(failure) } else { None };
        let mut ended = Self { at, part, done, failure };
        if chosen.has(at, part) {
            let size = done.value.as_ref().map_or(0, |value| value.text().len());
            match room.0.checked_sub(size) {
                Some(less) => room.0 = less,
                None if part.otherwise == Otherwise::Fail => return Err(Stopped::Failed(at, Failure::WholeTooLarge)),
                None => ended.failure = Some(Failure::WholeTooLarge),
            }
        }
        Ok(ended)
    }

    /// Its value, or what stands in; `None` is left out.
    pub fn value(&self) -> Option<&'d str> {
        match (self.failure, &self.part.otherwise) {
            (Some(Failure::WholeTooLarge), Otherwise::StandIn(value)) => Some(value),
            (Some(Failure::WholeTooLarge), _) => None,
            _ => self.done.value.as_ref().map(Value::text),
        }
    }

    /// Whether it was called for at all.
    pub fn was_made(&self) -> bool {
        self.done.state != State::Skipped
    }

    /// How clients are told of what is not there of it; the log is told here.
    pub fn told(&self, trace: &Trace) -> Option<PartError> {
        let failure = self.failure?;
        let then = if self.part.otherwise == Otherwise::LeaveOut { "left out" } else { "stood in for" };
        trace.note(format!("part {} {failure}; {then}", self.part.name));
        Some(failure.told(&self.part.name))
    }
}
