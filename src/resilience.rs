//! How calls get through although services fail: decisions and their state, one file an idea.
//!
//! | file | its question | source |
//! | --- | --- | --- |
//! | [`window`] | what happened of late? | |
//! | [`outcomes`] | how did the calls to an instance go? | |
//!
//! Nothing here waits, reads a clock or draws lots: `now` is an argument, and so is each random
//! number (of [0, 1)). State is of one isolate and one thread; whoever calls keeps it.

pub mod outcomes;
pub mod window;
