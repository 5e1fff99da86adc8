//! A runtime in which everything is there at once, for what counts: services answer from memory, no time passes,
//! nothing waits, and it does as little of its own as can be. `tests/world.rs` is the one to find faults with.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use postern::answer::Response;
use postern::head::{Head, Headers, UnixMillis};
use postern::platform::{
    Afterwards, Call, CallError, Fetched, FirstRequest, Forwarded, KeyUnusable, Known, KvDown, LimiterDown, Onward,
    Platform, ReplyHead, StoreDown,
};
use postern::policy::certificate::Certificate;
use postern::policy::headers::HeaderEdits;
use postern::policy::jwt::algorithm::Algorithm;
use postern::policy::rate_limit::{Charge, Slot};
use postern::quota::{Micros, Taken, Verdict};

/// When everything happens: 2026-01-01, in milliseconds.
pub const NOW: u64 = 1_767_225_600_000;

/// A runtime, with one limit at most and neither KV nor a store for what is done once.
pub struct Prepared<F> {
    services: F,
    fields: String,
    secret: String,
    body: Vec<u8>,
    taken: Cell<Taken>,
    written: RefCell<Vec<u8>>,
}

impl<F: Fn(&str) -> Option<Vec<u8>> + Clone> Prepared<F> {
    /// One whose services answer with 200 and this body to a URL; without one they cannot be reached.
    pub fn new(services: F) -> Self {
        Self {
            services,
            fields: String::new(),
            secret: String::new(),
            body: Vec::new(),
            taken: Cell::default(),
            written: RefCell::default(),
        }
    }

    /// The same whose services say these header fields, as lines `name:value`, and whose environment has this
    /// secret, whatever it is called.
    pub fn with(self, fields: &str, secret: &str) -> Self {
        Self { fields: fields.to_owned(), secret: secret.to_owned(), ..self }
    }

    /// The same whose client sends this body.
    pub fn sending(self, body: &str) -> Self {
        Self { body: body.as_bytes().to_vec(), ..self }
    }

    /// What was written of an answer that comes piece by piece.
    pub fn written(&self) -> Vec<u8> {
        self.written.take()
    }

    fn fields(&self) -> Headers {
        Headers::from_text(self.fields.clone())
    }

    /// Changes what was taken of the limit.
    fn counting<T>(&self, act: impl FnOnce(Taken) -> (T, Taken)) -> T {
        let (came, after) = act(self.taken.get());
        self.taken.set(after);
        came
    }
}

impl<F: Fn(&str) -> Option<Vec<u8>> + Clone> Platform for Prepared<F> {
    type Reply = ();

    fn now(&self) -> UnixMillis {
        UnixMillis(NOW)
    }

    fn secret(&self, _: &str) -> Option<String> {
        Some(self.secret.clone()).filter(|secret| !secret.is_empty())
    }

    fn certificate(&self) -> Option<Certificate> {
        None
    }

    async fn body(&self, _: u32, _: Duration) -> Result<Vec<u8>, CallError> {
        Ok(self.body.clone())
    }

    fn within(&self, _: &Head, _: Option<Vec<u8>>) -> Self {
        Self::new(self.services.clone()).with(&self.fields, &self.secret)
    }

    async fn forward(&self, onward: &Onward<'_>, _: Duration) -> Result<Forwarded<()>, CallError> {
        Ok(match onward.at_once {
            Some(_) => Forwarded::HandedOn { status: 200 },
            None => Forwarded::Reply(ReplyHead { status: 200, headers: self.fields(), reply: () }),
        })
    }

    fn mirror(&self, _: &Onward<'_>, _: Duration) {}

    async fn fetch(&self, call: &Call, _: Duration) -> Result<Fetched, CallError> {
        let body = (self.services)(&call.url).ok_or(CallError::Unreachable)?;
        Ok(Fetched { status: 200, headers: self.fields(), body })
    }

    async fn read(
        &self,
        (): (),
        _: &HeaderEdits,
        _: Option<u32>,
        _: Duration,
    ) -> Result<(Headers, Vec<u8>), CallError> {
        Err(CallError::Unreachable)
    }

    fn open(&self, _: Response) {}

    fn write(&self, piece: &[u8]) {
        self.written.borrow_mut().extend_from_slice(piece);
    }

    fn close(&self) {}

    fn discard(&self, (): ()) {}

    async fn recall(&self, _: &str, _: Duration) -> Result<Option<String>, KvDown> {
        Err(KvDown)
    }

    async fn sleep(&self, _: Duration) {}

    fn random(&self) -> f64 {
        0.5
    }

    async fn fingerprint(&self, _: &str, _: u32, _: Duration) -> Result<String, CallError> {
        Err(CallError::Unreachable)
    }

    async fn begin(&self, _: &FirstRequest, _: Duration, _: Duration) -> Result<Known<()>, StoreDown> {
        Err(StoreDown)
    }

    async fn keep(&self, _: &FirstRequest, (): (), _: &HeaderEdits, _: Duration, _: Duration) -> ((), bool) {
        ((), false)
    }

    async fn lose(&self, _: &FirstRequest, _: Duration) {}

    async fn forget(&self, _: &FirstRequest) {}

    async fn spend(&self, charge: &Charge, _: Duration) -> Result<Verdict, LimiterDown> {
        Ok(self.counting(|taken| charge.quota.spend(taken, charge.units, self.now().micros())))
    }

    async fn borrow(&self, charge: &Charge, _: Duration) -> Result<(u32, Verdict), LimiterDown> {
        Ok(self.counting(|taken| {
            let (granted, verdict, after) = charge.quota.spend_up_to(taken, charge.units, self.now().micros());
            ((granted, verdict), after)
        }))
    }

    async fn give_back(&self, _: &Charge, _: UnixMillis) {}

    async fn take_slot(&self, _: &str, _: u32, _: Duration, _: Duration) -> Result<Option<Slot>, LimiterDown> {
        Err(LimiterDown)
    }

    async fn free_slot(&self, _: &Slot) {}

    async fn is_within_rate(&self, _: &str, _: &str, _: Duration) -> Result<bool, LimiterDown> {
        Err(LimiterDown)
    }

    async fn tally(&self, _: &str, _: &str, _: Duration) -> Result<u64, KvDown> {
        Err(KvDown)
    }

    async fn note_count(&self, _: &str, _: u64, _: Micros) -> Result<(), KvDown> {
        Err(KvDown)
    }

    async fn remember(&self, _: &str, _: &str) {}

    async fn verify(&self, _: Algorithm, _: &str, _: &str, _: &[u8]) -> Result<bool, KeyUnusable> {
        Err(KeyUnusable)
    }

    fn afterwards(&self, _: Afterwards) {}

    fn log(&self, _: &str) {}
}
