//! What `limiter.mjs` asks of the rules, in one crossing. The limiter keeps texts; what they say is the core's.

use wasm_bindgen::prelude::*;

use crate::limiter::counted;

/// What [`counted`] says at a moment in milliseconds since 1970, in lines: what is to be kept, the millisecond from which
/// on that says nothing any more, and the answer. `""` is that nobody can ask so.
#[wasm_bindgen]
pub fn count(kept: &str, asked: &str, now: f64) -> String {
    let counted = counted(kept, asked, now as u64 * 1000);
    counted
        .map(|counted| format!("{}\n{}\n{}", counted.kept, counted.until.div_ceil(1000), counted.answer))
        .unwrap_or_default()
}
