//! Runs the futures of requests, and lets them wait for promises.
//!
//! wasm-bindgen-futures takes two closures, each with a finalizer, and a microtask of its own for every
//! promise. Here a future waits under a number, and whatever settles it calls [`resume`], which goes on in that same
//! turn.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use futures::future::LocalBoxFuture;
use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::bridge;

/// What came of what was waited for: the value of a promise or call, or what it was rejected with.
pub type Settled = Result<JsValue, JsValue>;

thread_local! {
    static RUNNER: Runner = const { Runner { ready: RefCell::new(VecDeque::new()), is_running: Cell::new(false) } };
    static WAITED: RefCell<AllWaited> = const { RefCell::new(AllWaited { last: 0, by_id: BTreeMap::new() }) };
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
            // One that JavaScript threw through is not there any more.
            let Ok(mut future) = task.future.try_borrow_mut() else { continue };
            if future.as_mut().is_some_and(|future| future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()) {
                *future = None;
            }
        }
        runner.is_running.set(false);
    });
}

/// Goes on without the future that JavaScript threw an error through: it was cut off where it stood.
#[wasm_bindgen]
pub fn recover() {
    RUNNER.with(|runner| runner.is_running.set(false));
    run();
}

/// All that is waited for.
struct AllWaited {
    last: u32,
    by_id: BTreeMap<u32, Waited>,
}

enum Waited {
    /// It has not settled; who waits, once it was polled.
    Pending(Option<Waker>),
    Settled(Settled),
}

/// Goes on with the future that waits under that number, now that what it waits for has settled.
#[wasm_bindgen]
pub fn resume(id: u32, is_fulfilled: bool, value: JsValue) {
    let settled = if is_fulfilled { Ok(value) } else { Err(value) };
    let waker = WAITED.with(|waited| match waited.borrow_mut().by_id.get_mut(&id) {
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

/// The future of what is waited for under a number, until [`resume`] is called with it.
pub struct Waiting(u32);

impl Waiting {
    /// Begins to wait, under a new number.
    pub fn begin() -> Self {
        WAITED.with(|waited| {
            let mut waited = waited.borrow_mut();
            waited.last = waited.last.wrapping_add(1);
            let id = waited.last;
            waited.by_id.insert(id, Waited::Pending(None));
            Self(id)
        })
    }

    /// Begins to wait for a promise.
    pub fn for_promise(promise: &Promise) -> Self {
        let waiting = Self::begin();
        bridge::resume_when_settled(promise, waiting.0);
        waiting
    }

    /// The number.
    pub fn id(&self) -> u32 {
        self.0
    }
}

impl Future for Waiting {
    type Output = Settled;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Settled> {
        WAITED.with(|waited| {
            let mut waited = waited.borrow_mut();
            match waited.by_id.get_mut(&self.0) {
                Some(Waited::Pending(waker)) => {
                    *waker = Some(context.waker().clone());
                    Poll::Pending
                }
                _ => match waited.by_id.remove(&self.0) {
                    Some(Waited::Settled(settled)) => Poll::Ready(settled),
                    _ => Poll::Pending,
                },
            }
        })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let waited = WAITED.with(|waited| waited.borrow_mut().by_id.remove(&self.0));
        // Not while it is borrowed: a waker may be the last of its task, whose future may wait as well.
        drop(waited);
    }
}
