//! Futures that run at once, of which one after the other ends.

use std::pin::Pin;
use std::task::Poll;

/// Futures under way. Each is polled whenever one of them can go on: there are a few, polling costs no
/// crossing, and finding out which one it is would cost some.
pub struct Running<F>(Vec<Pin<Box<F>>>);

impl<F: Future> Running<F> {
    /// None yet.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds one.
    pub fn push(&mut self, future: F) {
        self.0.push(Box::pin(future));
    }

    /// What the next one that ends brings; `None` if there are none.
    pub async fn next(&mut self) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            if self.0.is_empty() {
                return Poll::Ready(None);
            }
            for at in 0..self.0.len() {
                if let Some(future) = self.0.get_mut(at)
                    && let Poll::Ready(output) = future.as_mut().poll(context)
                {
                    drop(self.0.remove(at));
                    return Poll::Ready(Some(output));
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// Runs futures, at most so many at once; what they bring, in their order, or the first error, with which
/// the others are dropped.
pub async fn in_order<F, T, E>(futures: impl Iterator<Item = F>, most: usize) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut waiting = futures.enumerate();
    let mut running = Running::new();
    let mut results: Vec<Option<T>> = Vec::new();
    loop {
        while running.len() < most
            && let Some((at, future)) = waiting.next()
        {
            results.push(None);
            running.push(async move { future.await.map(|value| (at, value)) });
        }
        let Some(ended) = running.next().await else { return Ok(results.into_iter().flatten().collect()) };
        let (at, value) = ended?;
        if let Some(result) = results.get_mut(at) {
            *result = Some(value);
        }
    }
}
