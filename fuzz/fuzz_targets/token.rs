//! Tokens: `t` and a text, `e` and changes of the good one (a place and what is put over it), or `s` and a header and
//! claims (after a zero) that the right key signs.
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

use held::Guarded;

static GUARDED: LazyLock<Guarded> = LazyLock::new(Guarded::new);

fuzz_target!(|data: &[u8]| match data.split_first() {
    Some((b't', text)) => GUARDED.holds(&String::from_utf8_lossy(text)),
    Some((b'e', changes)) => {
        let mut token = GUARDED.good.clone().into_bytes();
        for change in changes.chunks_exact(2) {
            let place = usize::from(change[0]) % token.len();
            token[place] = change[1];
        }
        GUARDED.holds(&String::from_utf8_lossy(&token));
    }
    Some((b's', said)) => {
        let end = said.iter().position(|byte| *byte == 0).unwrap_or(said.len());
        let (header, claims) = said.split_at(end);
        GUARDED.admits(&Guarded::signed(header, claims.get(1..).unwrap_or_default()));
    }
    _ => {}
});
