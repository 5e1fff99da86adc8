//! Runs the futures of requests, and lets them wait for promises.
//!
//! wasm-bindgen-futures takes two closures, each with a finalizer, and a microtask of its own for every
//! promise. Here a future waits under a number, and whatever settles it calls [`resume`] or one of its like, which goes on in
//! that same turn.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use futures::future::LocalBoxFuture;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::Response;

use super::bridge;

/// What came of what was waited for, or what that was rejected with: of a call, the name of a `CallError`.
pub type Settled = Result<Brought, JsValue>;

/// What a promise or a call has brought.
pub enum Brought {
    /// The value of a promise.
    Value(JsValue),
    /// A text.
    Text(String),
    /// A reply that the client has already; its status.
    HandedOn(u16),
    /// A reply whose body is still to come.
    Reply {
        /// Its status.
        status: u16,
        /// Its header fields, as lines.
        fields: String,
        /// The reply.
        reply: Response,
    },
    /// What was read whole.
    Whole {
        /// The status; 0 where nobody asks.
        status: u16,
        /// Header fields, as lines.
        fields: String,
        /// The bytes.
        body: Vec<u8>,
    },
}

thread_local! {
    static RUNNER: Runner = const { Runner { ready: RefCell::new(VecDeque::new()), is_running: Cell::new(false) } };
    static WAITED: RefCell<AllWaited> = const { RefCell::new(AllWaited { places: Vec::new(), free: Vec::new() }) };
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

/// All that is waited for, each in a place that is used again once nobody waits there.
struct AllWaited {
    places: Vec<Place>,
    free: Vec<u32>,
}

struct Place {
    /// How often it was left: who comes late for what was here before must not settle what is here now.
    left: u32,
    waited: Option<Waited>,
}

enum Waited {
    /// It has not settled; who waits, once it was polled.
    Pending(Option<Waker>),
    Settled(Settled),
}

/// A number under which a future waits, as JavaScript has it: a place, and how often that was left before. Both
/// together are a whole number that an f64 has.
pub type Number = f64;

/// So many places there are at most.
const PLACES: u64 = 1 << 21;

impl AllWaited {
    fn begin(&mut self) -> Number {
        let at = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { left: 0, waited: None });
            // So many do not fit into the memory.
            self.places.len() as u32 - 1
        });
        let Some(place) = self.places.get_mut(at as usize) else { return 0.0 };
        place.waited = Some(Waited::Pending(None));
        (u64::from(place.left) * PLACES + u64::from(at)) as f64
    }

    /// What waits under a number, unless nobody does any more.
    fn get(&mut self, number: Number) -> Option<&mut Option<Waited>> {
        let (left, at) = (number as u64 / PLACES, number as u64 % PLACES);
        let place = self.places.get_mut(at as usize)?;
        (u64::from(place.left) == left && place.waited.is_some()).then_some(&mut place.waited)
    }

    fn leave(&mut self, number: Number) -> Option<Waited> {
        let waited = self.get(number)?.take();
        let at = number as u64 % PLACES;
        if let Some(place) = self.places.get_mut(at as usize) {
            place.left = place.left.wrapping_add(1);
            self.free.push(at as u32);
        }
        waited
    }
}

/// Goes on with the future that waits for a promise under that number.
#[wasm_bindgen]
pub fn resume(number: Number, is_fulfilled: bool, value: JsValue) {
    settle(number, if is_fulfilled { Ok(Brought::Value(value)) } else { Err(value) });
}

/// Goes on with the future that waits for a call under that number, which brought nothing.
#[wasm_bindgen]
pub fn failed(number: Number, reason: JsValue) {
    settle(number, Err(reason));
}

/// Goes on with the future that waits for a call under that number, which brought a text.
#[wasm_bindgen]
pub fn said(number: Number, text: String) {
    settle(number, Ok(Brought::Text(text)));
}

/// Goes on with the future that waits for a call under that number, which brought a reply.
#[wasm_bindgen]
pub fn replied(number: Number, status: u16, fields: String, reply: Response) {
    settle(number, Ok(Brought::Reply { status, fields, reply }));
}

/// Goes on with the future that waits for a call under that number, whose reply the client has already.
#[wasm_bindgen(js_name = handedOn)]
pub fn handed_on(number: Number, status: u16) {
    settle(number, Ok(Brought::HandedOn(status)));
}

/// Lets go of the request that waits under that number, all of it: the client has its answer, and nothing hangs on the rest.
#[wasm_bindgen]
pub fn forget(number: Number) {
    let waited = WAITED.with(|waited| waited.borrow_mut().leave(number));
    // Its waker is the last that has the task. Not while it is borrowed.
    drop(waited);
}

/// Goes on with the future that waits for a call under that number, which was read whole.
#[wasm_bindgen]
pub fn read(number: Number, status: u16, fields: String, body: Vec<u8>) {
    settle(number, Ok(Brought::Whole { status, fields, body }));
}

fn settle(number: Number, settled: Settled) {
    let before = WAITED.with(|waited| {
        // `None` where nobody waits any more.
        waited.borrow_mut().get(number).and_then(|place| place.replace(Waited::Settled(settled)))
    });
    if let Some(Waited::Pending(Some(waker))) = before {
        waker.wake();
        run();
    }
}

/// The future of what is waited for under a number, until that has settled.
pub struct Waiting(Number);

impl Waiting {
    /// Begins to wait, under a new number.
    pub fn begin() -> Self {
        Self(WAITED.with(|waited| waited.borrow_mut().begin()))
    }

    /// Begins to wait for a promise.
    pub fn for_promise(promise: &Promise) -> Self {
        let waiting = Self::begin();
        bridge::resume_when_settled(promise, waiting.0);
        waiting
    }

    /// The number.
    pub fn number(&self) -> Number {
        self.0
    }

    /// Whether it is still to settle.
    pub fn is_pending(&self) -> bool {
        WAITED.with(|waited| matches!(waited.borrow_mut().get(self.0), Some(Some(Waited::Pending(_)))))
    }
}

impl Future for Waiting {
    type Output = Settled;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Settled> {
        WAITED.with(|waited| {
            let mut waited = waited.borrow_mut();
            match waited.get(self.0) {
                Some(Some(Waited::Pending(waker))) => *waker = Some(context.waker().clone()),
                Some(Some(Waited::Settled(_))) => {
                    if let Some(Waited::Settled(settled)) = waited.leave(self.0) {
                        return Poll::Ready(settled);
                    }
                }
                _ => {}
            }
            Poll::Pending
        })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let waited = WAITED.with(|waited| waited.borrow_mut().leave(self.0));
        // Not while it is borrowed: a waker may be the last of its task, whose future may wait as well.
        drop(waited);
    }
}
