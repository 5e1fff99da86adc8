//! What the platform allows for one request: so many calls to services in all, and so many connections at once.
//! The requests of a batch have it in common, as the platform counts them.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use futures::channel::oneshot;

use crate::platform::CallError;

/// How many calls may wait for an answer at once, for the sake of one request: as many as Cloudflare opens
/// connections.
pub const CONNECTIONS: usize = 6;

/// What is left of it.
#[derive(Debug)]
pub struct Allowance {
    calls: Cell<u32>,
    connections: Rc<Connections>,
}

impl Allowance {
    /// So many calls.
    pub fn new(calls: u32) -> Self {
        let connections = Connections { free: Cell::new(CONNECTIONS), queue: RefCell::default() };
        Self { calls: Cell::new(calls), connections: Rc::new(connections) }
    }

    /// Takes a call.
    pub fn take_call(&self) -> Result<(), CallError> {
        self.calls.set(self.calls.get().checked_sub(1).ok_or(CallError::TooManyCalls)?);
        Ok(())
    }

    /// A connection, once there is one; first come, first served.
    pub async fn connection(&self) -> Option<Connection> {
        if let Some(free) = self.free_connection() {
            return Some(free);
        }
        let (sender, receiver) = oneshot::channel();
        self.connections.queue.borrow_mut().push_back(sender);
        // The sender is not dropped before it has sent one.
        receiver.await.ok()
    }

    /// A connection, if one is free.
    pub fn free_connection(&self) -> Option<Connection> {
        self.connections.free.set(self.connections.free.get().checked_sub(1)?);
        Some(Connection(Rc::clone(&self.connections)))
    }
}

#[derive(Debug)]
struct Connections {
    free: Cell<usize>,
    /// Those who wait for one.
    queue: RefCell<VecDeque<oneshot::Sender<Connection>>>,
}

/// A connection; free for the next when it is dropped.
#[derive(Debug)]
pub struct Connection(Rc<Connections>);

impl Drop for Connection {
    fn drop(&mut self) {
        let next = self.0.queue.borrow_mut().pop_front();
        match next {
            // One that waits no more drops it, and it goes to the one after.
            Some(next) => drop(next.send(Connection(Rc::clone(&self.0)))),
            None => self.0.free.set(self.0.free.get() + 1),
        }
    }
}
