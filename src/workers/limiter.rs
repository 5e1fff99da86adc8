//! What `limiter.mjs` asks of the rules, in one crossing. The limiter keeps texts; what they say is the core's.

use wasm_bindgen::prelude::*;

use crate::limiter::{Counted, Lines, counted};

/// What [`counted`] says at a moment in milliseconds since 1970, in lines: what is to be kept, what is to be written, how
/// many units of that are ahead, the millisecond from which on the first line says nothing any more, and the answer. `""`
/// is that nobody can ask so.
#[wasm_bindgen]
pub fn count(kept: &str, written: &str, ahead: u32, asked: &str, now: f64) -> String {
    let counted = counted(Lines { kept, written }, ahead, asked, now as u64 * 1000);
    let text = |Counted { kept, written, ahead, until, answer }| {
        format!("{kept}\n{written}\n{ahead}\n{}\n{answer}", until.div_ceil(1000))
    };
    counted.map(text).unwrap_or_default()
}
