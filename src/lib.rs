//! Postern: an API gateway at the edge.
//!
//! The core is native and pure: it knows nothing of the runtime but the [`platform::Platform`]
//! trait. `workers` implements that on a Workers runtime and is compiled for Wasm only. The way of
//! a request is [`handle::handle`]; `ARCHITECTURE.md` has the map.

pub mod config;
pub mod gateway;
pub mod settings;

mod accept;
pub mod aggregate;
pub mod allowance;
pub mod answer;
pub mod batch;
mod calendar;
pub mod call;
pub mod discovery;
pub mod forward;
pub mod handle;
pub mod head;
pub mod identify;
mod limits;
mod locked;
pub mod once;
pub mod path;
pub mod policy;
pub mod pool;
pub mod query;
pub mod refusal;
pub mod resilience;
pub mod router;
mod running;
pub mod service_url;
pub mod template;
pub mod trace;
pub mod validate;
pub mod visit;

pub mod json;
pub mod json_schema;
pub mod limiter;
pub mod merge;
pub mod quota;
pub mod shaping;
pub mod slots;
pub mod xml;

pub mod platform;

#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
#[cfg(target_arch = "wasm32")]
mod workers;
