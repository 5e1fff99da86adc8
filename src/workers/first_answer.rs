//! The place that keeps what is known of one client's `Idempotency-Key`: a Durable Object, which does one
//! thing at a time. It has no rule of its own; the rule is [`crate::policy::idempotency`]. The body of an
//! answer goes through it without being copied into Wasm.

use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::durable::State;
use worker::{DurableObject, Env, Request, Response, Result, durable_object};

use crate::head::UnixMillis;
use crate::policy::idempotency::{Begun, Entry, Stage};

/// Where the entry is kept, and of an answer its status, its header fields and its body.
const ENTRY: &str = "entry";
const STATUS: &str = "status";
const FIELDS: &str = "fields";
const BODY: &str = "body";

/// Keeps the first answer of one client and key.
#[durable_object(alarm)]
pub struct FirstAnswer {
    state: State,
}

impl DurableObject for FirstAnswer {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    /// `POST /{fingerprint}/{ms}`: claims to be the first for that long. 201 if it is; 409 while the first
    /// is under way, 410 if its answer is not kept, 422 if it asked for something else, 200 with its answer.
    /// `PUT /{fingerprint}/{ms}`: keeps an answer for that long; `PATCH`: that there was one. `DELETE`:
    /// gives up the claim. Of these three, none changes what is of another request.
    async fn fetch(&self, request: Request) -> Result<Response> {
        let path = request.path();
        let mut fields = path.trim_start_matches('/').split('/');
        let (fingerprint, ms) = (fields.next().unwrap_or_default(), fields.next().and_then(|ms| ms.parse().ok()));
        match (request.method().as_ref(), ms) {
            ("POST", Some(ms)) => self.begin(fingerprint, ms).await,
            ("PUT" | "PATCH" | "DELETE", Some(_)) if !self.is_running(fingerprint).await? => {
                Ok(Response::empty()?.with_status(409))
            }
            ("PUT", Some(ms)) => self.keep(fingerprint, ms, request).await,
            ("PATCH", Some(ms)) => {
                self.put(Object::new(), fingerprint, ms, Stage::Lost).await?;
                Response::empty()
            }
            ("DELETE", Some(_)) => {
                self.state.storage().delete_all().await?;
                Response::empty()
            }
            _ => Response::error("not known here", 400),
        }
    }

    /// Forgets what is over.
    async fn alarm(&self) -> Result<Response> {
        self.state.storage().delete_all().await?;
        Response::empty()
    }
}

impl FirstAnswer {
    async fn entry(&self) -> Result<Option<Entry>> {
        let kept: Option<String> = self.state.storage().get(ENTRY).await?;
        Ok(kept.as_deref().and_then(Entry::from_line))
    }

    async fn is_running(&self, fingerprint: &str) -> Result<bool> {
        Ok(Entry::found(self.entry().await?.as_ref(), fingerprint, now()) == Begun::Running)
    }

    async fn begin(&self, fingerprint: &str, ms: u64) -> Result<Response> {
        match Entry::found(self.entry().await?.as_ref(), fingerprint, now()) {
            Begun::Lost => Ok(Response::empty()?.with_status(410)),
            Begun::Running => Ok(Response::empty()?.with_status(409)),
            Begun::OtherPayload => Ok(Response::empty()?.with_status(422)),
            Begun::Answered => self.answer().await,
            Begun::First => {
                self.put(Object::new(), fingerprint, ms, Stage::Running).await?;
                Ok(Response::empty()?.with_status(201))
            }
        }
    }

    async fn keep(&self, fingerprint: &str, ms: u64, request: Request) -> Result<Response> {
        let header = |name: &str| request.headers().get(name).map(Option::unwrap_or_default);
        let (status, fields) = (header(STATUS)?, header(FIELDS)?);
        let body = JsFuture::from(request.inner().array_buffer()?).await?;
        let values = Object::new();
        Reflect::set(&values, &STATUS.into(), &status.into())?;
        Reflect::set(&values, &FIELDS.into(), &fields.into())?;
        Reflect::set(&values, &BODY.into(), &body)?;
        self.put(values, fingerprint, ms, Stage::Answered).await?;
        Response::empty()
    }

    async fn answer(&self) -> Result<Response> {
        let kept = self.state.storage().get_multiple(vec![STATUS, FIELDS, BODY]).await?;
        let headers = web_sys::Headers::new()?;
        for name in [STATUS, FIELDS] {
            headers.set(name, &kept.get(&name.into()).as_string().unwrap_or_default())?;
        }
        let init = web_sys::ResponseInit::new();
        init.set_headers(&headers);
        let body = kept.get(&BODY.into());
        let response = web_sys::Response::new_with_opt_js_u8_array_and_init(
            Some(&js_sys::Uint8Array::new(body.unchecked_ref::<JsValue>())),
            &init,
        )?;
        Ok(response.into())
    }

    /// Writes values and the entry, and when to forget them, together.
    async fn put(&self, values: Object, fingerprint: &str, ms: u64, stage: Stage) -> Result<()> {
        let until = UnixMillis(now().0.saturating_add(ms));
        let entry = Entry { fingerprint: fingerprint.to_owned(), until, stage };
        Reflect::set(&values, &ENTRY.into(), &entry.to_line().into())?;
        let storage = self.state.storage();
        // Begun in one turn, the two are written together or not at all.
        let written = storage.put_multiple_raw(values);
        let alarm = storage.set_alarm(std::time::Duration::from_millis(ms));
        futures::future::try_join(written, alarm).await?;
        Ok(())
    }
}

fn now() -> UnixMillis {
    UnixMillis(js_sys::Date::now() as u64)
}
