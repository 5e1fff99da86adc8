//! The port to the world: what the gateway cannot do by itself.
//!
//! `workers/` implements it on a Workers runtime, `tests/world.rs` as a deterministic simulation.
//! Nothing is added here without a caller in the core.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::answer::{Answer, Response};
use crate::head::{Head, Headers, UnixMillis};
use crate::identify;
use crate::limits;
use crate::policy::certificate::Certificate;
use crate::policy::headers::{Field, HeaderEdits};
use crate::policy::jwt::JwtRule;
use crate::policy::jwt::algorithm::Algorithm;
use crate::policy::rate_limit::{Charge, LIMITER_TIMEOUT, Limit, Slot};
use crate::quota::{Micros, Verdict};

/// What the gateway needs of the runtime, for the time of one request. Calls are aborted when the
/// client goes away.
#[allow(async_fn_in_trait)] // One thread, static dispatch: nobody needs the futures to be Send.
pub trait Platform {
    /// A service's reply as the runtime holds it, its body unread.
    type Reply;

    /// The time, by the runtime's clock.
    fn now(&self) -> UnixMillis;

    /// A secret of the environment.
    fn secret(&self, name: &str) -> Option<String>;

    /// The client's certificate, if it showed one.
    fn certificate(&self) -> Option<Certificate>;

    /// The client's body, read whole and kept to be sent on: at most so many bytes, at most `within` later.
    async fn body(&self, most: u32, within: Duration) -> Result<Vec<u8>, CallError>;

    /// The runtime as a request sees it that the gateway makes for the sake of this one, with this head
    /// and body. It ends when the client of this one goes away.
    fn within(&self, head: &Head, body: Option<Vec<u8>>) -> Self
    where
        Self: Sized;

    /// Hands the client's request on, method and body as they are, header fields edited; a second
    /// time only where there is no body or it is kept, since it can be read once. Redirects are not
    /// followed. Gives the head of the reply, at most `within` later; or that the reply is on its way to the client,
    /// where [`Onward::at_once`] holds for it. A platform need not make use of that.
    async fn forward(&self, onward: &Onward<'_>, within: Duration) -> Result<Forwarded<Self::Reply>, CallError>;

    /// Hands a copy of the request on, whose reply nobody waits for, under the same conditions.
    fn mirror(&self, onward: &Onward<'_>, within: Duration);

    /// Makes a call of the gateway's own and reads the answer whole, at most `within` later.
    /// Redirects are not followed. A call whose future is dropped is aborted.
    async fn fetch(&self, call: &Call, within: Duration) -> Result<Fetched, CallError>;

    /// Reads a reply whole, its header fields edited: at most so many bytes of its body, none of it for
    /// `None`, at most `within` later. What the runtime decodes has no `Content-Encoding` any more.
    async fn read(
        &self,
        reply: Self::Reply,
        edits: &HeaderEdits,
        most: Option<u32>,
        within: Duration,
    ) -> Result<(Headers, Vec<u8>), CallError>;

    /// Begins the answer to the client, whose body comes piece by piece; that of `head` is empty.
    fn open(&self, head: Response);

    /// Adds a piece to the body of the answer that was begun. One that the client does not take is kept for it.
    fn write(&self, piece: &[u8]);

    /// Ends the answer that was begun.
    fn close(&self);

    /// Lets go of a reply whose body nobody will read.
    fn discard(&self, reply: Self::Reply);

    /// What KV has under a key, at most `within` later.
    async fn recall(&self, key: &str, within: Duration) -> Result<Option<String>, KvDown>;

    /// Waits.
    async fn sleep(&self, span: Duration);

    /// A random number of [0, 1).
    fn random(&self) -> f64;

    /// A digest of `asked` and of the client's body, which is kept to be sent on; at most so many bytes,
    /// at most `within` later.
    async fn fingerprint(&self, asked: &str, most: u32, within: Duration) -> Result<String, CallError>;

    /// Claims to be the first of its name, for as long as `lease`; or what is known of the first.
    async fn begin(
        &self,
        request: &FirstRequest,
        lease: Duration,
        within: Duration,
    ) -> Result<Known<Self::Reply>, StoreDown>;

    /// Keeps the reply to a first request, its header fields edited, for as long as `keep`. Gives one
    /// that is the same, already edited, and whether it was kept: one that is larger than the rule says,
    /// or not there whole `within`, is not, as if it were lost.
    async fn keep(
        &self,
        request: &FirstRequest,
        reply: Self::Reply,
        edits: &HeaderEdits,
        keep: Duration,
        within: Duration,
    ) -> (Self::Reply, bool);

    /// Keeps that a request was answered, or may have been, without its answer.
    async fn lose(&self, request: &FirstRequest, keep: Duration);

    /// Gives up the claim of a request: the next one is the first.
    async fn forget(&self, request: &FirstRequest);

    /// Takes units of a quota, in the one place that counts for its key.
    async fn spend(&self, charge: &Charge, within: Duration) -> Result<Verdict, LimiterDown>;

    /// Takes as many units as there are, those of the charge at most; how many, and what is left.
    async fn borrow(&self, charge: &Charge, within: Duration) -> Result<(u32, Verdict), LimiterDown>;

    /// Gives units back that were taken at `since` or later.
    async fn give_back(&self, charge: &Charge, since: UnixMillis);

    /// Takes a slot of those that a key has so many of, in the one place that counts for it; `None` where all are
    /// taken. One that is not given back lapses after `lasts`.
    async fn take_slot(
        &self,
        key: &str,
        most: u32,
        lasts: Duration,
        within: Duration,
    ) -> Result<Option<Slot>, LimiterDown>;

    /// Gives a slot back.
    async fn free_slot(&self, slot: &Slot);

    /// Whether a call of a key is within the rate limit of a binding, which counts it.
    async fn is_within_rate(&self, binding: &str, key: &str, within: Duration) -> Result<bool, LimiterDown>;

    /// The sum of all counts that KV has under keys that begin so, but for one, at most `within` later.
    async fn tally(&self, prefix: &str, but: &str, within: Duration) -> Result<u64, KvDown>;

    /// Puts a count into KV under a key, where it is forgotten at a moment, in microseconds since 1970, or somewhat
    /// later.
    async fn note_count(&self, key: &str, count: u64, until: Micros) -> Result<(), KvDown>;

    /// Puts a text into KV under a key. Where there is no KV, or it is down, nothing comes of it.
    async fn remember(&self, key: &str, text: &str);

    /// Whether a signature over a text is that of a public key, a JWK that is for the algorithm.
    async fn verify(
        &self,
        algorithm: Algorithm,
        jwk: &str,
        signed: &str,
        signature: &[u8],
    ) -> Result<bool, KeyUnusable>;

    /// Keeps something to be done once the answer is on its way.
    fn afterwards(&self, job: Afterwards);

    /// Writes one line to the log.
    fn log(&self, line: &str);
}

/// A reply's head, and the rest of it.
#[derive(Debug)]
pub struct ReplyHead<R> {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: Headers,
    /// The reply, its body unread.
    pub reply: R,
}

/// What came of a request that was handed on.
#[derive(Debug)]
pub enum Forwarded<R> {
    /// A reply.
    Reply(ReplyHead<R>),
    /// A reply that the client has already.
    HandedOn {
        /// Its status.
        status: u16,
    },
}

/// The client's request, as it goes on to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Onward<'o> {
    /// The whole URL.
    pub url: String,
    /// The service binding that takes the call; `None` is the network.
    pub binding: Option<&'o str>,
    /// What changes in the header fields.
    pub edits: &'o HeaderEdits,
    /// Whether the body is kept, so that it can be sent again.
    pub keeps_body: bool,
    /// What becomes of the call when the client goes away.
    pub when_client_leaves: WhenClientLeaves,
    /// The most bytes of a body whose length the client did not say, if they are counted.
    pub max_body: Option<u64>,
    /// How the reply gets to the client without coming by here, if it can.
    pub at_once: Option<AtOnce>,
}

/// How a reply gets to the client without another look at it: of the fields that it has, those that
/// [no client gets](crate::policy::headers::is_never_for_clients) are removed, then its fields are edited. It holds for
/// replies of a status that a response can have, 200 to 599, without a status or a field that is looked at, and whose
/// `Connection` names only what no client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtOnce {
    /// What changes in the header fields.
    pub edits: HeaderEdits,
    /// The names of the fields that are looked at, in lower case, and the statuses; a comma between them.
    pub looked_at: Cow<'static, str>,
}

/// What becomes of a call when the client goes away. `bridge/calls.js` knows these by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenClientLeaves {
    /// It goes on.
    GoesOn = 0,
    /// It is broken off, and fails with [`CallError::ClientGone`] at once.
    IsBrokenOff = 1,
    /// It fails at once too, but need not be broken off: nothing comes after it, so the request is over with it.
    EndsWithRequest = 2,
    /// It need not be broken off, and nothing hangs on its end: it may fail any time later, and its future be dropped
    /// once the client has the reply.
    EndsUnnoticed = 3,
}

/// A call of the gateway's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// The service binding that takes the call; `None` is the network.
    pub binding: Option<String>,
    /// Header fields.
    pub headers: Rc<Vec<Field>>,
    /// The body, if there is one.
    pub body: Option<String>,
    /// The statuses beside those of 200 to 299 whose body is read; a comma after each.
    pub reads: Arc<str>,
    /// The header fields of the answer that are wanted, by name, in lower case; a comma between them.
    pub wants: Arc<str>,
    /// The most bytes of an answer that are read.
    pub max_answer: u32,
    /// Whether the call goes on when the client goes away.
    pub outlives_client: bool,
}

/// An answer that was read whole.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// Those of the wanted header fields that there are.
    pub headers: Headers,
    /// The body; left empty where the status is none whose body is read.
    pub body: Vec<u8>,
}

/// Why a call gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The time was over.
    TimedOut,
    /// No connection, or one that broke.
    Unreachable,
    /// The answer is larger than allowed.
    TooLarge,
    /// The client's body is larger than allowed.
    BodyTooLarge,
    /// The client's body did not come in time.
    ClientSlow,
    /// No instance of the service is known.
    NoInstance,
    /// The breakers of all instances are open.
    NotAdmitted,
    /// The environment has no binding of the name that the file says.
    NoBinding,
    /// The request has made as many calls as it may.
    TooManyCalls,
    /// The client went away, and nobody waits for the answer.
    ClientGone,
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TimedOut => "timed out",
            Self::Unreachable => "unreachable",
            Self::TooLarge => "answered with too much",
            Self::BodyTooLarge => "not sent all of a body that is too large",
            Self::ClientSlow => "not called, the client's body did not come",
            Self::NoInstance => "has no instance",
            Self::NotAdmitted => "not called, it has failed too often of late",
            Self::NoBinding => "not reached, there is no such binding",
            Self::TooManyCalls => "not called, the request has made all calls that it may",
            Self::ClientGone => "not waited for, the client went away",
        })
    }
}

/// The limiter could not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimiterDown;

/// A request with an `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstRequest {
    /// Of its client and key: where what is known of it is kept.
    pub name: String,
    /// Of what it asks for.
    pub fingerprint: String,
}

/// What is known of the first request of a name.
#[derive(Debug)]
pub enum Known<R> {
    /// Nothing: this is the first.
    Nothing,
    /// Its answer is not there yet.
    Running,
    /// It was answered, or may have been, and its answer is not kept.
    Lost,
    /// It asked for something else.
    OtherPayload,
    /// Its answer.
    Answer(ReplyHead<R>),
}

/// What is kept for requests that come again could not be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreDown;

/// A public key is none that signatures can be checked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUnusable;

/// What is done once the answer is on its way.
#[derive(Clone, Debug)]
pub enum Afterwards {
    /// The keys of an issuer are fetched.
    RefreshKeys(Arc<JwtRule>),
    /// More units of a limit are borrowed, of this key and quota.
    Borrow(Arc<Limit>, Charge),
    /// KV is told what this isolate has admitted of a limit, and asked what others have.
    Exchange(Arc<Limit>, Charge),
    /// Units are taken that a call turned out to cost, as many as there are.
    TakeRest(Charge),
    /// Units are given back that a call took at that moment or later, and that was refused for another limit.
    GiveBack(Charge, UnixMillis),
    /// A slot is given back, of those calls that are under way at once.
    FreeSlot(Slot),
    /// A text is put into KV.
    Remember {
        /// Under this key.
        key: String,
        /// The text.
        text: String,
    },
}

impl Afterwards {
    /// Does it.
    pub async fn run<P: Platform>(self, platform: &P) {
        match self {
            Self::RefreshKeys(rule) => identify::refresh(&rule, platform).await,
            Self::Borrow(limit, charge) => limits::borrow_more(&limit, charge, platform).await,
            Self::Exchange(limit, charge) => limits::exchange(&limit, &charge, platform).await,
            Self::TakeRest(charge) => drop(platform.borrow(&charge, LIMITER_TIMEOUT).await),
            Self::GiveBack(charge, since) => platform.give_back(&charge, since).await,
            Self::FreeSlot(slot) => platform.free_slot(&slot).await,
            Self::Remember { key, text } => platform.remember(&key, &text).await,
        }
    }
}

/// KV could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvDown;

/// The answer to a request on a platform.
pub type AnswerOn<P> = Answer<<P as Platform>::Reply>;
