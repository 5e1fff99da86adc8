//! Who is calling: a service is asked, which knows (forward authentication, as nginx's `auth_request` and Traefik's
//! `ForwardAuth` have it).
//!
//! ```json
//! "auth": { "session": { "forward_auth": {
//!     "to": "auth-svc:/check", "send": ["cookie"], "caller": "x-user-id", "copy": ["x-user-id", "x-tenant"] } } }
//! ```
//!
//! The service gets a `GET` with the header fields that it is to judge by, and of the request its method
//! (`X-Forwarded-Method`), and its path as it is matched, with the query (`X-Forwarded-Uri`). A status of 200 to 299
//! lets the request through, 401 and 403 refuse it; after any other, or none, nobody knows, and the answer is 503.
//! What the service says beyond that reaches no client.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::config::Target;
use crate::gateway::Service;
use crate::head::{Head, Headers, UnixMillis};
use crate::locked::locked;
use crate::policy::caller::{Caller, NotIdentified};
use crate::policy::field_edits::field_name;
use crate::policy::headers::{HeaderEdits, is_claim_of_the_client, of_client};
use crate::policy::remembered::Remembered;
use crate::settings::{OneOrMany, Place, Problems, TimeLimit, shape};
use crate::template::Template;

shape! {
    /// A service that is asked who calls.
    pub struct ForwardAuthSettings {
        /// The service, and the path that is asked for: "service:/path".
        "to" => to: Target = "auth-svc:/check",
        /// The header fields of the client's that it gets. Default: authorization and cookie.
        "send" => send: Option<OneOrMany<String>> = ["cookie", "x-device"],
        /// The header field of its answer that says who calls: {jwt.sub}. It must then be there. Default: nothing says so.
        "caller" => caller: Option<String> = "x-user-id",
        /// Header fields of its answer that other services get, in the place of the client's; {jwt.NAME} each, in lower
        /// case. Default: none.
        "copy" => copy: Option<OneOrMany<String>> = ["x-user-id", "x-tenant"],
        /// How long a request that was let through is, if the same is asked for again with the same header fields, in
        /// one isolate. Default: each is asked about.
        "keep" => keep: Option<TimeLimit> = "10s",
        /// The time that it has. Default: the service's.
        "timeout" => timeout: Option<TimeLimit> = "500ms",
    }
}

/// A compiled rule.
#[derive(Debug)]
pub struct ForwardAuthRule {
    /// Its name in the file.
    pub name: String,
    /// Who is asked.
    pub service: Arc<Service>,
    /// What for: path and query.
    pub target: Template,
    send: Vec<String>,
    caller: Option<String>,
    copy: Vec<String>,
    keep: Option<Duration>,
    /// The time that it has.
    pub timeout: Duration,
    remembered: Mutex<Remembered>,
}

impl ForwardAuthRule {
    /// Compiles a rule; notes each fault. `service` gives one by its name, and notes one that does not exist.
    pub fn compile(
        name: &str,
        settings: ForwardAuthSettings,
        service: impl FnOnce(&str, &Place<'_>, &mut Problems) -> Option<Arc<Service>>,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let place_of_target = place.at("to");
        let to = settings.to.and_then(|to| {
            let service = service(&to.service, &place_of_target, problems);
            match to.template {
                Some(target) if target.sources().next().is_none() => Some((service?, target)),
                Some(_) => {
                    let message = "asks for values; the service gets what it judges by in header fields";
                    problems.add(&place_of_target, message);
                    None
                }
                None => {
                    problems.add(&place_of_target, "lacks the path that is asked for, as in \"service:/path\"");
                    None
                }
            }
        });
        let mut names = |key: &str, written: Vec<String>, is_sent: bool| -> Vec<String> {
            let place = place.at(key);
            let named = written.iter().filter_map(|name| field_name(name, &place, problems)).collect::<Vec<_>>();
            for name in named.iter().filter(|name| is_sent && is_claim_of_the_client(name)) {
                let why = "by which a client could claim what only the gateway may say";
                problems.add(&place, format!("names {name:?}, {why}"));
            }
            named
        };
        let default_send = || vec!["authorization".to_owned(), "cookie".to_owned()];
        let send = settings.send.map(|send| names("send", send.map_or_else(default_send, |send| send.0), true));
        let copy = settings.copy.map(|copy| names("copy", copy.map(|copy| copy.0).unwrap_or_default(), false));
        let caller = settings.caller.map(|caller| names("caller", caller.into_iter().collect(), false).pop());
        let (service, target) = to?;
        Some(Self {
            name: name.to_owned(),
            target,
            send: send?,
            caller: caller?,
            copy: copy?,
            keep: settings.keep?.map(|limit| limit.0),
            timeout: settings.timeout?.map_or(service.timeout, |limit| limit.0),
            service,
            remembered: Mutex::default(),
        })
    }

    /// The header fields of the client's by which it judges.
    pub fn sent(&self) -> &[String] {
        &self.send
    }

    /// The header fields that services get of what it says, and of no client.
    pub fn copied(&self) -> &[String] {
        &self.copy
    }

    /// The header fields of the answer that are wanted, a comma between them.
    pub fn wanted(&self) -> String {
        self.copy.iter().chain(&self.caller).map(String::as_str).collect::<Vec<_>>().join(",")
    }

    /// What the service is told of a request to a path: it adds to header fields of the gateway's own.
    pub fn tell(&self, head: &Head, path: &str, edits: &mut HeaderEdits) {
        edits.set("x-forwarded-method", head.method.clone());
        let query = head.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
        edits.set("x-forwarded-uri", format!("{path}{query}"));
        for name in &self.send {
            if let Some(value) = of_client(name, &head.headers) {
                edits.set(name.clone(), value);
            }
        }
    }

    /// What tells one question from another, if answers are kept: all that is told, but the request's own id.
    pub fn question(&self, edits: &HeaderEdits) -> Option<String> {
        self.keep?;
        let told = edits.set.iter().filter(|(name, _)| name != "x-request-id");
        // No field has a line break in it.
        Some(told.map(|(name, value)| format!("{name}:{value}\n")).collect())
    }

    /// Who is calling, if the same question was answered well not long ago.
    pub fn remembered(&self, question: &str, now: UnixMillis) -> Option<Arc<Caller>> {
        self.memory().caller(question, now).map(|(caller, _)| caller)
    }

    /// Remembers the answer to a question.
    pub fn remember(&self, question: &str, caller: &Arc<Caller>, now: UnixMillis) {
        if let Some(keep) = self.keep {
            self.memory().remember(question, caller, now.after(keep), 0);
        }
    }

    /// Who is calling, by the header fields of an answer that lets the request through.
    pub fn caller(&self, answer: &Headers) -> Result<Arc<Caller>, NotIdentified> {
        let mut claims: Map<String, Value> = Map::new();
        let mut told = Vec::new();
        for name in &self.copy {
            if let Some(value) = answer.get(name).filter(|value| !value.is_empty()) {
                claims.insert(name.clone(), value.into());
                told.push((name.clone(), value.to_owned()));
            }
        }
        if let Some(name) = &self.caller {
            let sub = answer.get(name).filter(|value| !value.is_empty());
            let sub = sub.ok_or_else(|| {
                NotIdentified::CannotTell(format!("service {} let a caller in without {name}", self.service.name))
            })?;
            claims.insert("sub".to_owned(), sub.into());
        }
        Ok(Arc::new(Caller::new(&self.issuer(), claims).told_to_services(told)))
    }

    /// Whether it is this rule that knows a caller.
    pub fn vouches_for(&self, caller: &Caller) -> bool {
        caller.issuer() == self.issuer()
    }

    /// Who vouches for its callers: no token's issuer is written so.
    fn issuer(&self) -> String {
        format!("forward_auth {}", self.name)
    }

    fn memory(&self) -> MutexGuard<'_, Remembered> {
        locked(&self.remembered)
    }
}
