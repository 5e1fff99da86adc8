//! What `first-answer.mjs` asks of the rules, in one crossing. It keeps a text and an answer; what becomes of them is
//! the core's.

use wasm_bindgen::prelude::*;

use crate::head::UnixMillis;
use crate::policy::idempotency::first_answer::{Change, decided};

/// What [`decided`] says at a moment in milliseconds since 1970, in lines: what was found; then, where what is kept
/// changes, the entry in its place and the millisecond at which it is forgotten, both empty where nothing is kept any
/// more. `""` is that nobody can ask so.
#[wasm_bindgen(js_name = decideFirst)]
pub fn decide_first(kept: &str, asked: &str, now: f64) -> String {
    let Some(decided) = decided(kept, asked, UnixMillis(now as u64)) else { return String::new() };
    let found = decided.found.word();
    match decided.change {
        Change::None => found.to_owned(),
        Change::Keep(entry) => format!("{found}\n{}\n{}", entry.to_line(), entry.until.0),
        Change::Forget => format!("{found}\n\n"),
    }
}
