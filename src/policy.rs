//! What the gateway does at the edge so that no service has to, one file a policy.
//!
//! | policy | its question | standard |
//! | --- | --- | --- |
//! | [`jwt`] | who is calling? | RFC 7519, RFC 6750 |
//! | [`rate_limit`] | how often may they? | GCRA, draft-ietf-httpapi-ratelimit-headers |
//! | [`headers`] | what may pass, each way? | RFC 9110 section 7.6 |
//!
//! A policy is its settings as written, the compiled form, and decisions that are plain functions
//! of values. To add one: write its file; put its settings into `config/document.rs` and their
//! compilation into `config/compile.rs`; call it in [`crate::handle`] where it belongs; describe it
//! with a case in `tests/scenarios` and one in `tests/problems`.

pub mod headers;
pub mod jwt;
pub mod rate_limit;
