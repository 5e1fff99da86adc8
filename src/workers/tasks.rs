//! Runs the futures of requests, and lets them wait for promises.
//!
//! wasm-bindgen-futures takes two closures, each with a finalizer, and a microtask of its own for every
//! promise. Here a promise that settles calls [`resume`], which goes on with the future in that same turn.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use futures::future::LocalBoxFuture;
use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::bridge;

/// What a promise brought.
pub type Settled = Result<JsValue, JsValue>;

thread_local! {
    static RUNNER: Runner = const { Runner { ready: RefCell::new(VecDeque::new()), is_running: Cell::new(false) } };
    static PROMISES: RefCell<Promises> = const { RefCell::new(Promises { last: 0, by_id: BTreeMap::new() }) };
}

/// The tasks that can go on.
struct Runner {
    ready: RefCell<VecDeque<Arc<Task>>>,
    is_running: Cell<bool>,
}

struct Task {
    future: RefCell<Option<LocalBoxFuture<'static, ()>>>,
    is_ready: Cell<bool>,
}

// SAFETY: a `Waker` has to be both; the Wasm has one thread.
#[allow(unsafe_code)]
unsafe impl Send for Task {}
#[allow(unsafe_code)]
unsafe impl Sync for Task {}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if !self.is_ready.replace(true) {
            RUNNER.with(|runner| runner.ready.borrow_mut().push_back(self));
        }
    }
}

/// Runs a future: until it first waits before this returns, unless another one is being run.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    Arc::new(Task { future: RefCell::new(Some(Box::pin(future))), is_ready: Cell::new(false) }).wake();
    run();
}

/// Goes on with all that can, until each waits.
fn run() {
    RUNNER.with(|runner| {
        if runner.is_running.replace(true) {
            return;
        }
        loop {
            let next = runner.ready.borrow_mut().pop_front();
            let Some(task) = next else { break };
            task.is_ready.set(false);
            let waker = Waker::from(Arc::clone(&task));
            let mut future = task.future.borrow_mut();
            if future.as_mut().is_some_and(|future| future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()) {
                *future = None;
            }
        }
        runner.is_running.set(false);
    });
}

/// The promises that are waited for.
struct Promises {
    last: u32,
    by_id: BTreeMap<u32, Waited>,
}

enum Waited {
    /// It is not settled, or the future that waits has not asked yet.
    Pending(Option<Waker>),
    Settled(Settled),
}

/// Goes on with the future that waits for the promise of that id, which has settled.
#[wasm_bindgen]
pub fn resume(id: u32, is_fulfilled: bool, value: JsValue) {
    let settled = if is_fulfilled { Ok(value) } else { Err(value) };
    let waker = PROMISES.with(|promises| match promises.borrow_mut().by_id.get_mut(&id) {
        Some(waited) => match std::mem::replace(waited, Waited::Settled(settled)) {
            Waited::Pending(waker) => waker,
            Waited::Settled(_) => None,
        },
        // Nobody waits any more.
        None => None,
    });
    if let Some(waker) = waker {
        waker.wake();
        run();
    }
}

/// The future of what a promise brings.
pub struct Waiting(u32);

impl Waiting {
    /// Begins to wait.
    pub fn for_promise(promise: &Promise) -> Self {
        let id = PROMISES.with(|promises| {
            let mut promises = promises.borrow_mut();
            promises.last = promises.last.wrapping_add(1);
            let id = promises.last;
            promises.by_id.insert(id, Waited::Pending(None));
            id
        });
        bridge::resume_when_settled(promise, id);
        Self(id)
    }
}

impl Future for Waiting {
    type Output = Settled;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Settled> {
        PROMISES.with(|promises| {
            let mut promises = promises.borrow_mut();
            match promises.by_id.get_mut(&self.0) {
                Some(Waited::Pending(waker)) => {
                    *waker = Some(context.waker().clone());
                    Poll::Pending
                }
                _ => match promises.by_id.remove(&self.0) {
                    Some(Waited::Settled(settled)) => Poll::Ready(settled),
                    _ => Poll::Pending,
                },
            }
        })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let waited = PROMISES.with(|promises| promises.borrow_mut().by_id.remove(&self.0));
        drop(waited);
    }
}
