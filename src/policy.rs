//! What the gateway does at the edge so that no service has to, one file a policy.
//!
//! | policy | its question | standard |
//! | --- | --- | --- |
//! | [`jwt`] | who is calling? | RFC 7519, RFC 6750 |
//! | [`rate_limit`] | how often may they? | GCRA, draft-ietf-httpapi-ratelimit-headers |
//! | [`headers`] | what may pass, each way? | RFC 9110 section 7.6 |
//!
//! A policy is its settings as written, the compiled form, and decisions that are plain functions
//! of values. `ARCHITECTURE.md` says how to add one.

pub mod headers;
pub mod jwt;
pub mod rate_limit;
