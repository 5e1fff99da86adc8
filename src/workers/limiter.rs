//! The place that counts for one key of a limit: a Durable Object, which does one thing at a time.
//! It has no rule of its own; the rules are [`crate::quota`] and [`crate::slots`].

use std::cell::{Cell, RefCell};

use wasm_bindgen::JsValue;
use worker::durable::State;
use worker::{DurableObject, Env, Method, Request, Response, Result, durable_object};

use crate::quota::{Micros, Quota, Taken};
use crate::slots::Slots;

/// Where it is kept what was taken: one text, since each value is a crossing.
const TAKEN: &str = "taken";

/// Where it is kept which slots are taken: one text, for the same reason.
const SLOTS: &str = "slots";

/// Counts for one key.
#[durable_object(alarm)]
pub struct Limiter {
    state: State,
    /// What storage holds, once it was read.
    taken: Cell<Option<Taken>>,
    slots: RefCell<Option<Slots>>,
    /// Whether an alarm is known to be set that looks after the slots.
    has_alarm: Cell<bool>,
}

impl DurableObject for Limiter {
    fn new(state: State, _env: Env) -> Self {
        Self { state, taken: Cell::default(), slots: RefCell::default(), has_alarm: Cell::default() }
    }

    /// `GET /{quota}/{units}`: takes units of that quota, answers with the verdict's line. `POST` takes as many as
    /// there are, and says how many before the line. `DELETE` gives them back.
    ///
    /// `GET /slot/{most}/{lasts}` takes a slot, answers with the moment at which it lapses, or with nothing if all are
    /// taken. `DELETE /slot/{moment}` gives it back.
    async fn fetch(&self, request: Request) -> Result<Response> {
        let path = request.path();
        if let Some(asked) = path.strip_prefix("/slot/") {
            return self.slot(asked, request.method()).await;
        }
        let asked = path.trim_start_matches('/').rsplit_once('/');
        let asked = asked.and_then(|(quota, units)| Some((Quota::from_path(quota)?, units.parse().ok()?)));
        let Some((quota, units)) = asked else { return Response::error("not a quota", 400) };
        let before = self.taken().await?;
        // From here until the write has begun nothing is awaited: no other call comes between.
        if request.method() == Method::Delete {
            self.keep(before, quota.give_back(before, units, now())).await?;
            return Response::empty();
        }
        if request.method() == Method::Post {
            let (granted, verdict, after) = quota.spend_up_to(before, units, now());
            self.keep(before, after).await?;
            return Response::ok(format!("{granted} {}", verdict.to_line()));
        }
        let (verdict, after) = quota.spend(before, units, now());
        // The answer leaves only once this is on disk (the runtime's output gate).
        self.keep(before, after).await?;
        Response::ok(verdict.to_line())
    }

    /// Forgets what is paid for, so that a key seen once leaves nothing behind.
    async fn alarm(&self) -> Result<Response> {
        let until = self.taken().await?.until.max(self.slots().await?.latest());
        if until > now() {
            self.forget_at(until).await?;
        } else {
            self.taken.set(Some(Taken::default()));
            self.slots.replace(Some(Slots::default()));
            self.has_alarm.set(false);
            self.state.storage().delete_all().await?;
        }
        Response::empty()
    }
}

impl Limiter {
    async fn taken(&self) -> Result<Taken> {
        if self.taken.get().is_none() {
            let kept: Option<String> = self.state.storage().get(TAKEN).await?;
            if self.taken.get().is_none() {
                self.taken.set(Some(kept.as_deref().and_then(Taken::from_line).unwrap_or_default()));
            }
        }
        Ok(self.taken.get().unwrap_or_default())
    }

    /// Keeps what was taken; what is refused changes nothing of it, and is not written.
    async fn keep(&self, before: Taken, after: Taken) -> Result<()> {
        if after == before {
            return Ok(());
        }
        self.taken.set(Some(after));
        let storage = self.state.storage();
        let written = storage.put_raw(TAKEN, JsValue::from_str(&after.to_line()));
        if before.until == 0 {
            // Begun in one turn, the two are written together or not at all.
            futures::future::try_join(written, self.forget_at(after.until)).await?;
            return Ok(());
        }
        written.await
    }

    async fn slot(&self, asked: &str, method: Method) -> Result<Response> {
        let mut slots = self.slots().await?;
        // From here until the write has begun nothing is awaited, as above.
        if method == Method::Delete {
            slots.free(asked.parse().unwrap_or_default());
            self.keep_slots(slots).await?;
            return Response::empty();
        }
        let asked = asked.split_once('/').and_then(|(most, lasts)| Some((most.parse().ok()?, lasts.parse().ok()?)));
        let Some((most, lasts)) = asked else { return Response::error("not a slot", 400) };
        let until = slots.take(most, lasts, now());
        if until.is_some() {
            self.keep_slots(slots).await?;
        }
        Response::ok(until.map(|until| until.to_string()).unwrap_or_default())
    }

    async fn slots(&self) -> Result<Slots> {
        if self.slots.borrow().is_none() {
            let kept: Option<String> = self.state.storage().get(SLOTS).await?;
            let kept = kept.as_deref().and_then(Slots::from_line).unwrap_or_default();
            self.slots.borrow_mut().get_or_insert(kept);
        }
        Ok(self.slots.borrow().clone().unwrap_or_default())
    }

    /// Keeps which slots are taken, if that has changed.
    async fn keep_slots(&self, after: Slots) -> Result<()> {
        if self.slots.borrow().as_ref() == Some(&after) {
            return Ok(());
        }
        let storage = self.state.storage();
        let written = storage.put_raw(SLOTS, JsValue::from_str(&after.to_line()));
        let latest = after.latest();
        self.slots.replace(Some(after));
        if latest > 0 && !self.has_alarm.replace(true) {
            futures::future::try_join(written, self.forget_at(latest)).await?;
            return Ok(());
        }
        written.await
    }

    async fn forget_at(&self, moment: Micros) -> Result<()> {
        let after_now = moment.saturating_sub(now()).div_ceil(1000);
        self.state.storage().set_alarm(std::time::Duration::from_millis(after_now)).await
    }
}

fn now() -> Micros {
    js_sys::Date::now() as Micros * 1000
}
