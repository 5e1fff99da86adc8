//! The shell on a Workers runtime: the only code that knows of JavaScript.
//!
//! `edge.js` is the runtime's half of the port: what would take many crossings between Wasm and
//! JavaScript, done there in one. It decides nothing.

mod edge;
mod limiter;
mod platform;

use std::panic;
use std::sync::OnceLock;

use wasm_bindgen::{JsValue, throw_str};
use web_sys::{Request, Response};
use worker::{Context, Env, event};

use crate::config;
use crate::gateway::Gateway;
use crate::handle::handle;
use crate::head::Head;
use crate::refusal::Refusal;
use platform::Workers;

static GATEWAY: OnceLock<Gateway> = OnceLock::new();

/// Compiles the file, before any request is taken. A faulty file lets the Worker not start.
#[event(start)]
fn start() {
    report_panics();
    match config::load(&edge::routes_text()) {
        Ok(gateway) => drop(GATEWAY.set(gateway)),
        Err(problems) => {
            let lines: Vec<_> = problems.iter().map(|problem| format!("routes.json: {problem}")).collect();
            throw_str(&lines.join("\n"));
        }
    }
}

/// `worker` has a panic hook that renews the instance; it stays, behind the one that tells where.
fn report_panics() {
    let renew = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        console_error_panic_hook::hook(info);
        renew(info);
    }));
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response, worker::Error> {
    let (Some(gateway), Some(head)) = (GATEWAY.get(), Head::from_text(&edge::read_head(&request))) else {
        return internal_error();
    };
    let platform = Workers::new(env.into());
    let answer = handle(gateway, head, request, &platform).await;
    edge::write(answer).or_else(|_| internal_error())
}

fn internal_error() -> Result<Response, worker::Error> {
    edge::respond(&Refusal::Internal.response("unknown")).map_err(|error: JsValue| error.into())
}
