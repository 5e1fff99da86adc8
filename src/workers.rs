//! The shell on a Workers runtime: the only code that knows of JavaScript.
//!
//! `bridge.js` is the runtime's half of the port: what would take many crossings between Wasm and
//! JavaScript, done there in one.

mod bridge;
#[cfg(feature = "drill")]
mod drill;
mod first_answer;
mod limiter;
mod platform;

use std::panic;
use std::sync::OnceLock;

use web_sys::{Request, Response};
use worker::{Context, Env, event};

use crate::answer;
use crate::config;
use crate::gateway::Gateway;
use crate::handle::handle;
use crate::head::Head;
use crate::refusal::Refusal;
use crate::settings::Severity;
use platform::Workers;

static GATEWAY: OnceLock<Gateway> = OnceLock::new();

/// Compiles the file, before any request is taken. With a faulty one, the entry does not start.
#[event(start)]
fn start() {
    report_panics();
    let (gateway, problems) = config::load(&bridge::routes_text(), bridge::environment().as_deref());
    let lines = |severity| {
        let of_severity = problems.iter().filter(|problem| problem.severity == severity);
        of_severity.map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    bridge::set_report(&lines(Severity::Error), &lines(Severity::Warning));
    if let Some(gateway) = gateway {
        drop(GATEWAY.set(gateway));
    }
}

/// `worker` has a panic hook that renews the instance; it stays, behind the one that says where the
/// panic was and lets the requests under way be answered.
fn report_panics() {
    bridge::set_panic_body(&String::from_utf8_lossy(&internal_error("unknown").body));
    let renew = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        console_error_panic_hook::hook(info);
        bridge::panicked();
        renew(info);
    }));
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response, worker::Error> {
    let (Some(gateway), Some(head)) = (GATEWAY.get(), Head::from_text(&bridge::read_head(&request))) else {
        return Ok(bridge::respond(&internal_error("unknown"))?);
    };
    let request_id = head.request_id.clone();
    let platform = Workers::new(env.into(), request, context);
    #[cfg(feature = "drill")]
    drill::panic_if_asked(&head).await;
    let answer = handle(gateway, head, &platform).await;
    Ok(bridge::write(answer).or_else(|_| bridge::respond(&internal_error(&request_id)))?)
}

fn internal_error(request_id: &str) -> answer::Response {
    Refusal::Internal.response(request_id)
}
