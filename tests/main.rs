//! The one binary of native tests; `tests/workers` has those inside the real runtime.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[allow(dead_code)] // the benches use more of it
mod prepared; // a runtime that does next to nothing, for what counts
mod signing; // tokens, by another implementation than the gateway's
mod world; // a simulated runtime: virtual time, scripted services

mod at_once; // replies that nobody looks at again
mod chaos; // what holds whatever the services do
mod cli; // the postern tool: tests/cli
mod copies; // what is copied, counted
mod costs; // what each job costs in memory, beside tests/costs.md
mod graphs; // what holds of aggregates, whatever the graph
mod hostile; // what holds whatever clients and services write
mod leases; // limits of which isolates borrow
mod leaving; // what becomes of calls whose clients leave
mod problems; // faulty files and what is said of them: tests/problems
mod scenarios; // requests and answers as data: tests/scenarios
mod schema; // routes.schema.json, and what it makes of every file here
mod signatures; // signed requests of RFC 9421
mod slots; // limits of calls at once
mod storm; // what holds when instances die, stall and flap under load
mod tallies; // limits that isolates count for themselves
mod tokens; // tokens that count and tokens that do not, attacks, and keys by URL
