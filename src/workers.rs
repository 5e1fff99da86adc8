//! The shell on a Workers runtime: the only code that knows of JavaScript.
//!
//! `bridge/` is the runtime's half of the port: what would take many crossings between Wasm and
//! JavaScript, done there in one.

mod bridge;
mod compile;
#[cfg(feature = "drill")]
mod drill;
mod first_answer;
mod limiter;
mod memory;
mod numbers;
mod platform;
mod tasks;

use std::cell::Cell;
use std::future::poll_fn;
use std::panic;
use std::rc::Rc;
use std::sync::OnceLock;
use std::task::Poll;

use futures::future::LocalBoxFuture;
use wasm_bindgen::prelude::*;
use web_sys::Response;
use worker::event;

use crate::answer::{self, Answer};
use crate::gateway::Gateway;
use crate::handle::handle;
use crate::head::{ClientAddress, Head};
use crate::locked::locked;
use crate::policy::headers;
use crate::refusal::Refusal;
use bridge::Visit;
use compile::{GATEWAYS, PANIC_BODY};
use platform::Workers;

/// The one of the file's gateways that this runtime is.
static GATEWAY: OnceLock<Gateway> = OnceLock::new();

/// Chooses the gateway, before any request is taken. Where there is none, the entry does not start.
#[event(start)]
fn start() {
    memory::erase(false);
    report_panics();
    let (names, prefix) = headers::never_for_clients();
    bridge::set_never_for_clients(&names, prefix);
    let gateways = locked(&GATEWAYS).take().ok_or_else(|| "this Wasm has no routes.json in it".to_owned());
    let environment = bridge::environment();
    match gateways.and_then(|gateways| gateways.of(environment.as_deref()).map_err(|problem| problem.to_string())) {
        Ok(gateway) => drop(GATEWAY.set(gateway)),
        Err(fault) => bridge::set_fault(&fault),
    }
}

/// `worker` has a panic hook that renews the instance; it stays, behind the one that says where the
/// panic was and lets the requests under way be answered.
fn report_panics() {
    bridge::set_panic_body(&locked(&PANIC_BODY));
    let renew = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        console_error_panic_hook::hook(info);
        bridge::panicked();
        renew(info);
    }));
}

/// Serves a request, whose head is in the form that [`Head::from_text`] reads: gives the answer, or null where something
/// has to be waited for; the visit then gets it, unless it has it already. Undefined in the place of an answer is none.
#[wasm_bindgen]
pub fn serve(visit: Visit, head: String) -> JsValue {
    let (in_one_turn, is_waited_for) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(false)));
    let visit = Rc::new(visit);
    tasks::spawn({
        let (in_one_turn, is_waited_for) = (Rc::clone(&in_one_turn), Rc::clone(&is_waited_for));
        async move {
            let Some(answer) = answer(&visit, &head).await else { return };
            let answer = answer.map_or(JsValue::UNDEFINED, JsValue::from);
            match is_waited_for.get() {
                true => visit.settle(&answer),
                false => in_one_turn.set(Some(answer)),
            }
        }
    });
    // What asks nobody is there in one turn: a promise would cost more than the answer.
    in_one_turn.take().unwrap_or_else(|| {
        is_waited_for.set(true);
        JsValue::NULL
    })
}

/// The answer to a request; `None` where the client has it already.
async fn answer(visit: &Rc<Visit>, head: &str) -> Option<Result<Response, JsValue>> {
    let (Some(gateway), Some(mut head)) = (GATEWAY.get(), Head::from_text(head)) else {
        return Some(bridge::respond(&internal_error("unknown")));
    };
    head.client = ClientAddress::asked({
        let visit = Rc::clone(visit);
        move || visit.address()
    });
    let request_id = head.request_id.clone();
    let platform = Rc::new(Workers::new(Rc::clone(visit), head.arrived));
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
    if answer.is_none() {
        visit.listen();
    }
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
    let response = match (platform.begun(), answer) {
        (Some(begun), _) => return Some(Ok(begun)),
        (None, Some(Answer::OnItsWay { .. })) => return None,
        (None, Some(answer)) => bridge::write(answer),
        // Only one that is begun is there before its end.
        (None, None) => Err(JsValue::UNDEFINED),
    };
    Some(response.or_else(|_| bridge::respond(&internal_error(&request_id))))
}

fn internal_error(request_id: &str) -> answer::Response {
    Refusal::Internal.response(request_id)
}
