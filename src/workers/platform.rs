//! The port, on a Workers runtime.

use std::cell::{Cell, OnceCell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{self, Poll};
use std::time::Duration;

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Response;

use super::bridge::{self, Opened, Visit};
use super::tasks::{self, Brought, Number, Settled, Waiting};
use crate::answer;
use crate::head::{Head, Headers, UnixMillis};
use crate::platform::{
    Afterwards, Call, CallError, Fetched, FirstRequest, Forwarded, KeyUnusable, Known, KvDown, LimiterDown, Onward,
    Platform, ReplyHead, StoreDown, WhenClientLeaves,
};
use crate::policy::certificate::Certificate;
use crate::policy::headers::HeaderEdits;
use crate::policy::idempotency::MOST;
use crate::policy::jwt::algorithm::Algorithm;
use crate::policy::rate_limit::{Charge, LIMITER_TIMEOUT, Slot};
use crate::quota::{Micros, Verdict};

/// The runtime, as one request sees it.
pub struct Workers {
    visit: Rc<Visit>,
    shared: Rc<Shared>,
    /// The answer, if it is one that comes in pieces.
    opened: OnceCell<Opened>,
}

/// What a request has in common with those that are made for its sake.
struct Shared {
    /// What is to be done once the answer is on its way.
    jobs: RefCell<Vec<Afterwards>>,
    /// The time, until something is waited for: the runtime's clock stands still until then.
    now: Cell<Option<UnixMillis>>,
}

impl Workers {
    /// For one request, which came at that time.
    pub fn new(visit: Rc<Visit>, arrived: UnixMillis) -> Self {
        let shared = Rc::new(Shared { jobs: RefCell::default(), now: Cell::new(Some(arrived)) });
        Self { visit, shared, opened: OnceCell::new() }
    }

    /// The answer, if it is one that comes in pieces, and was begun.
    pub fn begun(&self) -> Option<Response> {
        self.opened.get().map(Opened::response)
    }

    /// What is left to do, now that the answer is on its way.
    pub fn jobs(&self) -> Vec<Afterwards> {
        self.shared.jobs.take()
    }

    /// Goes on when the answer is on its way.
    pub fn go_on(&self, future: impl Future<Output = ()> + 'static) {
        let work = self.visit.work();
        tasks::spawn(async move {
            future.await;
            work.end();
        });
    }

    /// What a call brings that is begun under a number.
    async fn called(&self, begin: impl FnOnce(&Visit, Number)) -> Result<Brought, CallError> {
        let waiting = Waiting::begin();
        begin(&self.visit, waiting.number());
        let in_flight = InFlight { visit: &self.visit, waiting };
        self.waited(in_flight).await.map_err(call_error)
    }

    /// What the place that counts for a key answers to what is asked.
    async fn count(&self, key: &str, asked: &str, within: Duration) -> Result<String, LimiterDown> {
        let ms = millis(within);
        match self.called(|visit, number| bridge::count(visit, number, key, asked, ms)).await {
            Ok(Brought::Text(answer)) => Ok(answer),
            _ => Err(LimiterDown),
        }
    }

    /// What a promise brings.
    async fn brought(&self, promise: &Promise) -> Result<JsValue, JsValue> {
        match self.waited(Waiting::for_promise(promise)).await? {
            Brought::Value(value) => Ok(value),
            // No promise brings another.
            _ => Ok(JsValue::UNDEFINED),
        }
    }

    /// What a future brings; time has passed then.
    async fn waited<F: Future>(&self, future: F) -> F::Output {
        let output = future.await;
        self.shared.now.set(None);
        output
    }
}

impl Platform for Workers {
    type Reply = Response;

    fn now(&self) -> UnixMillis {
        // A clock of milliseconds since 1970 fits an f64 exactly, and is not negative.
        let now = self.shared.now.get().unwrap_or_else(|| UnixMillis(js_sys::Date::now() as u64));
        self.shared.now.set(Some(now));
        now
    }

    fn secret(&self, name: &str) -> Option<String> {
        bridge::secret(&self.visit, name)
    }

    fn certificate(&self) -> Option<Certificate> {
        bridge::certificate(&self.visit).as_deref().and_then(Certificate::from_text)
    }

    async fn body(&self, most: u32, within: Duration) -> Result<Vec<u8>, CallError> {
        let body = self.brought(&bridge::body(&self.visit, most, millis(within))).await;
        Ok(body.map_err(call_error)?.unchecked_into::<Uint8Array>().to_vec())
    }

    fn within(&self, head: &Head, body: Option<Vec<u8>>) -> Self {
        let fields: String = head.headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let visit = Rc::new(bridge::within(&self.visit, &head.method, &fields, body));
        Self { visit, shared: Rc::clone(&self.shared), opened: OnceCell::new() }
    }

    async fn forward(&self, onward: &Onward<'_>, within: Duration) -> Result<Forwarded<Response>, CallError> {
        let Onward { url, binding, edits, keeps_body, when_client_leaves, max_body, at_once } = onward;
        let looked_at = at_once.as_ref().map_or("", |at_once| &at_once.looked_at);
        // In one piece: each text costs a crossing of its own.
        let mut asked = String::with_capacity(512);
        asked.extend([url.as_str(), "\n", binding.unwrap_or_default(), "\n", looked_at, "\n"]);
        bridge::push_edits(&mut asked, edits);
        if let Some(at_once) = at_once {
            asked.push('\n');
            bridge::push_edits(&mut asked, &at_once.edits);
        }
        let (max_body, ms) = (max_body.unwrap_or_default() as f64, millis(within));
        let leaving = match when_client_leaves {
            // What is to be done afterwards would not be.
            WhenClientLeaves::EndsUnnoticed if !self.shared.jobs.borrow().is_empty() => {
                WhenClientLeaves::EndsWithRequest
            }
            leaving => *leaving,
        } as u8;
        let begin = |visit: &Visit, number| {
            bridge::forward(visit, number, &asked, *keeps_body, leaving, max_body, ms);
        };
        match self.called(begin).await? {
            Brought::Reply { status, fields, reply } => {
                Ok(Forwarded::Reply(ReplyHead { status, headers: Headers::from_text(fields), reply }))
            }
            Brought::HandedOn(status) => Ok(Forwarded::HandedOn { status }),
            _ => Err(CallError::Unreachable),
        }
    }

    async fn fetch(&self, call: &Call, within: Duration) -> Result<Fetched, CallError> {
        let Call { method, url, headers, reads, wants, .. } = call;
        let binding = call.binding.as_deref().unwrap_or_default();
        let fields = bridge::field_lines(headers);
        let mut asked = String::with_capacity(512);
        asked.extend([method, "\n", url, "\n", binding, "\n", reads, "\n", wants, "\n", &fields]);
        let (body, limit, ms) = (call.body.as_deref(), call.max_answer, millis(within));
        let begin = |visit: &Visit, number| {
            bridge::fetch(visit, number, &asked, body, limit, call.outlives_client, ms);
        };
        match self.called(begin).await? {
            Brought::Whole { status, fields, body } => {
                Ok(Fetched { status, headers: Headers::from_text(fields), body })
            }
            _ => Err(CallError::Unreachable),
        }
    }

    fn mirror(&self, onward: &Onward<'_>, within: Duration) {
        let binding = onward.binding.unwrap_or_default();
        let edits = bridge::edit_lines(onward.edits);
        let sent = bridge::mirror(&self.visit, &onward.url, binding, &edits, millis(within));
        self.go_on(async move {
            let _ = Waiting::for_promise(&sent).await;
        });
    }

    async fn read(
        &self,
        reply: Response,
        edits: &HeaderEdits,
        most: Option<u32>,
        within: Duration,
    ) -> Result<(Headers, Vec<u8>), CallError> {
        let (edits, ms) = (bridge::edit_lines(edits), millis(within));
        match self.called(|visit, number| bridge::read(visit, number, &reply, &edits, most, ms)).await? {
            Brought::Whole { fields, body, .. } => Ok((Headers::from_text(fields), body)),
            _ => Err(CallError::Unreachable),
        }
    }

    fn open(&self, head: answer::Response) {
        self.opened.get_or_init(|| bridge::open(&head));
    }

    fn write(&self, piece: &[u8]) {
        if let Some(opened) = self.opened.get() {
            opened.write(piece);
        }
    }

    fn close(&self) {
        if let Some(opened) = self.opened.get() {
            opened.close();
        }
    }

    fn discard(&self, reply: Response) {
        bridge::discard(&reply);
    }

    async fn recall(&self, key: &str, within: Duration) -> Result<Option<String>, KvDown> {
        let value = self.brought(&bridge::recall(&self.visit, key, millis(within))).await.map_err(|_| KvDown)?;
        Ok(value.as_string())
    }

    async fn sleep(&self, span: Duration) {
        // It ends as a call does whose time is over.
        let _ = self.called(|visit, number| visit.sleep(number, millis(span))).await;
    }

    fn random(&self) -> f64 {
        js_sys::Math::random()
    }

    async fn fingerprint(&self, asked: &str, most: u32, within: Duration) -> Result<String, CallError> {
        let digest = bridge::fingerprint(&self.visit, asked, most, millis(within));
        let digest = self.brought(&digest).await;
        Ok(digest.map_err(call_error)?.as_string().unwrap_or_default())
    }

    async fn begin(
        &self,
        request: &FirstRequest,
        lease: Duration,
        within: Duration,
    ) -> Result<Known<Response>, StoreDown> {
        let FirstRequest { name, fingerprint } = request;
        let asked = bridge::begin_first(&self.visit, name, fingerprint, millis(lease), millis(within));
        let known = self.brought(&asked).await.map_err(|_| StoreDown)?;
        match known.as_string().as_deref() {
            Some("first") => Ok(Known::Nothing),
            Some("running") => Ok(Known::Running),
            Some("lost") => Ok(Known::Lost),
            Some(_) => Ok(Known::OtherPayload),
            None => Ok(Known::Answer(head_of(known.unchecked_into()))),
        }
    }

    async fn keep(
        &self,
        request: &FirstRequest,
        reply: Response,
        edits: &HeaderEdits,
        keep: Duration,
        within: Duration,
    ) -> (Response, bool) {
        let FirstRequest { name, fingerprint } = request;
        let edits = bridge::edit_lines(edits);
        let (keep, ms) = (millis(keep), millis(within));
        let kept = bridge::keep_first(&self.visit, name, fingerprint, &reply, &edits, keep, MOST, ms);
        match self.brought(&kept).await.map(|pair| Array::from(&pair)) {
            Ok(pair) => (pair.get(0).unchecked_into(), pair.get(1).is_truthy()),
            Err(_) => (reply, false),
        }
    }

    async fn lose(&self, request: &FirstRequest, keep: Duration) {
        let FirstRequest { name, fingerprint } = request;
        let _ = self.brought(&bridge::lose_first(&self.visit, name, fingerprint, millis(keep))).await;
    }

    async fn forget(&self, request: &FirstRequest) {
        let FirstRequest { name, fingerprint } = request;
        let _ = self.brought(&bridge::forget_first(&self.visit, name, fingerprint)).await;
    }

    async fn spend(&self, charge: &Charge, within: Duration) -> Result<Verdict, LimiterDown> {
        let line = self.count(&charge.key, &asked("spend", charge), within).await?;
        Verdict::from_line(&line).ok_or(LimiterDown)
    }

    async fn borrow(&self, charge: &Charge, within: Duration) -> Result<(u32, Verdict), LimiterDown> {
        let line = self.count(&charge.key, &asked("borrow", charge), within).await?;
        let (granted, verdict) = line.split_once(' ').ok_or(LimiterDown)?;
        granted.parse().ok().zip(Verdict::from_line(verdict)).ok_or(LimiterDown)
    }

    async fn give_back(&self, charge: &Charge, since: UnixMillis) {
        let asked = format!("{} {}", asked("give_back", charge), since.micros());
        let _ = self.count(&charge.key, &asked, LIMITER_TIMEOUT).await;
    }

    async fn is_within_rate(&self, binding: &str, key: &str, within: Duration) -> Result<bool, LimiterDown> {
        let asked = bridge::is_within_rate(&self.visit, binding, key, millis(within));
        self.brought(&asked).await.ok().and_then(|is_within| is_within.as_bool()).ok_or(LimiterDown)
    }

    async fn tally(&self, prefix: &str, but: &str, within: Duration) -> Result<u64, KvDown> {
        let sum = self.brought(&bridge::tally(&self.visit, prefix, but, millis(within))).await;
        // A sum of counts is not negative, and one that no f64 has fits no quota.
        sum.ok().and_then(|sum| sum.as_f64()).map(|sum| sum as u64).ok_or(KvDown)
    }

    async fn note_count(&self, key: &str, count: u64, until: Micros) -> Result<(), KvDown> {
        let noted = bridge::note_count(&self.visit, key, count as f64, until.div_ceil(1_000_000) as f64);
        self.brought(&noted).await.map(drop).map_err(|_| KvDown)
    }

    async fn take_slot(
        &self,
        key: &str,
        most: u32,
        lasts: Duration,
        within: Duration,
    ) -> Result<Option<Slot>, LimiterDown> {
        let until = self.count(key, &format!("take_slot {most} {}", lasts.as_micros()), within).await?;
        match until.as_str() {
            "" => Ok(None),
            until => Ok(Some(Slot { key: key.to_owned(), until: until.parse().map_err(|_| LimiterDown)? })),
        }
    }

    async fn free_slot(&self, Slot { key, until }: &Slot) {
        let _ = self.count(key, &format!("free_slot {until}"), LIMITER_TIMEOUT).await;
    }

    async fn remember(&self, key: &str, text: &str) {
        let _ = self.brought(&bridge::remember(&self.visit, key, text)).await;
    }

    async fn verify(
        &self,
        algorithm: Algorithm,
        jwk: &str,
        signed: &str,
        signature: &[u8],
    ) -> Result<bool, KeyUnusable> {
        let checked = self.brought(&bridge::verify(algorithm.name(), jwk, signed, signature)).await;
        checked.map(|is_signed| is_signed.is_truthy()).map_err(|_| KeyUnusable)
    }

    fn afterwards(&self, job: Afterwards) {
        self.shared.jobs.borrow_mut().push(job);
    }

    fn log(&self, line: &str) {
        bridge::log(line);
    }
}

/// A call under way. The runtime does not end it when its future is dropped; this does.
struct InFlight<'v> {
    visit: &'v Visit,
    waiting: Waiting,
}

impl Future for InFlight<'_> {
    type Output = Settled;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.waiting).poll(context)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if self.waiting.is_pending() {
            self.visit.abort(self.waiting.number());
        }
    }
}

/// What is asked of the place that counts, for a charge.
fn asked(verb: &str, Charge { quota, units, .. }: &Charge) -> String {
    format!("{verb} {} {units}", quota.to_path())
}

fn head_of(reply: Response) -> ReplyHead<Response> {
    let head = bridge::reply_fields(&reply);
    let (status, fields) = head.split_once('\n').unwrap_or_default();
    // A status that is no number cannot be.
    ReplyHead { status: status.parse().unwrap_or_default(), headers: Headers::from_text(fields), reply }
}

/// The `CallError` that `bridge/` rejected with.
fn call_error(reason: JsValue) -> CallError {
    match reason.as_string().as_deref() {
        Some("timed-out") => CallError::TimedOut,
        Some("too-large") => CallError::TooLarge,
        Some("body-too-large") => CallError::BodyTooLarge,
        Some("client-slow") => CallError::ClientSlow,
        Some("no-binding") => CallError::NoBinding,
        Some("client-gone") => CallError::ClientGone,
        _ => CallError::Unreachable,
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
