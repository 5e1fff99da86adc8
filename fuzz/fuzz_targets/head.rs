//! Requests and answers as text: method and URL in a line, header fields; after an empty line the body; after another
//! the header fields of the service's answer; and after another its body.
#![no_main]
#![allow(dead_code, unused_imports)] // of the simulation, a part

#[path = "../../tests/hostile/held.rs"]
mod held;
#[path = "../../tests/signing.rs"]
mod signing;
#[path = "../../tests/world.rs"]
mod world;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

use held::{Answered, Everything};
use postern::head::Head;

static EVERYTHING: LazyLock<Everything> = LazyLock::new(Everything::new);

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let _ = Head::from_text(&text);
    let mut pieces = text.splitn(4, "\n\n");
    let mut piece = || pieces.next().unwrap_or_default();
    let (head, body, fields, answer) = (piece(), piece(), piece(), piece());
    let (asked, sent) = head.split_once('\n').unwrap_or((head, ""));
    let (method, url) = asked.split_once(' ').unwrap_or(("GET", asked));
    EVERYTHING.holds(method, url, sent, body, Answered { status: 200, fields, body: answer });
});
