//! A compiled aggregate: its calls, in which order they can be made, and what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use super::words::{Empty, Form, Format, HeaderRule, StatusOfWhole, Statuses, StreamForm};
use crate::gateway::Service;
use crate::json::Bounds;
use crate::json::path::Path;
use crate::merge::EqualKeys;
use crate::resilience::retry::RetryRule;
use crate::router::ValueTest;
use crate::shaping::Shaping;
use crate::template::{JsonTemplate, Source, Template, TextTemplate, Values};

/// One answer of several calls.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// The calls, in the order of the file.
    pub parts: Vec<Part>,
    /// How they become the answer.
    pub answer: Rule,
    /// Whether a part asks for the client's JSON body.
    pub reads_body: bool,
    /// Whether caches can know the answer: it does not hang on the client's body, and nothing is written for it.
    pub may_be_kept: bool,
}

/// A part: a call, or one for each element of an array, and what is taken of its answer.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its name as a JSON string.
    pub spelled: String,
    /// The call.
    pub call: PartCall,
    /// What must hold for it to be made.
    pub when: Vec<(Source, ValueTest)>,
    /// The array that it is made for each element of.
    pub each: Option<Each>,
    /// What of the answer counts, and how.
    pub reading: Reading,
    /// What becomes of it when it fails.
    pub otherwise: Otherwise,
    /// Where its value goes.
    pub placed: Placed,
    /// The numbers of the parts that must be done before.
    pub after: Vec<usize>,
}

/// What is asked for the sake of a part.
#[derive(Clone, Debug)]
pub struct PartCall {
    /// The service.
    pub service: Arc<Service>,
    /// The method, in upper case.
    pub method: &'static str,
    /// Path and query.
    pub path: Template,
    /// More parameters.
    pub query: Vec<(String, TextTemplate)>,
    /// Header fields.
    pub headers: Vec<(String, TextTemplate)>,
    /// Header fields of the client's that go along, in lower case.
    pub client_headers: Vec<String>,
    /// Parameters of the client's query that go along.
    pub client_query: Vec<String>,
    /// The body.
    pub body: Option<JsonTemplate>,
    /// The time that one try has.
    pub timeout: Duration,
    /// Whether and how it is tried again.
    pub retry: Option<RetryRule>,
    /// The most bytes of an answer.
    pub max_answer: u32,
    /// Statuses beside 200 to 299 whose body is read, and header fields that are wanted: as in
    /// [`crate::platform::Call`].
    pub reads: Arc<str>,
    /// The header fields of the answer that are wanted.
    pub wants: Arc<str>,
    /// Whether another call for the same request may ask for the same.
    pub may_have_equal: bool,
}

impl PartCall {
    /// Whether this and another one, or itself, can ask the same of a service. What writes has no equal.
    pub fn can_be_equal(&self, other: &Self) -> bool {
        self.method == "GET"
            && other.method == "GET"
            && self.service.name == other.service.name
            && self.path.can_be_equal(&other.path)
    }
}

/// The array that a part is made for.
#[derive(Clone, Debug)]
pub struct Each {
    /// Where it is.
    pub of: Source,
    /// The most elements.
    pub most: usize,
    /// How many calls run at once.
    pub parallel: usize,
    /// The name under which elements get their answers, as a JSON string.
    pub into: Option<String>,
    /// One call for all.
    pub batch: Option<Batch>,
}

/// One call for all elements.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Where an element has its key.
    pub by: Path,
    /// Where an element of the answer has it.
    pub matching: Path,
    /// The most keys of a call.
    pub size: usize,
}

/// How an answer becomes a value.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The statuses that are no failure.
    pub success: Vec<Statuses>,
    /// The statuses that are null.
    pub null_on: Vec<u16>,
    /// What an empty body is.
    pub empty: Empty,
    /// What the body is.
    pub format: Format,
    /// How much of it is taken.
    pub bounds: Bounds,
    /// What is taken of it, step by step.
    pub shaping: Vec<Shaping>,
}

/// What becomes of a part that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// The whole fails.
    Fail,
    /// This JSON text stands in.
    StandIn(String),
    /// It is left out.
    LeaveOut,
}

/// Where the value of a part goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// Under its name.
    Named,
    /// Its members, or elements, among those of the whole.
    Spread,
    /// Nowhere: it is for other parts.
    Hidden,
}

/// How parts become the answer.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it is.
    pub form: Form,
    /// What becomes of equal keys.
    pub equal_keys: EqualKeys,
    /// Its status.
    pub status: StatusTable,
    /// The name of the member that tells of failures, as a JSON string.
    pub errors: Option<String>,
    /// The header fields that come back, in lower case.
    pub headers: Vec<(String, HeaderRule)>,
    /// Whether it has an `ETag`; `None` is if it may be stored.
    pub etag: Option<bool>,
    /// Whether clients pick by `?fields=`.
    pub fields: bool,
    /// What is taken of it, step by step.
    pub shaping: Vec<Shaping>,
    /// Others, for some clients.
    pub variants: Vec<Variant>,
    /// How it is written as its parts arrive, for clients that ask for that.
    pub stream: Vec<StreamForm>,
    /// The most bytes of it.
    pub max_size: usize,
    /// The most bytes of the client's body that are read.
    pub max_body: u32,
    /// The value of `Vary`: header fields of the client's that it hangs on. Empty if there are none.
    pub vary: String,
    /// Whether it is for one caller alone, so that no shared cache may keep it.
    pub is_private: bool,
}

/// The answer for some clients.
#[derive(Clone, Debug)]
pub struct Variant {
    /// For which.
    pub when: Vec<(Source, ValueTest)>,
    /// The numbers of the parts that are in it; `None` is all.
    pub parts: Option<Vec<usize>>,
    /// What is taken of it, step by step.
    pub shaping: Vec<Shaping>,
}

/// Which status the whole has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusTable {
    /// If all parts are there.
    pub complete: u16,
    /// If some are not.
    pub partial: u16,
    /// If none is.
    pub all_failed: u16,
    /// If a required one answered with such a status; the first row counts.
    pub required: Vec<(Statuses, StatusOfWhole)>,
    /// If a required one failed in another way; `None` is as the failure has it.
    pub failed: Option<u16>,
    /// If a required one was not there in time.
    pub timeout: u16,
}

/// Whether all conditions hold.
pub fn all_hold(conditions: &[(Source, ValueTest)], values: &Values<'_>) -> bool {
    conditions.iter().all(|(source, test)| test.holds(values.of(source).as_deref()))
}
