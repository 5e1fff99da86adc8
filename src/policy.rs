//! What the gateway does at the edge so that no service has to, one file a policy.
//!
//! | policy | its question | standard |
//! | --- | --- | --- |
//! | [`addresses`] | from where may they call? | |
//! | [`cors`] | which pages may call from a browser? | Fetch |
//! | [`jwt`], [`signing_secret`], [`api_key`], [`introspection`], [`forward_auth`], [`certificate`], [`signature`], [`record`], [`credential`], [`scheme`] | who is calling? | RFC 7519, RFC 6750, RFC 7617, RFC 7662, RFC 9421 |
//! | [`requirement`] | may they? | RFC 6750 section 3.1 |
//! | [`rate_limit`], [`cost`], [`by`], [`overrides`], [`lease`], [`tally`] | how often may they? | GCRA, draft-ietf-httpapi-ratelimit-headers |
//! | [`validation`] | is it of the form that the file says? | JSON Schema 2020-12, RFC 9457 |
//! | [`idempotency`] | was it done already? | draft-ietf-httpapi-idempotency-key-header |
//! | [`headers`] | what may pass, each way? | RFC 9110 section 7.6 |
//! | [`provenance`] | where did the request come from? | RFC 7239, RFC 9110 section 7.6.3 |
//! | [`field_edits`], [`query_edits`] | what else changes in header fields and in the query? | |
//! | [`internal_token`] | what may a service believe of the caller? | RFC 7519 |
//! | [`security_headers`] | what may browsers do with an answer? | OWASP |
//! | [`request_log`] | which requests does the log have? | |
//! | [`public_names`] | what is the service's name for it outside? | RFC 9110 section 10.2.2, RFC 6265 |
//!
//! A policy is its settings as written, the compiled form, and decisions that are plain functions
//! of values. `ARCHITECTURE.md` says how to add one.

pub mod additions;
pub mod addresses;
pub mod api_key;
pub mod auth;
pub mod by;
pub mod caller;
pub mod certificate;
pub mod cors;
pub mod cost;
pub mod credential;
pub mod field_edits;
pub mod forward_auth;
pub mod headers;
pub mod idempotency;
pub mod internal_token;
pub mod introspection;
pub mod jwt;
pub mod lease;
pub mod overrides;
pub mod provenance;
pub mod public_names;
pub mod query_edits;
pub mod rate_limit;
pub mod recalled;
pub mod recent;
pub mod record;
pub mod refresh;
pub mod remembered;
pub mod request_log;
pub mod requirement;
pub mod scheme;
pub mod secure_url;
pub mod security_headers;
pub mod signature;
pub mod signing_secret;
pub mod tally;
pub mod validation;
pub mod when_down;
