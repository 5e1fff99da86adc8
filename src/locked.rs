//! What is behind a lock on one thread.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is behind a lock: nobody waits here, since there is one thread, and what a panic left is as good as what it
/// found.
pub fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
