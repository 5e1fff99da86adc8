//! Bindings to `bridge/`, the runtime's half of the port, and the text forms that cross: header fields as lines
//! `name:value`, edits of them as lines `-name` (remove), `+name:value` (set), `&name:value` (append) and `?name:value`
//! (where there is none). Each function is one crossing where Rust would need many. The rules are in Rust; what the
//! functions do is said there.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::Response;

use super::tasks::Number;

use crate::answer::{Answer, Response as OwnResponse};
use crate::policy::headers::{Field, HeaderEdits};

#[wasm_bindgen]
extern "C" {
    /// A request on its way, as `visit.mjs` has it.
    pub type Visit;
    #[wasm_bindgen(method)]
    pub fn address(this: &Visit) -> String;
    #[wasm_bindgen(method)]
    pub fn settle(this: &Visit, answer: &JsValue);
    #[wasm_bindgen(method)]
    pub fn listen(this: &Visit);
    #[wasm_bindgen(method)]
    pub fn work(this: &Visit) -> Work;
    #[wasm_bindgen(method)]
    pub fn sleep(this: &Visit, number: Number, ms: u32);
    #[wasm_bindgen(method)]
    pub fn abort(this: &Visit, number: Number);

    /// Ends every request under way: the Wasm that they wait for is about to stop.
    #[wasm_bindgen(js_namespace = POSTERN)]
    pub fn panicked();

    /// What goes on when the answer is on its way.
    pub type Work;
    #[wasm_bindgen(method)]
    pub fn end(this: &Work);
}

#[wasm_bindgen(module = "/src/workers/bridge/runtime.js")]
extern "C" {
    pub fn environment() -> Option<String>;
    #[wasm_bindgen(js_name = setFault)]
    pub fn set_fault(fault: &str);
    #[wasm_bindgen(js_name = setPanicBody)]
    pub fn set_panic_body(body: &str);
    #[wasm_bindgen(js_name = resumeWhenSettled)]
    pub fn resume_when_settled(promise: &Promise, number: Number);
    pub fn certificate(visit: &Visit) -> Option<String>;
    pub fn within(visit: &Visit, method: &str, fields: &str, body: Option<Vec<u8>>) -> Visit;
    pub fn secret(visit: &Visit, name: &str) -> Option<String>;
    pub fn log(line: &str);
}

#[wasm_bindgen(module = "/src/workers/bridge/fields.js")]
extern "C" {
    #[wasm_bindgen(js_name = replyFields)]
    pub fn reply_fields(reply: &Response) -> String;
}

#[wasm_bindgen(module = "/src/workers/bridge/calls.js")]
extern "C" {
    #[wasm_bindgen(js_name = setNeverForClients)]
    pub fn set_never_for_clients(names: &str, prefix: &str);
    pub fn forward(visit: &Visit, number: Number, asked: &str, keeps_body: bool, leaving: u8, max_body: f64, ms: u32);
    pub fn mirror(visit: &Visit, url: &str, binding: &str, edits: &str, ms: u32) -> Promise;
    #[wasm_bindgen(js_name = fetchWhole)]
    pub fn fetch(
        visit: &Visit,
        number: Number,
        asked: &str,
        body: Option<&str>,
        limit: u32,
        outlives_client: bool,
        ms: u32,
    );
    pub fn read(visit: &Visit, number: Number, reply: &Response, edits: &str, most: Option<u32>, ms: u32);
}

#[wasm_bindgen(module = "/src/workers/bridge/bodies.js")]
extern "C" {
    pub fn body(visit: &Visit, most: u32, ms: u32) -> Promise;
    pub fn fingerprint(visit: &Visit, asked: &str, most: u32, ms: u32) -> Promise;
    pub fn discard(reply: &Response);
}

#[wasm_bindgen(module = "/src/workers/bridge/answers.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn relay(reply: &Response, edits: &str) -> Result<Response, JsValue>;
    #[wasm_bindgen(catch, js_name = respond)]
    fn respond_with(status: u16, fields: &str, body: &[u8]) -> Result<Response, JsValue>;
    #[wasm_bindgen(catch, js_name = respondText)]
    fn respond_with_text(status: u16, text: &str) -> Result<Response, JsValue>;

    pub type Opened;
    #[wasm_bindgen(constructor)]
    fn new(status: u16, fields: &str) -> Opened;
    #[wasm_bindgen(method, getter)]
    pub fn response(this: &Opened) -> Response;
    #[wasm_bindgen(method)]
    pub fn write(this: &Opened, piece: &[u8]);
    #[wasm_bindgen(method)]
    pub fn close(this: &Opened);
}

#[wasm_bindgen(module = "/src/workers/bridge/first-answers.js")]
extern "C" {
    #[wasm_bindgen(js_name = beginFirst)]
    pub fn begin_first(visit: &Visit, name: &str, fingerprint: &str, lease: u32, ms: u32) -> Promise;
    #[wasm_bindgen(js_name = keepFirst)]
    pub fn keep_first(
        visit: &Visit,
        name: &str,
        fingerprint: &str,
        reply: &Response,
        edits: &str,
        keep: u32,
        most: u32,
        ms: u32,
    ) -> Promise;
    #[wasm_bindgen(js_name = loseFirst)]
    pub fn lose_first(visit: &Visit, name: &str, fingerprint: &str, keep: u32) -> Promise;
    #[wasm_bindgen(js_name = forgetFirst)]
    pub fn forget_first(visit: &Visit, name: &str, fingerprint: &str) -> Promise;
}

#[wasm_bindgen(module = "/src/workers/bridge/kv.js")]
extern "C" {
    pub fn recall(visit: &Visit, key: &str, ms: u32) -> Promise;
    pub fn remember(visit: &Visit, key: &str, text: &str) -> Promise;
    pub fn tally(visit: &Visit, prefix: &str, but: &str, ms: u32) -> Promise;
    #[wasm_bindgen(js_name = noteCount)]
    pub fn note_count(visit: &Visit, key: &str, count: f64, until: f64) -> Promise;
}

#[wasm_bindgen(module = "/src/workers/bridge/limits.js")]
extern "C" {
    pub fn count(visit: &Visit, number: Number, key: &str, asked: &str, ms: u32);
    #[wasm_bindgen(js_name = isWithinRate)]
    pub fn is_within_rate(visit: &Visit, binding: &str, key: &str, ms: u32) -> Promise;
}

#[wasm_bindgen(module = "/src/workers/bridge/signatures.js")]
extern "C" {
    pub fn verify(algorithm: &str, jwk: &str, signed: &str, signature: &[u8]) -> Promise;
}

/// Begins an answer whose body comes in pieces.
pub fn open(head: &OwnResponse) -> Opened {
    Opened::new(head.status, &field_lines(&head.headers))
}

/// The runtime's response for an answer that is not written yet.
pub fn write(answer: Answer<Response>) -> Result<Response, JsValue> {
    match answer {
        Answer::Own(response) => respond(&response),
        Answer::Relayed { reply, edits, .. } => relay(&reply, &edit_lines(&edits)),
        Answer::OnItsWay { .. } => Err(JsValue::UNDEFINED),
    }
}

/// The runtime's response for one made here. A short text crosses in one piece with its fields, and the runtime has less to
/// do with it than with bytes; but it takes it for plain text, unless a field says what it is.
pub fn respond(response: &OwnResponse) -> Result<Response, JsValue> {
    match short_text(response) {
        Some(text) => {
            let mut lines = String::with_capacity(256 + text.len());
            push_lines(&mut lines, "", &response.headers);
            lines.push('\n');
            lines.push_str(text);
            respond_with_text(response.status, &lines)
        }
        None => respond_with(response.status, &field_lines(&response.headers), &response.body),
    }
}

/// A body that can cross as a text.
fn short_text(response: &OwnResponse) -> Option<&str> {
    let is_short = (1..=MOST_AS_TEXT).contains(&response.body.len());
    let is_of_stated_type = || response.headers.iter().any(|(name, _)| name == "content-type");
    if is_short && is_of_stated_type() { str::from_utf8(&response.body).ok() } else { None }
}

/// The most bytes of a body that crosses as a text, which is copied once more than bytes are.
const MOST_AS_TEXT: usize = 4096;

/// Edits in the form that `bridge/fields.js` reads.
pub fn edit_lines(edits: &HeaderEdits) -> String {
    let mut lines = String::with_capacity(256);
    push_edits(&mut lines, edits);
    lines
}

/// Adds edits in that form.
pub fn push_edits(lines: &mut String, edits: &HeaderEdits) {
    for name in &edits.remove {
        lines.push('-');
        lines.push_str(name);
        lines.push('\n');
    }
    push_lines(lines, "+", &edits.set);
    push_lines(lines, "&", &edits.append);
    push_lines(lines, "?", &edits.add);
}

/// Fields of a new message, in the form that `bridge/fields.js` reads.
pub fn field_lines(fields: &[Field]) -> String {
    let mut lines = String::with_capacity(256);
    push_lines(&mut lines, "", fields);
    lines
}

fn push_lines(lines: &mut String, edit: &str, fields: &[Field]) {
    for (name, value) in fields {
        lines.push_str(edit);
        lines.push_str(name);
        lines.push(':');
        lines.push_str(value);
        lines.push('\n');
    }
}
