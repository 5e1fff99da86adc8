//! Panics on demand, for the tests of what a panic does to other requests.
#![allow(clippy::panic)]

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::tasks::Waiting;
use crate::head::Head;

/// Panics for the paths `/drill/panic` (at once) and `/drill/panic-later` (after an await), and has JavaScript throw
/// for `/drill/throw`.
pub async fn panic_if_asked(head: &Head) {
    match head.raw_path.as_str() {
        "/drill/panic" => panic!("a drill"),
        "/drill/panic-later" => {
            let _ = Waiting::for_promise(&Promise::resolve(&JsValue::NULL)).await;
            panic!("a later drill")
        }
        "/drill/throw" => wasm_bindgen::throw_str("a thrown drill"),
        _ => {}
    }
}
