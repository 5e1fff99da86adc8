//! A runtime in which nothing is called: what would be is kept, and answered with nothing much.

use std::cell::RefCell;
use std::time::Duration;

use crate::answer::Response;
use crate::head::{Head, Headers, UnixMillis};
use crate::platform::{
    Afterwards, Call, CallError, Fetched, FirstRequest, Forwarded, KeyUnusable, Known, KvDown, LimiterDown, Onward,
    Platform, ReplyHead, StoreDown,
};
use crate::policy::certificate::Certificate;
use crate::policy::headers::HeaderEdits;
use crate::policy::jwt::algorithm::Algorithm;
use crate::policy::rate_limit::{Charge, Slot};
use crate::quota::{Micros, Verdict};

/// The runtime of a rehearsal.
pub(super) struct Rehearsal {
    /// When it is.
    pub(super) now: UnixMillis,
    /// The secrets.
    pub(super) secrets: Secrets,
    /// What the client's body is.
    pub(super) body: Vec<u8>,
    /// What would have been sent, in its order.
    pub(super) sent: RefCell<Vec<Sent>>,
}

/// What a secret's name stands for.
pub(super) type Secrets = fn(&str) -> Option<String>;

/// A call that would have been made.
pub(super) enum Sent {
    /// The client's, handed on to a URL, maybe by a binding, with changes in its header fields.
    Onward { url: String, binding: Option<String>, edits: HeaderEdits, within: Duration },
    /// One of the gateway's own.
    Own(Call, Duration),
}

impl Platform for Rehearsal {
    type Reply = ();

    fn now(&self) -> UnixMillis {
        self.now
    }

    fn secret(&self, name: &str) -> Option<String> {
        (self.secrets)(name)
    }

    async fn body(&self, _: u32, _: Duration) -> Result<Vec<u8>, CallError> {
        Ok(self.body.clone())
    }

    fn within(&self, _: &Head, _: Option<Vec<u8>>) -> Self {
        Self { now: self.now, secrets: self.secrets, body: Vec::new(), sent: RefCell::default() }
    }

    async fn forward(&self, onward: &Onward<'_>, within: Duration) -> Result<Forwarded<()>, CallError> {
        let Onward { url, binding, edits, .. } = onward.clone();
        let (binding, edits) = (binding.map(str::to_owned), edits.clone());
        self.sent.borrow_mut().push(Sent::Onward { url, binding, edits, within });
        Ok(Forwarded::Reply(ReplyHead { status: 200, headers: Headers::default(), reply: () }))
    }

    async fn fetch(&self, call: &Call, within: Duration) -> Result<Fetched, CallError> {
        self.sent.borrow_mut().push(Sent::Own(call.clone(), within));
        Ok(Fetched { status: 200, headers: Headers::default(), body: b"null".to_vec() })
    }

    fn certificate(&self) -> Option<Certificate> {
        None
    }

    fn mirror(&self, _: &Onward<'_>, _: Duration) {}

    async fn read(
        &self,
        (): (),
        _: &HeaderEdits,
        _: Option<u32>,
        _: Duration,
    ) -> Result<(Headers, Vec<u8>), CallError> {
        Ok((Headers::default(), Vec::new()))
    }

    fn open(&self, _: Response) {}

    fn write(&self, _: &[u8]) {}

    fn close(&self) {}

    fn discard(&self, (): ()) {}

    async fn recall(&self, _: &str, _: Duration) -> Result<Option<String>, KvDown> {
        Err(KvDown)
    }

    async fn sleep(&self, _: Duration) {}

    fn random(&self) -> f64 {
        0.0
    }

    async fn fingerprint(&self, _: &str, _: u32, _: Duration) -> Result<String, CallError> {
        Ok(String::new())
    }

    async fn begin(&self, _: &FirstRequest, _: Duration, _: Duration) -> Result<Known<()>, StoreDown> {
        Ok(Known::Nothing)
    }

    async fn keep(&self, _: &FirstRequest, (): (), _: &HeaderEdits, _: Duration, _: Duration) -> ((), bool) {
        ((), true)
    }

    async fn lose(&self, _: &FirstRequest, _: Duration) {}

    async fn forget(&self, _: &FirstRequest) {}

    async fn spend(&self, _: &Charge, _: Duration) -> Result<Verdict, LimiterDown> {
        Err(LimiterDown)
    }

    async fn borrow(&self, _: &Charge, _: Duration) -> Result<(u32, Verdict), LimiterDown> {
        Err(LimiterDown)
    }

    async fn give_back(&self, _: &Charge, _: UnixMillis) {}

    async fn is_within_rate(&self, _: &str, _: &str, _: Duration) -> Result<bool, LimiterDown> {
        Err(LimiterDown)
    }

    async fn tally(&self, _: &str, _: &str, _: Duration) -> Result<u64, KvDown> {
        Err(KvDown)
    }

    async fn note_count(&self, _: &str, _: u64, _: Micros) -> Result<(), KvDown> {
        Err(KvDown)
    }

    async fn take_slot(&self, _: &str, _: u32, _: Duration, _: Duration) -> Result<Option<Slot>, LimiterDown> {
        Err(LimiterDown)
    }

    async fn free_slot(&self, _: &Slot) {}

    async fn remember(&self, _: &str, _: &str) {}

    async fn verify(&self, _: Algorithm, _: &str, _: &str, _: &[u8]) -> Result<bool, KeyUnusable> {
        Err(KeyUnusable)
    }

    fn afterwards(&self, _: Afterwards) {}

    fn log(&self, _: &str) {}
}
