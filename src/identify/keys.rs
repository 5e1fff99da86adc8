//! Fetching the keys of an issuer: from KV, where another isolate may have put them, or from the issuer itself.

use std::sync::Arc;
use std::time::Duration;

use super::KV_TIMEOUT;
use crate::head::UnixMillis;
use crate::platform::{Afterwards, Call, Platform};
use crate::policy::jwt::JwtRule;
use crate::policy::jwt::jwk::PublicKey;
use crate::policy::jwt::key_set::{KeySet, KeySetUrl};
use crate::policy::secure_url::is_secure;
use crate::settings::Node;

/// How long somebody who waits for another's fetch sleeps before it looks again.
pub const PAUSE: Duration = Duration::from_millis(20);

/// The largest answer of an issuer, in bytes.
const MOST_BYTES: u32 = 256 << 10;

/// Fetches the keys of a rule once an answer is on its way.
pub async fn refresh<P: Platform>(rule: &Arc<JwtRule>, platform: &P) {
    let Some(set) = &rule.key_set else { return };
    if let Err(why) = fetch(rule, set, platform, set.timeout).await {
        platform.log(&format!("{{\"notes\":[{}]}}", crate::json::string(&format!("keys of {} {why}", rule.issuer))));
    }
}

/// Fetches the keys, and takes what there is; what went wrong otherwise, for the log.
pub async fn fetch<P: Platform>(
    rule: &Arc<JwtRule>,
    set: &KeySet,
    platform: &P,
    within: Duration,
) -> Result<(), String> {
    let now = platform.now();
    set.begin(now);
    // Also if this is dropped because its client went away: the next one begins anew.
    let mut end = End { set, done: None };
    let fetched = fetch_begun(rule, set, platform, within, now).await;
    end.done = Some(platform.now());
    fetched
}

async fn fetch_begun<P: Platform>(
    rule: &Arc<JwtRule>,
    set: &KeySet,
    platform: &P,
    within: Duration,
    now: UnixMillis,
) -> Result<(), String> {
    let name = kept_under(rule, set);
    let take = |keys: Vec<PublicKey>, fetched: UnixMillis| {
        if set.replace(keys, fetched) {
            rule.forget_tokens();
        }
    };
    let kept = platform.recall(&name, within.min(KV_TIMEOUT)).await.ok().flatten();
    let kept = kept.and_then(|text| {
        let (fetched, keys) = text.split_once('\n')?;
        Some((set.read(keys).ok()?, UnixMillis(fetched.parse().ok()?)))
    });
    // One that says that it is of the future is none: it would count for ever.
    let kept = kept.filter(|(_, fetched)| *fetched <= now && set.is_of_use(*fetched, now));
    if let Some((keys, fetched)) = kept.as_ref().filter(|(_, fetched)| set.is_fresh(*fetched, now)) {
        take(keys.clone(), *fetched);
        return Ok(());
    }
    let left = within.saturating_sub(platform.now().since(now)).min(set.timeout);
    match from_issuer(rule, set, platform, left).await {
        Ok((keys, text)) => {
            let fetched = platform.now();
            take(keys, fetched);
            platform.afterwards(Afterwards::Remember { key: name, text: format!("{}\n{text}", fetched.0) });
            Ok(())
        }
        Err(why) => match kept {
            Some((keys, fetched)) => {
                take(keys, fetched);
                Ok(())
            }
            None => Err(why),
        },
    }
}

async fn from_issuer<P: Platform>(
    rule: &JwtRule,
    set: &KeySet,
    platform: &P,
    within: Duration,
) -> Result<(Vec<PublicKey>, String), String> {
    let began = platform.now();
    let url = match &set.url {
        KeySetUrl::At(url) => url.clone(),
        KeySetUrl::Discovered => {
            // OpenID Connect Discovery 1.0, section 4.
            let url = format!("{}/.well-known/openid-configuration", rule.issuer.trim_end_matches('/'));
            let text = get(&url, platform, within).await?;
            discovered(&text, &rule.issuer).ok_or("are not told of by the issuer's OpenID configuration")?
        }
    };
    let left = within.saturating_sub(platform.now().since(began));
    let text = get(&url, platform, left).await?;
    let keys = set.read(&text).map_err(|why| format!("could not be read: what is there {why}"))?;
    Ok((keys, text))
}

/// The URL of the keys, by a configuration that is the issuer's own.
fn discovered(configuration: &str, issuer: &str) -> Option<String> {
    let Ok(Node::Object(members)) = serde_json::from_str::<Node>(configuration) else { return None };
    let text = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    match (text("issuer")?, text("jwks_uri")?) {
        (Node::String(own), Node::String(url)) if own == issuer && is_secure(url) => Some(url.clone()),
        _ => None,
    }
}

async fn get<P: Platform>(url: &str, platform: &P, within: Duration) -> Result<String, String> {
    let call = Call {
        method: "GET",
        url: url.to_owned(),
        binding: None,
        headers: vec![("accept".into(), "application/json".into())].into(),
        body: None,
        reads: "".into(),
        wants: "".into(),
        max_answer: MOST_BYTES,
        // Others wait for the keys: who comes and leaves must not keep them from everyone.
        outlives_client: true,
    };
    let fetched =
        platform.fetch(&call, within).await.map_err(|error| format!("could not be fetched: the issuer {error}"))?;
    match fetched.status {
        200 => String::from_utf8(fetched.body).map_err(|_| "could not be read: they are no text".to_owned()),
        status => Err(format!("could not be fetched: the issuer answered with status {status}")),
    }
}

/// Under which key KV has them.
fn kept_under(rule: &JwtRule, set: &KeySet) -> String {
    match &set.url {
        KeySetUrl::At(url) => format!("postern/keys/{url}"),
        KeySetUrl::Discovered => format!("postern/keys/discovered/{}", rule.issuer),
    }
}

/// The end of a fetch.
struct End<'s> {
    set: &'s KeySet,
    /// When it was done, if it was not dropped.
    done: Option<UnixMillis>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.set.end(self.done);
    }
}
