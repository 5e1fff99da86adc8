//! A runtime in which nothing is real: time passes when nobody can go on, services do what they
//! are told, and every run is the same. A race or a stall is a test that repeats.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use postern::answer::{Answer, Response};
use postern::gateway::Gateway;
use postern::handle::handle;
use postern::head::{Head, Headers, UnixMillis};
use postern::platform::{
    Afterwards, AtOnce, Call, CallError, Fetched, FirstRequest, Forwarded, KeyUnusable, Known, KvDown, LimiterDown,
    Onward, Platform, ReplyHead, StoreDown, WhenClientLeaves,
};
use postern::policy::certificate::Certificate;
use postern::policy::headers::{HeaderEdits, is_never_for_clients};
use postern::policy::idempotency::{Begun, Entry, MOST, Stage};
use postern::policy::jwt::algorithm::Algorithm;
use postern::policy::rate_limit::{Charge, Slot};
use postern::quota::{Micros, Taken, Verdict};
use postern::slots::Slots;

use crate::signing;

/// When the simulation begins: 2026-01-01, in milliseconds.
pub const BEGINNING: u64 = 1_767_225_600_000;

/// How a service takes a call.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// How long it takes for it.
    pub after: Duration,
    /// What it does then.
    pub then: Then,
}

/// What a service does in the end.
#[derive(Clone, Debug)]
pub enum Then {
    /// It answers.
    Answer { status: u16, headers: String, body: Vec<u8> },
    /// The connection breaks.
    Break,
}

impl Behaviour {
    /// Answers with JSON.
    pub fn json(after: Duration, body: impl Into<String>) -> Self {
        let body = body.into().into_bytes();
        Self { after, then: Then::Answer { status: 200, headers: "content-type:application/json\n".into(), body } }
    }

    /// Answers with a status and nothing else.
    pub fn status(after: Duration, status: u16) -> Self {
        Self { after, then: Then::Answer { status, headers: String::new(), body: Vec::new() } }
    }

    /// Breaks the connection.
    pub fn breaks(after: Duration) -> Self {
        Self { after, then: Then::Break }
    }

    /// Does nothing for longer than anybody waits.
    pub fn stalls() -> Self {
        Self::breaks(Duration::from_secs(1_000_000))
    }
}

/// A call as a service got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    pub url: String,
    /// Lines `name:value`, sorted.
    pub headers: Vec<String>,
    /// What the gateway itself sent.
    pub body: String,
    /// Whether it was given up before the service was done.
    pub aborted: bool,
    pub from: Duration,
    pub until: Duration,
}

/// An answer as a client got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: String,
    /// When the pieces of a body that came in pieces came, since the request.
    pub pieces: Vec<Duration>,
    pub took: Duration,
}

type Services = dyn Fn(&str) -> Behaviour;

/// By client and key, what is known of the first request, and its answer.
pub type Firsts = HashMap<String, (Entry, Option<Reply>)>;

/// A count that KV was told: when, how much, and until when it counts.
pub type Note = (Duration, u64, Micros);

/// The simulated world.
pub struct World {
    now: Cell<Duration>,
    sleepers: RefCell<Vec<(Duration, Waker)>>,
    services: Box<Services>,
    secrets: HashMap<String, String>,
    counters: RefCell<HashMap<String, Taken>>,
    slots: RefCell<HashMap<String, Slots>>,
    requests: Cell<u32>,
    /// What KV has; `None` is down.
    pub kv: RefCell<Option<HashMap<String, String>>>,
    /// The platform's own rate limits: how many, in how many seconds.
    pub rates: HashMap<String, (u64, u64)>,
    rate_counts: RefCell<HashMap<(String, String, u64), u64>>,
    /// What KV was told of each count.
    pub counts: RefCell<HashMap<String, Vec<Note>>>,
    /// How long KV takes to tell a count that was written.
    pub kv_late: Cell<Duration>,
    /// How often KV was asked for a sum.
    pub tallied: Cell<u32>,
    /// What is kept for requests that come again; `None` is down.
    pub firsts: RefCell<Option<Firsts>>,
    /// Of each request that was handed on, what becomes of that when its client leaves.
    pub leaving: RefCell<Vec<WhenClientLeaves>>,
    /// Whether replies are handed on at once where that holds, and how many were.
    pub hands_on: Cell<bool>,
    pub handed_on: Cell<u32>,
    /// How often KV was asked.
    pub recalled: Cell<u32>,
    /// How often the place that counts for a limit was asked.
    pub counted: Cell<u32>,
    /// How often a signature was checked by a public key.
    pub verified: Cell<u32>,
    /// What is to be done once an answer is on its way.
    jobs: RefCell<Vec<Afterwards>>,
    lots: Cell<u64>,
    /// The certificate that clients show, in lines; empty is none.
    pub certificate: RefCell<String>,
    /// How long the limiter takes; `None` is down.
    pub limiter: Cell<Option<Duration>>,
    pub seen: RefCell<Vec<Seen>>,
    pub log: RefCell<Vec<String>>,
}

impl World {
    /// A world in which a call to a URL meets this behaviour.
    pub fn new(services: impl Fn(&str) -> Behaviour + 'static) -> Self {
        Self {
            now: Cell::new(Duration::ZERO),
            sleepers: RefCell::default(),
            services: Box::new(services),
            secrets: HashMap::new(),
            counters: RefCell::default(),
            slots: RefCell::default(),
            requests: Cell::new(0),
            kv: RefCell::new(Some(HashMap::new())),
            rates: HashMap::new(),
            rate_counts: RefCell::default(),
            counts: RefCell::default(),
            kv_late: Cell::default(),
            tallied: Cell::new(0),
            firsts: RefCell::new(Some(HashMap::new())),
            leaving: RefCell::default(),
            hands_on: Cell::new(true),
            handed_on: Cell::new(0),
            recalled: Cell::new(0),
            verified: Cell::new(0),
            counted: Cell::new(0),
            jobs: RefCell::default(),
            lots: Cell::new(1),
            certificate: RefCell::default(),
            limiter: Cell::new(Some(Duration::from_millis(1))),
            seen: RefCell::default(),
            log: RefCell::default(),
        }
    }

    /// Adds a secret to the environment.
    pub fn with_secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The time since the beginning.
    pub fn now(&self) -> Duration {
        self.now.get()
    }

    /// Runs to the end, letting time pass whenever nothing else can happen.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            // One that woke itself can go on now.
            if woken.0.swap(false, Ordering::Relaxed) {
                continue;
            }
            let mut sleepers = self.sleepers.borrow_mut();
            let next = sleepers.iter().map(|(until, _)| *until).min().expect("everybody waits and nobody sleeps");
            self.now.set(self.now.get().max(next));
            let (due, waiting) = sleepers.drain(..).partition(|(until, _)| *until <= next);
            *sleepers = waiting;
            drop(sleepers);
            let due: Vec<(Duration, Waker)> = due;
            due.into_iter().for_each(|(_, waker)| waker.wake());
            woken.0.store(false, Ordering::Relaxed);
        }
    }

    /// Sleeps until a moment after the beginning.
    pub async fn sleep_until(&self, until: Duration) {
        std::future::poll_fn(|context| {
            if self.now.get() >= until {
                return Poll::Ready(());
            }
            self.sleepers.borrow_mut().push((until, context.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Sends a request without a body: method, URL, and header fields as lines `name:value`.
    pub async fn send(&self, gateway: &Gateway, method: &str, url: &str, headers: &str) -> Got {
        self.send_body(gateway, method, url, headers, "").await
    }

    /// Sends a request.
    pub async fn send_body(&self, gateway: &Gateway, method: &str, url: &str, headers: &str, body: &str) -> Got {
        self.requests.set(self.requests.get() + 1);
        let arrived = BEGINNING + self.now().as_millis() as u64;
        let text = format!("{method}\n{url}\n192.0.2.7\nrequest-{}\n{arrived}\n{headers}", self.requests.get());
        let head = Head::from_text(&text).expect("a head");
        let start = self.now();
        let (method, headers, body) = (method.to_owned(), headers.to_owned(), body.as_bytes().to_vec());
        let simulated =
            Simulated { world: self, method, headers, body, pieces: RefCell::default(), handed_on: RefCell::default() };
        let answer = handle(gateway, head, &simulated).await;
        let pieces = simulated.pieces.take();
        let (status, headers, body) = match answer {
            Answer::Own(response) => {
                assert!(pieces.is_none(), "an answer that was begun, and then made anew");
                (response.status, fields_of(&response), response.body)
            }
            Answer::Relayed { reply, edits, status, .. } => (status, edited(&reply.headers, &edits), reply.body),
            Answer::OnItsWay { status } if pieces.is_none() => {
                let (headers, body) = simulated.handed_on.take().expect("an answer that was handed on");
                (status, headers, body)
            }
            Answer::OnItsWay { status } => {
                let pieces = pieces.as_ref().expect("an answer that was begun");
                assert!(pieces.is_closed && pieces.head.status == status, "an answer that was not ended");
                let body = pieces.all.iter().flat_map(|(_, piece)| piece.clone()).collect();
                (status, fields_of(&pieces.head), body)
            }
        };
        let since = |at: &Duration| *at - start;
        let pieces = pieces.map(|pieces| pieces.all.iter().map(|(at, _)| since(at)).collect()).unwrap_or_default();
        let took = self.now() - start;
        let jobs = self.jobs.take();
        for job in jobs {
            job.run(&simulated).await;
        }
        Got { status, headers, body: String::from_utf8_lossy(&body).into_owned(), pieces, took }
    }

    /// Nothing comes of what was to be done once an answer is on its way: the isolate died.
    pub fn forget_jobs(&self) {
        self.jobs.take();
    }

    /// A call that meets its service's behaviour, or the end of its time.
    async fn call(
        &self,
        method: &str,
        url: &str,
        headers: HashMap<String, String>,
        within: Duration,
    ) -> Result<Reply, CallError> {
        let behaviour = (self.services)(url);
        let headers = lines(headers);
        let from = self.now();
        let entry = Seen {
            method: method.into(),
            url: url.into(),
            headers,
            body: String::new(),
            aborted: true,
            from,
            until: from,
        };
        let mut under_way = UnderWay { world: self, entry };
        self.sleep_until(from + behaviour.after.min(within)).await;
        if behaviour.after > within {
            return Err(CallError::TimedOut);
        }
        under_way.entry.aborted = false;
        match behaviour.then {
            Then::Answer { status, headers, body } => {
                let headers = Headers::from_text(headers);
                Ok(Reply { status, headers, body })
            }
            Then::Break => Err(CallError::Unreachable),
        }
    }
}

/// Whether somebody can go on.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Keeps what became of a call, also of one that was dropped.
struct UnderWay<'w> {
    world: &'w World,
    entry: Seen,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.entry.until = self.world.now();
        self.world.seen.borrow_mut().push(self.entry.clone());
    }
}

/// A service's reply in the simulation.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Headers,
    body: Vec<u8>,
}

/// The runtime as one request sees it.
struct Simulated<'w> {
    world: &'w World,
    method: String,
    headers: String,
    body: Vec<u8>,
    pieces: RefCell<Option<Pieces>>,
    /// The answer, if it was handed on at once.
    handed_on: RefCell<Option<HandedOn>>,
}

/// The header fields and the body of an answer that was handed on.
type HandedOn = (HashMap<String, String>, Vec<u8>);

/// An answer that is written piece by piece.
struct Pieces {
    head: Response,
    all: Vec<(Duration, Vec<u8>)>,
    is_closed: bool,
}

impl Simulated<'_> {
    /// Asks the place that counts.
    async fn limiter_asked(&self, within: Duration) -> Result<(), LimiterDown> {
        let Some(latency) = self.world.limiter.get().filter(|latency| *latency <= within) else {
            self.world.sleep_until(self.world.now() + within).await;
            return Err(LimiterDown);
        };
        self.world.sleep_until(self.world.now() + latency).await;
        self.world.counted.set(self.world.counted.get() + 1);
        Ok(())
    }

    /// Asks it where what a charge is on is changed.
    async fn counting<T>(
        &self,
        charge: &Charge,
        within: Duration,
        act: impl FnOnce(Taken, u64) -> (T, Taken),
    ) -> Result<T, LimiterDown> {
        self.limiter_asked(within).await?;
        let mut counters = self.world.counters.borrow_mut();
        let taken = counters.entry(charge.key.clone()).or_default();
        let (came, after) = act(*taken, self.now().0 * 1000);
        *taken = after;
        Ok(came)
    }
}

impl Platform for Simulated<'_> {
    type Reply = Reply;

    fn now(&self) -> UnixMillis {
        UnixMillis(BEGINNING + self.world.now().as_millis() as u64)
    }

    fn secret(&self, name: &str) -> Option<String> {
        self.world.secrets.get(name).cloned()
    }

    fn certificate(&self) -> Option<Certificate> {
        Certificate::from_text(&self.world.certificate.borrow())
    }

    async fn body(&self, most: u32, _: Duration) -> Result<Vec<u8>, CallError> {
        if self.body.len() > most as usize { Err(CallError::BodyTooLarge) } else { Ok(self.body.clone()) }
    }

    fn within(&self, head: &Head, body: Option<Vec<u8>>) -> Self {
        let headers = head.headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let (method, body) = (head.method.clone(), body.unwrap_or_default());
        Self { world: self.world, method, headers, body, pieces: RefCell::default(), handed_on: RefCell::default() }
    }

    async fn forward(&self, onward: &Onward<'_>, within: Duration) -> Result<Forwarded<Reply>, CallError> {
        self.world.leaving.borrow_mut().push(onward.when_client_leaves);
        assert!(!onward.keeps_body || !matches!(&*self.method, "GET" | "HEAD"), "no runtime makes a GET with a body");
        for edits in [onward.edits].into_iter().chain(onward.at_once.as_ref().map(|at_once| &at_once.edits)) {
            assert_in_lines(edits);
        }
        let headers = edited(&Headers::from_text(self.headers.clone()), onward.edits);
        let reply = self.world.call(&self.method, &onward.url, headers, within).await?;
        let status = reply.status;
        let at_once = onward.at_once.as_ref().filter(|_| self.world.hands_on.get());
        if let Some(headers) = at_once.and_then(|at_once| fields_at_once(at_once, &reply)) {
            self.world.handed_on.set(self.world.handed_on.get() + 1);
            self.handed_on.replace(Some((headers, reply.body)));
            return Ok(Forwarded::HandedOn { status });
        }
        Ok(Forwarded::Reply(ReplyHead { status, headers: reply.headers.clone(), reply }))
    }

    async fn fetch(&self, call: &Call, within: Duration) -> Result<Fetched, CallError> {
        let headers = call.headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        let reply = self.world.call(call.method, &call.url, headers, within).await?;
        if let (Some(body), Some(seen)) = (&call.body, self.world.seen.borrow_mut().last_mut()) {
            seen.body = body.clone();
        }
        let is_read = (200..300).contains(&reply.status) || call.reads.contains(&format!("{},", reply.status));
        let body = if is_read { reply.body } else { Vec::new() };
        if body.len() > call.max_answer as usize {
            return Err(CallError::TooLarge);
        }
        let wanted = |name: &str| call.wants.split(',').any(|other| other == name);
        let fields = reply.headers.iter().filter(|(name, _)| wanted(name));
        let headers: String = fields.map(|(name, value)| format!("{name}:{value}\n")).collect();
        Ok(Fetched { status: reply.status, headers: Headers::from_text(headers), body })
    }

    fn mirror(&self, onward: &Onward<'_>, _: Duration) {
        let now = self.world.now();
        let headers = edited(&Headers::from_text(self.headers.clone()), onward.edits);
        let seen = Seen {
            method: self.method.clone(),
            url: onward.url.clone(),
            headers: lines(headers),
            body: String::new(),
            aborted: false,
            from: now,
            until: now,
        };
        self.world.seen.borrow_mut().push(seen);
    }

    async fn read(
        &self,
        reply: Reply,
        edits: &HeaderEdits,
        most: Option<u32>,
        _: Duration,
    ) -> Result<(Headers, Vec<u8>), CallError> {
        let fields = edited(&reply.headers, edits);
        let headers = Headers::from_text(lines(fields).into_iter().flat_map(field_lines).collect::<String>());
        match most {
            None => Ok((headers, Vec::new())),
            Some(most) if reply.body.len() > most as usize => Err(CallError::TooLarge),
            Some(_) => Ok((headers, reply.body)),
        }
    }

    fn open(&self, head: Response) {
        let before = self.pieces.replace(Some(Pieces { head, all: Vec::new(), is_closed: false }));
        assert!(before.is_none(), "an answer is begun once");
    }

    fn write(&self, piece: &[u8]) {
        let mut pieces = self.pieces.borrow_mut();
        let pieces = pieces.as_mut().filter(|pieces| !pieces.is_closed).expect("an answer that can be written to");
        pieces.all.push((self.world.now(), piece.to_vec()));
    }

    fn close(&self) {
        self.pieces.borrow_mut().as_mut().expect("an answer that was begun").is_closed = true;
    }

    fn discard(&self, _: Reply) {}

    async fn recall(&self, key: &str, _: Duration) -> Result<Option<String>, KvDown> {
        self.world.recalled.set(self.world.recalled.get() + 1);
        match &*self.world.kv.borrow() {
            Some(values) => Ok(values.get(key).cloned()),
            None => Err(KvDown),
        }
    }

    async fn sleep(&self, span: Duration) {
        self.world.sleep_until(self.world.now() + span).await;
    }

    fn random(&self) -> f64 {
        // A linear congruential generator (Knuth's MMIX): the same lots in every run.
        let next =
            self.world.lots.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.world.lots.set(next);
        (next >> 11) as f64 / (1u64 << 53) as f64
    }

    async fn fingerprint(&self, asked: &str, _: u32, _: Duration) -> Result<String, CallError> {
        Ok(format!("{asked}{}", String::from_utf8_lossy(&self.body)).replace([' ', '\n'], "+"))
    }

    async fn begin(&self, request: &FirstRequest, lease: Duration, _: Duration) -> Result<Known<Reply>, StoreDown> {
        let mut firsts = self.world.firsts.borrow_mut();
        let firsts = firsts.as_mut().ok_or(StoreDown)?;
        let known = firsts.get(&request.name);
        match Entry::found(known.map(|(entry, _)| entry), &request.fingerprint, self.now()) {
            Begun::Running => Ok(Known::Running),
            Begun::Lost => Ok(Known::Lost),
            Begun::OtherPayload => Ok(Known::OtherPayload),
            Begun::Answered => {
                let reply = known.and_then(|(_, reply)| reply.clone()).unwrap();
                Ok(Known::Answer(ReplyHead { status: reply.status, headers: reply.headers.clone(), reply }))
            }
            Begun::First => {
                let until = UnixMillis(self.now().0 + lease.as_millis() as u64);
                let entry = Entry { fingerprint: request.fingerprint.clone(), until, stage: Stage::Running };
                firsts.insert(request.name.clone(), (entry, None));
                Ok(Known::Nothing)
            }
        }
    }

    async fn keep(
        &self,
        request: &FirstRequest,
        reply: Reply,
        edits: &HeaderEdits,
        keep: Duration,
        _: Duration,
    ) -> (Reply, bool) {
        let lines: String =
            edited(&reply.headers, edits).iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let reply = Reply { headers: Headers::from_text(lines), ..reply };
        let until = UnixMillis(self.now().0 + keep.as_millis() as u64);
        let entry = Entry { fingerprint: request.fingerprint.clone(), until, stage: Stage::Answered };
        let mut firsts = self.world.firsts.borrow_mut();
        match firsts.as_mut().filter(|_| reply.body.len() <= MOST as usize) {
            Some(firsts) => {
                firsts.insert(request.name.clone(), (entry, Some(reply.clone())));
                (reply, true)
            }
            None => (reply, false),
        }
    }

    async fn lose(&self, request: &FirstRequest, keep: Duration) {
        let until = UnixMillis(self.now().0 + keep.as_millis() as u64);
        let entry = Entry { fingerprint: request.fingerprint.clone(), until, stage: Stage::Lost };
        if let Some(firsts) = self.world.firsts.borrow_mut().as_mut() {
            firsts.insert(request.name.clone(), (entry, None));
        }
    }

    async fn forget(&self, request: &FirstRequest) {
        if let Some(firsts) = self.world.firsts.borrow_mut().as_mut() {
            firsts.remove(&request.name);
        }
    }

    async fn spend(&self, charge: &Charge, within: Duration) -> Result<Verdict, LimiterDown> {
        self.counting(charge, within, |taken, now| charge.quota.spend(taken, charge.units, now)).await
    }

    async fn borrow(&self, charge: &Charge, within: Duration) -> Result<(u32, Verdict), LimiterDown> {
        let borrow = |taken, now| {
            let (granted, verdict, after) = charge.quota.spend_up_to(taken, charge.units, now);
            ((granted, verdict), after)
        };
        self.counting(charge, within, borrow).await
    }

    async fn give_back(&self, charge: &Charge, since: UnixMillis) {
        let now = self.now().0 * 1000;
        if let Some(taken) = self.world.counters.borrow_mut().get_mut(&charge.key) {
            *taken = charge.quota.give_back(*taken, charge.units, since.micros(), now);
        }
    }

    async fn is_within_rate(&self, binding: &str, key: &str, _: Duration) -> Result<bool, LimiterDown> {
        let (limit, period) = *self.world.rates.get(binding).ok_or(LimiterDown)?;
        let window = self.world.now().as_secs() / period;
        let mut counts = self.world.rate_counts.borrow_mut();
        let count = counts.entry((binding.to_owned(), key.to_owned(), window)).or_default();
        *count += 1;
        Ok(*count <= limit)
    }

    async fn tally(&self, prefix: &str, but: &str, _: Duration) -> Result<u64, KvDown> {
        self.world.tallied.set(self.world.tallied.get() + 1);
        if self.world.kv.borrow().is_none() {
            return Err(KvDown);
        }
        let (now, late) = (self.world.now(), self.world.kv_late.get());
        let counts = self.world.counts.borrow();
        let of_all = counts.iter().filter(|(key, _)| key.starts_with(prefix) && *key != but);
        let seen = of_all.filter_map(|(_, notes)| {
            notes.iter().rev().find(|(at, ..)| *at + late <= now).map(|(_, count, until)| (*count, *until))
        });
        Ok(seen.filter(|(_, until)| self.now().0 * 1000 < *until).map(|(count, _)| count).sum())
    }

    async fn note_count(&self, key: &str, count: u64, until: Micros) -> Result<(), KvDown> {
        if self.world.kv.borrow().is_none() {
            return Err(KvDown);
        }
        self.world.counts.borrow_mut().entry(key.to_owned()).or_default().push((self.world.now(), count, until));
        Ok(())
    }

    async fn take_slot(
        &self,
        key: &str,
        most: u32,
        lasts: Duration,
        within: Duration,
    ) -> Result<Option<Slot>, LimiterDown> {
        self.limiter_asked(within).await?;
        let mut slots = self.world.slots.borrow_mut();
        let until = slots.entry(key.to_owned()).or_default().take(most, lasts.as_micros() as u64, self.now().0 * 1000);
        Ok(until.map(|until| Slot { key: key.to_owned(), until }))
    }

    async fn free_slot(&self, slot: &Slot) {
        self.world.slots.borrow_mut().entry(slot.key.clone()).or_default().free(slot.until);
    }

    async fn remember(&self, key: &str, text: &str) {
        if let Some(values) = self.world.kv.borrow_mut().as_mut() {
            values.insert(key.to_owned(), text.to_owned());
        }
    }

    async fn verify(
        &self,
        algorithm: Algorithm,
        jwk: &str,
        signed: &str,
        signature: &[u8],
    ) -> Result<bool, KeyUnusable> {
        self.world.verified.set(self.world.verified.get() + 1);
        signing::is_signed(algorithm, jwk, signed, signature).ok_or(KeyUnusable)
    }

    fn afterwards(&self, job: Afterwards) {
        self.world.jobs.borrow_mut().push(job);
    }

    fn log(&self, line: &str) {
        self.world.log.borrow_mut().push(line.to_owned());
    }
}

fn lines(fields: HashMap<String, String>) -> Vec<String> {
    let mut lines: Vec<_> = fields.into_iter().map(|(name, value)| format!("{name}:{value}")).collect();
    lines.sort();
    lines
}

/// A line `name:value` of [`lines`] as the runtime has it: one line for each cookie.
fn field_lines(line: String) -> Vec<String> {
    let name = line.split(':').next().unwrap_or_default().to_owned();
    line.split('\n')
        .enumerate()
        .map(|(at, value)| if at == 0 { format!("{value}\n") } else { format!("{name}:{value}\n") })
        .collect()
}

/// The fields of a response made here, as after edits.
fn fields_of(response: &Response) -> HashMap<String, String> {
    let mut fields = HashMap::new();
    response.headers.iter().for_each(|(name, value)| push(&mut fields, name, value));
    fields
}

/// Edits cross as lines: one with a break in it could make another of the next.
fn assert_in_lines(edits: &HeaderEdits) {
    let fields = edits.set.iter().chain(&edits.append).chain(&edits.add).flat_map(|(name, value)| [&**name, value]);
    for text in fields.chain(edits.remove.iter().map(String::as_str)) {
        assert!(!text.contains(['\n', '\r']), "{text:?} breaks its line");
    }
}

/// The fields of a reply that gets to the client at once, if it does.
fn fields_at_once(at_once: &AtOnce, reply: &Reply) -> Option<HashMap<String, String>> {
    let is_looked_at = |name: &str| at_once.looked_at.split(',').any(|other| other == name);
    let is_plain = |(name, value): (&str, &str)| match name {
        "connection" => is_never_for_clients(&value.to_ascii_lowercase()),
        name => !is_looked_at(name),
    };
    let is_ordinary = (200..=599).contains(&reply.status) && !is_looked_at(&reply.status.to_string());
    if !is_ordinary || !reply.headers.iter().all(is_plain) {
        return None;
    }
    let names = reply.headers.iter().map(|(name, _)| name).filter(|name| is_never_for_clients(name));
    let remove = names.chain(at_once.edits.remove.iter().map(String::as_str)).map(str::to_owned).collect();
    Some(edited(&reply.headers, &HeaderEdits { remove, ..at_once.edits.clone() }))
}

/// Fields after edits; those of one name joined by `, `, but cookies by a line break.
fn edited(headers: &Headers, edits: &HeaderEdits) -> HashMap<String, String> {
    let mut fields = HashMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| !edits.remove.iter().any(|other| other == name)) {
        push(&mut fields, name, value);
    }
    fields.extend(edits.set.iter().map(|(name, value)| (name.to_string(), value.clone())));
    edits.append.iter().for_each(|(name, value)| push(&mut fields, name, value));
    for (name, value) in &edits.add {
        fields.entry(name.to_string()).or_insert_with(|| value.clone());
    }
    fields
}

fn push(fields: &mut HashMap<String, String>, name: &str, value: &str) {
    let between = if name == "set-cookie" { "\n" } else { ", " };
    fields
        .entry(name.to_owned())
        .and_modify(|all: &mut String| all.push_str(&format!("{between}{value}")))
        .or_insert_with(|| value.to_owned());
}

/// A future on the heap, for lists of them.
pub type Boxed<'f, T> = Pin<Box<dyn Future<Output = T> + 'f>>;
