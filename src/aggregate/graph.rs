//! The order of the parts: each is made as soon as those are done that it asks for.

use std::cell::OnceCell;

use super::plan::Part;
use crate::running::Running;

/// The parts that are needed for those that are wanted: these, and all that they ask for.
pub fn needed(parts: &[Part], wanted: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut needed: Vec<bool> = (0..parts.len()).map(wanted).collect();
    let mut found: Vec<usize> = (0..parts.len()).filter(|at| needed.get(*at) == Some(&true)).collect();
    while let Some(at) = found.pop() {
        for &before in parts.get(at).map(|part| part.after.as_slice()).unwrap_or_default() {
            if let Some(is_needed @ false) = needed.get_mut(before) {
                *is_needed = true;
                found.push(before);
            }
        }
    }
    needed
}

/// Makes the parts that are needed, all at once that can be. What a part comes to is in `done`, for the
/// others. Ends early with the first error, and what is still under way is dropped.
pub async fn run<T, E>(
    parts: &[Part],
    needed: &[bool],
    done: &[OnceCell<T>],
    make: impl AsyncFn(usize) -> Result<T, E>,
) -> Result<(), E> {
    let is_done = |at: &usize| done.get(*at).is_some_and(|cell| cell.get().is_some());
    let mut waiting: Vec<usize> = (0..parts.len()).filter(|at| needed.get(*at) == Some(&true)).collect();
    let mut running = Running::new();
    loop {
        let can_run = |at: &usize| parts.get(*at).is_some_and(|part| part.after.iter().all(is_done));
        let (ready, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(can_run);
        waiting = others;
        for at in ready {
            let made = make(at);
            running.push(async move { made.await.map(|value| (at, value)) });
        }
        let Some(made) = running.next().await else { return Ok(()) };
        let (at, value) = made?;
        if let Some(cell) = done.get(at) {
            // A part is made once.
            let _ = cell.set(value);
        }
    }
}
