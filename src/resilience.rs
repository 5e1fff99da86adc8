//! How calls get through although services fail: decisions and their state, one file an idea.
//!
//! | file | its question | source |
//! | --- | --- | --- |
//! | [`percent`] | how much of a whole? | |
//! | [`window`] | what happened of late? | |
//! | [`outcomes`] | how did the calls to an instance go? | |
//! | [`breaker`] | may an instance have calls? | Nygard, "Release It!"; Envoy, outlier detection |
//! | [`retry`] | which calls are tried again? | RFC 9110, section 9.2 |
//! | [`backoff`] | after how long? | Brooker, "Exponential Backoff And Jitter" |
//! | [`http_date`] | what date is that? | RFC 9110, section 5.6.7 |
//! | [`retry_budget`] | how many of all calls? | Finagle and linkerd |
//! | [`latency`] | how long do the answers of a service take? | HdrHistogram |
//! | [`hedge`] | when is a second call made at once? | Dean and Barroso, "The Tail at Scale" |
//! | [`peak_ewma`] | what does a call to an instance cost? | Finagle and linkerd |
//! | [`balance`] | which instance gets the call? | nginx; Mitzenmacher; Thaler and Ravishankar |
//! | [`canary`] | which version does a caller see? | |
//! | [`stable_hash`] | what is the same in every isolate? | FNV-1a, MurmurHash3 |
//!
//! Nothing here waits, reads a clock or draws lots: `now` is an argument, and so is each random
//! number (of [0, 1)). State is of one isolate and one thread; whoever calls keeps it.

pub mod backoff;
pub mod balance;
pub mod bounds;
pub mod breaker;
pub mod canary;
pub mod hedge;
pub mod http_date;
pub mod latency;
pub mod outcomes;
pub mod peak_ewma;
pub mod percent;
pub mod retry;
pub mod retry_budget;
pub mod stable_hash;
pub mod window;

#[cfg(test)]
mod tests;
