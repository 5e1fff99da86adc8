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

/// Runs futures, at most so many at once, and takes what each brings when it does; an error ends it, and the
/// others are dropped.
pub async fn at_most<F: Future, E>(
    most: usize,
    mut futures: impl Iterator<Item = F>,
    mut take: impl FnMut(F::Output) -> Result<(), E>,
) -> Result<(), E> {
    let mut running = Running::new();
    loop {
        while running.len() < most
            && let Some(future) = futures.next()
        {
            running.push(future);
        }
        match running.next().await {
            Some(output) => take(output)?,
            None => return Ok(()),
        }
    }
}

/// What futures bring, in their order, of which at most so many run at once; or the first error.
pub async fn in_order<T, E>(
    most: usize,
    futures: impl Iterator<Item = impl Future<Output = Result<T, E>>>,
) -> Result<Vec<T>, E> {
    let mut results: Vec<Option<T>> = Vec::new();
    let numbered = futures.enumerate().map(|(at, future)| async move { future.await.map(|value| (at, value)) });
    at_most(most, numbered, |result| {
        let (at, value) = result?;
        if results.len() <= at {
            results.resize_with(at + 1, || None);
        }
        if let Some(place) = results.get_mut(at) {
            *place = Some(value);
        }
        Ok(())
    })
    .await?;
    // All have brought something.
    Ok(results.into_iter().flatten().collect())
}
