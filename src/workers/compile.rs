//! `routes.json` is compiled before it is deployed: `scripts/compiler.mjs` calls [`compile`], and the memory that it leaves
//! behind is what the deployed Wasm begins with. That one is without this function, and without all that it alone needs.

use std::sync::Mutex;

use wasm_bindgen::prelude::*;

use super::{internal_error, memory};
use crate::config::{self, Gateways};
use crate::locked::locked;
use crate::settings::{Problem, Severity};

/// What was compiled, until it is taken.
pub static GATEWAYS: Mutex<Option<Gateways>> = Mutex::new(None);

/// The body that requests under way get when the Wasm panics: written here, so that no start has to.
pub static PANIC_BODY: Mutex<String> = Mutex::new(String::new());

/// Compiles the text of a `routes.json`, for this instance and its memory. Gives a line for each problem: its severity,
/// a space, and what [`crate::settings::Problem`] says.
///
/// No value of JavaScript's may outlive this: they are not in the memory.
#[wasm_bindgen]
pub fn compile(routes: String) -> String {
    // To the end of this instance, so that the texts that go in and out are erased too.
    memory::erase(true);
    let (mut gateways, problems) = config::load_all(&routes);
    gateways.iter_mut().for_each(Gateways::settle);
    *locked(&GATEWAYS) = gateways;
    *locked(&PANIC_BODY) = String::from_utf8_lossy(&internal_error("unknown").body).into_owned();
    let line = |problem: &Problem| {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        // A key of the file may have a line break.
        format!("{severity} {}\n", problem.to_string().replace('\n', "\\n"))
    };
    problems.iter().map(line).collect()
}
