//! The place that counts for one key of a limit: a Durable Object, which does one thing at a time.
//! It keeps one number and has no rule of its own; the rule is [`crate::gcra`].

use std::cell::Cell;

use futures::future::try_join;
use wasm_bindgen::JsValue;
use worker::durable::State;
use worker::{DurableObject, Env, Request, Response, Result, durable_object};

use crate::gcra::{Micros, Quota};

/// Where the arrival time is kept, in microseconds since 1970.
const PAID_UNTIL: &str = "paid_until";

/// Counts for one key.
#[durable_object(alarm)]
pub struct Limiter {
    state: State,
    /// What storage holds, once it was read; 0 is nothing.
    paid_until: Cell<Option<Micros>>,
}

impl DurableObject for Limiter {
    fn new(state: State, _env: Env) -> Self {
        Self { state, paid_until: Cell::new(None) }
    }

    /// `GET /{interval}/{burst}`: takes one unit of that quota, answers with the verdict's line.
    async fn fetch(&self, request: Request) -> Result<Response> {
        let path = request.path();
        let Some(quota) = Quota::from_path(path.trim_start_matches('/')) else {
            return Response::error("not a quota", 400);
        };
        let before = self.paid_until().await?;
        // From here until the write has begun nothing is awaited: no other call comes between.
        let (verdict, after) = quota.spend(before, now());
        if verdict.admitted {
            self.paid_until.set(Some(after));
            // The answer leaves only once this is on disk (the runtime's output gate).
            let storage = self.state.storage();
            let keep = storage.put_raw(PAID_UNTIL, JsValue::from_f64(after as f64));
            if before == 0 {
                // Begun in one turn, the two are written together or not at all.
                try_join(keep, self.forget_at(after)).await?;
            } else {
                keep.await?;
            }
        }
        Response::ok(verdict.to_line())
    }

    /// Forgets what is paid for, so that a key seen once leaves nothing behind.
    async fn alarm(&self) -> Result<Response> {
        let paid_until = self.paid_until().await?;
        if paid_until > now() {
            self.forget_at(paid_until).await?;
        } else {
            self.paid_until.set(Some(0));
            self.state.storage().delete_all().await?;
        }
        Response::empty()
    }
}

impl Limiter {
    async fn paid_until(&self) -> Result<Micros> {
        if self.paid_until.get().is_none() {
            let kept: Option<f64> = self.state.storage().get(PAID_UNTIL).await?;
            if self.paid_until.get().is_none() {
                // Microseconds since 1970 stay below 2^53 until the year 2255.
                self.paid_until.set(Some(kept.unwrap_or_default() as Micros));
            }
        }
        Ok(self.paid_until.get().unwrap_or_default())
    }

    async fn forget_at(&self, moment: Micros) -> Result<()> {
        let after_now = moment.saturating_sub(now()).div_ceil(1000);
        self.state.storage().set_alarm(std::time::Duration::from_millis(after_now)).await
    }
}

fn now() -> Micros {
    js_sys::Date::now() as Micros * 1000
}
