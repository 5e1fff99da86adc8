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
mod tasks;

use std::cell::{Cell, OnceCell};
use std::future::poll_fn;
use std::panic;
use std::rc::Rc;
use std::sync::OnceLock;
use std::task::Poll;

use futures::future::LocalBoxFuture;
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};
use worker::event;

use crate::answer;
use crate::config;
use crate::gateway::Gateway;
use crate::handle::handle;
use crate::head::Head;
use crate::refusal::Refusal;
use crate::settings::Severity;
use bridge::UnderWay;
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

/// Serves a request: gives the answer, or a promise of it where something has to be waited for. Undefined in the
/// place of an answer is none.
#[wasm_bindgen]
pub fn serve(request: Request, env: JsValue, context: bridge::Context) -> JsValue {
    let (at_once, under_way) = (Rc::new(Cell::new(None)), Rc::new(OnceCell::<UnderWay>::new()));
    let context = Rc::new(context);
    tasks::spawn({
        let (at_once, under_way, context) = (Rc::clone(&at_once), Rc::clone(&under_way), Rc::clone(&context));
        async move {
            let answer = answer(request, env, context).await.map_or(JsValue::UNDEFINED, JsValue::from);
            match under_way.get() {
                Some(under_way) => under_way.settle(&answer),
                None => at_once.set(Some(answer)),
            }
        }
    });
    // What asks nobody is there in one turn: a promise would cost more than the answer.
    at_once.take().unwrap_or_else(|| under_way.get_or_init(|| UnderWay::new(&context)).promise().into())
}

async fn answer(request: Request, env: JsValue, context: Rc<bridge::Context>) -> Result<Response, JsValue> {
    let (Some(gateway), Some(head)) = (GATEWAY.get(), Head::from_text(&bridge::read_head(&request))) else {
        return bridge::respond(&internal_error("unknown"));
    };
    let request_id = head.request_id.clone();
    let platform = Rc::new(Workers::new(env, request, context));
    #[cfg(feature = "drill")]
    drill::panic_if_asked(&head).await;
    let mut handling: LocalBoxFuture<'_, _> = Box::pin({
        let platform = Rc::clone(&platform);
        async move { handle(gateway, head, &*platform).await }
    });
    // An answer that comes in pieces is there once it is begun; the rest is written while the client reads.
    let answered = poll_fn(|polling| match handling.as_mut().poll(polling) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending if platform.begun().is_some() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    let answer = answered.await;
    let jobs = platform.jobs();
    if answer.is_none() || !jobs.is_empty() {
        let (is_under_way, platform) = (answer.is_none(), Rc::clone(&platform));
        let rest = Rc::clone(&platform);
        platform.go_on(async move {
            if is_under_way {
                drop(handling.await);
            }
            for job in jobs.into_iter().chain(rest.jobs()) {
                job.run(&*rest).await;
            }
        });
    }
    if let Some(response) = platform.begun() {
        return Ok(response);
    }
    let response = answer.map(bridge::write).unwrap_or(Err(JsValue::UNDEFINED));
    response.or_else(|_| bridge::respond(&internal_error(&request_id)))
}

fn internal_error(request_id: &str) -> answer::Response {
    Refusal::Internal.response(request_id)
}
