//! Which header fields pass, each way.
//!
//! Towards a service: no field that is for one hop only, none that `Connection` names, none by
//! which a client could claim to be somebody or to have come from somewhere, none by which it
//! could have another method or path served than the one that was checked. What the gateway itself
//! knows of these is set in their place.
//!
//! Towards the client: no field for one hop only, none that `Connection` names, none that tells
//! what software stands behind the gateway or speaks in the gateway's name.

use std::borrow::Cow;

use crate::head::{Head, Headers};
use crate::policy::caller::Caller;
use crate::policy::provenance::Provenance;

/// A header field; its name in lower case.
pub type Field = (Cow<'static, str>, String);

/// Changes to a set of header fields, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderEdits {
    /// Names to remove, in lower case.
    pub remove: Vec<String>,
    /// Fields that stand in the place of all of their name.
    pub set: Vec<Field>,
    /// Fields that stand beside what is there.
    pub append: Vec<Field>,
    /// Fields that stand where there is none of their name.
    pub add: Vec<Field>,
}

impl HeaderEdits {
    /// Sets a field, in the place of what was to be set before.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        let name = name.into();
        self.set.retain(|(other, _)| *other != name);
        self.append.retain(|(other, _)| *other != name);
        self.set.push((name, value.into()));
    }

    /// Removes a field, also one that was to be set.
    pub fn remove(&mut self, name: &str) {
        self.set.retain(|(other, _)| other != name);
        self.append.retain(|(other, _)| other != name);
        self.remove.push(name.to_owned());
    }

    /// Adds edits that are made after these.
    pub fn then(&mut self, more: Self) {
        more.remove.iter().for_each(|name| self.remove(name));
        more.set.into_iter().for_each(|(name, value)| self.set(name, value));
        self.append.extend(more.append);
        self.add.extend(more.add);
    }

    /// Whether a field is there after the edits of `headers`.
    pub fn leave(&self, name: &str, headers: &Headers) -> bool {
        let is_new = |fields: &[Field]| fields.iter().any(|(other, _)| other == name);
        let is_kept = headers.get(name).is_some() && !self.remove.iter().any(|other| other == name);
        is_kept || is_new(&self.set) || is_new(&self.append)
    }
}

/// RFC 9110 section 7.6.1, with the older fields of its kind.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    // The runtime has answered it already, or passes the body on without waiting.
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Fields that only the gateway may set, or nobody. Compared with `_` as `-`: servers that hand
/// fields over as variables (CGI, WSGI, Rack) do not tell the two apart.
const CLAIMS_OF_THE_CLIENT: [&str; 17] = [
    // The service's own name, which the call's URL gives.
    "host",
    "x-host",
    // Where the request came from.
    "forwarded",
    "via",
    "x-request-id",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "client-ip",
    "true-client-ip",
    // Who is calling.
    "remote-user",
    "x-ms-client-principal",
    // Another path or method than the one that was checked.
    "x-rewrite-url",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-http-path-override",
];

/// Beginnings of such fields' names.
const CLAIMS_OF_THE_CLIENT_BY_PREFIX: [&str; 14] = [
    "x-forwarded",
    "x-origin",
    "x-remote-",
    "x-envoy-",
    "x-postern-",
    "cf-",
    "x-user",
    "x-auth-request-",
    "x-authenticated-",
    "x-webauth-",
    "x-goog-authenticated-",
    "x-amzn-oidc-",
    "x-client-cert",
    "x-ssl-",
];

/// With which letters all of these begin, a bit for each: most of what a browser sends begins with none of them.
const LETTERS_OF_CLAIMS: u32 =
    first_letters(&HOP_BY_HOP) | first_letters(&CLAIMS_OF_THE_CLIENT) | first_letters(&CLAIMS_OF_THE_CLIENT_BY_PREFIX);

const fn first_letters(names: &[&str]) -> u32 {
    let (mut letters, mut rest) = (0, names);
    while let [name, others @ ..] = rest {
        letters |= bit_of_first(name);
        rest = others;
    }
    letters
}

/// The bit of the first letter of a name in lower case; other characters have those of letters too.
const fn bit_of_first(name: &str) -> u32 {
    match name.as_bytes() {
        [first, ..] => 1 << (*first & 31),
        [] => 0,
    }
}

/// Fields of an answer that describe what is behind the gateway, or that only the gateway may set.
const NOT_FOR_CLIENTS: [&str; 6] = [
    "server",
    "x-powered-by",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "via",
    // Reserved, since it is what `Connection` says (RFC 9112, section 9.6).
    "close",
];

/// The beginning of such fields' names.
const NOT_FOR_CLIENTS_BY_PREFIX: &str = "x-postern-";

/// Whether the gateway alone decides on a field, so that the file cannot: those of one hop, and those
/// that say where a message ends or whom it is for.
pub fn is_reserved(name: &str) -> bool {
    HOP_BY_HOP.contains(&name) || matches!(name, "host" | "content-length")
}

/// Whether a field, of a name in lower case, is one by which a client could claim to be somebody or to
/// have come from somewhere, or that is for one hop alone.
pub fn is_claim_of_the_client(name: &str) -> bool {
    if LETTERS_OF_CLAIMS & bit_of_first(name) == 0 {
        return false;
    }
    let folded = if name.contains('_') { Cow::Owned(name.replace('_', "-")) } else { Cow::Borrowed(name) };
    HOP_BY_HOP.contains(&&*folded)
        || CLAIMS_OF_THE_CLIENT.contains(&&*folded)
        || CLAIMS_OF_THE_CLIENT_BY_PREFIX.iter().any(|prefix| folded.starts_with(prefix))
}

/// Whether the client asks for a WebSocket (RFC 6455, section 4.1).
pub fn asks_for_websocket(head: &Head) -> bool {
    let is_upgrade = head.headers.get("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    is_upgrade && head.method == "GET" && named_by_connection(&head.headers).iter().any(|name| name == "upgrade")
}

/// Whether a request of a batch can say a field of itself.
pub fn is_for_entries_to_say(name: &str) -> bool {
    !is_claim_of_the_client(name) && name != "content-length"
}

/// Fields of a batch that do not hold for the requests in it: they are of its answer, of its being sent
/// again, or of the page that it comes from.
const OF_THE_WHOLE_BATCH: [&str; 7] =
    ["accept-encoding", "digest", "http2-settings", "idempotency-key", "origin", "range", "repr-digest"];

/// Beginnings of such fields' names.
const OF_THE_WHOLE_BATCH_BY_PREFIX: [&str; 5] =
    ["content-", "if-", "want-", "sec-websocket-", "access-control-request-"];

/// Whether a field of a batch does not hold for the requests in it.
pub fn is_of_the_whole_batch(name: &str, headers: &Headers) -> bool {
    HOP_BY_HOP.contains(&name)
        || OF_THE_WHOLE_BATCH.contains(&name)
        || OF_THE_WHOLE_BATCH_BY_PREFIX.iter().any(|prefix| name.starts_with(prefix))
        || named_by_connection(headers).iter().any(|other| other == name)
}

/// The edits that make a client's header fields fit for a service.
pub fn towards_service(head: &Head, provenance: &Provenance) -> HeaderEdits {
    let named = named_by_connection(&head.headers);
    let opens_websocket = asks_for_websocket(head);
    let remove = head
        .headers
        .iter()
        .map(|(name, _)| name)
        .filter(|name| is_claim_of_the_client(name) || named.iter().any(|other| other == name))
        .filter(|name| !(opens_websocket && *name == "upgrade"))
        .map(str::to_owned)
        .collect();
    HeaderEdits { remove, set: provenance.fields(head), ..HeaderEdits::default() }
}

/// Puts what is known of the caller in the place of what a client could say under the names in which services are
/// told of callers, `vouched`.
pub fn tell_of_caller(edits: &mut HeaderEdits, vouched: &[String], caller: Option<&Caller>) {
    vouched.iter().for_each(|name| edits.remove(name));
    for (name, value) in caller.map(Caller::told).unwrap_or_default() {
        edits.set(name.clone(), value.clone());
    }
}

/// Removes what a client sent under a name that some servers take for that of a field which the edits set or remove:
/// those that do not tell `_` from `-`.
pub fn remove_look_alikes(headers: &Headers, edits: &mut HeaderEdits) {
    let edited = || edits.set.iter().map(|(name, _)| &**name).chain(edits.remove.iter().map(String::as_str));
    let names = || headers.iter().map(|(name, _)| name);
    // One of the two has it.
    if !names().chain(edited()).any(|name| name.contains('_')) {
        return;
    }
    let look_alikes: Vec<String> =
        names().filter(|name| edited().any(|other| looks_like(name, other))).map(str::to_owned).collect();
    edits.remove.extend(look_alikes);
}

/// Whether two names differ in `_` and `-` alone.
fn looks_like(name: &str, other: &str) -> bool {
    let is_same = |(one, other): (u8, u8)| one == other || matches!((one, other), (b'_', b'-') | (b'-', b'_'));
    name.len() == other.len() && name != other && name.bytes().zip(other.bytes()).all(is_same)
}

/// Whether a field asks for a piece, another version or another encoding of an answer, or tells of a body: of
/// the client's own request, and of no other.
pub fn is_about_the_body(name: &str) -> bool {
    matches!(name, "accept-encoding" | "range" | "expect") || name.starts_with("if-") || name.starts_with("content-")
}

/// A field of the client's that goes along with a call of the gateway's own: none that is for this hop alone.
pub fn of_client<'h>(name: &str, headers: &'h Headers) -> Option<&'h str> {
    let value = headers.get(name)?;
    (!named_by_connection(headers).iter().any(|other| other == name)).then_some(value)
}

/// The header fields of a call that the gateway makes by itself, for the sake of a request.
pub fn of_own_call(head: &Head, provenance: &Provenance, accept: &'static str) -> HeaderEdits {
    let mut edits = HeaderEdits { set: provenance.fields(head), ..HeaderEdits::default() };
    edits.set("accept", accept);
    edits
}

/// Whether a field of an answer, of a name in lower case, is one that clients never get.
pub fn is_never_for_clients(name: &str) -> bool {
    HOP_BY_HOP.contains(&name) || NOT_FOR_CLIENTS.contains(&name) || name.starts_with(NOT_FOR_CLIENTS_BY_PREFIX)
}

/// All names of such fields, with a comma between them, and the beginning of others.
pub fn never_for_clients() -> (String, &'static str) {
    ([&HOP_BY_HOP[..], &NOT_FOR_CLIENTS].concat().join(","), NOT_FOR_CLIENTS_BY_PREFIX)
}

/// The edits that make a service's header fields fit for the client.
pub fn towards_client(headers: &Headers) -> HeaderEdits {
    let named = named_by_connection(headers);
    let remove = headers
        .iter()
        .map(|(name, _)| name)
        .filter(|name| is_never_for_clients(name) || named.iter().any(|other| other == name))
        .map(str::to_owned)
        .collect();
    HeaderEdits { remove, ..HeaderEdits::default() }
}

/// The header field that decides what [`keep_from_shared_caches`] does.
pub const DECIDES_ON_CACHES: &str = "cache-control";

/// Makes an answer `private` that is for one caller, whom shared caches do not see in the request, as they would treat it
/// if they did: what the service says is for all is (RFC 9111, section 3.5).
pub fn keep_from_shared_caches(headers: &Headers, edits: &mut HeaderEdits) {
    let said = headers.get(DECIDES_ON_CACHES).unwrap_or_default().to_ascii_lowercase();
    let mut names = said.split(',').map(|directive| directive.split('=').next().unwrap_or_default().trim());
    let settles_it = |name: &str| matches!(name, "private" | "no-store" | "public" | "s-maxage" | "must-revalidate");
    if !names.any(settles_it) {
        edits.append.push((DECIDES_ON_CACHES.into(), "private".to_owned()));
    }
}

fn named_by_connection(headers: &Headers) -> Vec<String> {
    let names = headers.get("connection").unwrap_or_default().split(',');
    names.map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &str) -> Head {
        Head::from_text(&format!("GET\nhttps://api.example/x\n192.0.2.7\nid-1\n1\n{headers}")).unwrap()
    }

    #[test]
    fn only_what_is_the_clients_to_say_reaches_a_service() {
        let passes =
            "accept:*/*\nauthorization:Bearer t\ncookie:a=b\nx-custom:1\ncontent-type:text/plain\nrange:bytes=0-1\n";
        assert_eq!(towards_service(&head(passes), &Provenance::default()).remove, Vec::<String>::new());
        for name in [
            "host",
            "connection",
            "te",
            "upgrade",
            "proxy-authorization",
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-user-id",
            "x-user",
            "x-original-url",
            "x-rewrite-url",
            "x-http-method-override",
            "x-real-ip",
            "cf-connecting-ip",
            "x-request-id",
            "x-postern-anything",
            "x_user_id",
            "x_forwarded_for",
            "x-auth-request-user",
            "remote-user",
            "x-client-cert",
            "via",
        ] {
            assert_eq!(
                towards_service(&head(&format!("{name}:v\n")), &Provenance::default()).remove,
                [name],
                "of {name}"
            );
        }
        let named =
            towards_service(&head("connection:X-Custom , close\nx-custom:1\nx-other:2\n"), &Provenance::default());
        assert_eq!(named.remove, ["connection", "x-custom"]);
    }

    #[test]
    fn every_claim_has_its_letter() {
        let prefixes = CLAIMS_OF_THE_CLIENT_BY_PREFIX.iter();
        for name in HOP_BY_HOP.iter().chain(&CLAIMS_OF_THE_CLIENT).chain(prefixes) {
            assert!(is_claim_of_the_client(name), "of {name}");
        }
        for name in ["accept", "x-custom", "cookie", "sec-fetch-mode", "_host", "8host", ""] {
            assert!(!is_claim_of_the_client(name), "of {name:?}");
        }
    }

    #[test]
    fn a_batch_tells_its_requests_of_its_client_and_not_of_itself() {
        let headers = Headers::from_text("connection:X-Hop\n");
        for (name, passes) in [
            ("authorization", true),
            ("cookie", true),
            ("accept", true),
            ("accept-language", true),
            ("user-agent", true),
            ("host", true),
            ("content-type", false),
            ("content-length", false),
            ("content-encoding", false),
            ("transfer-encoding", false),
            ("connection", false),
            ("x-hop", false),
            ("upgrade", false),
            ("sec-websocket-key", false),
            ("if-none-match", false),
            ("if-range", false),
            ("range", false),
            ("idempotency-key", false),
            ("origin", false),
            ("access-control-request-method", false),
            ("accept-encoding", false),
        ] {
            assert_eq!(!is_of_the_whole_batch(name, &headers), passes, "of {name}");
        }
    }

    #[test]
    fn a_websocket_is_asked_for_in_one_way() {
        for (method, headers, asks) in [
            ("GET", "upgrade:websocket\nconnection:keep-alive, Upgrade\n", true),
            ("GET", "upgrade:WebSocket\nconnection:upgrade\n", true),
            ("GET", "upgrade:h2c\nconnection:upgrade\n", false),
            ("GET", "upgrade:websocket\n", false),
            ("POST", "upgrade:websocket\nconnection:upgrade\n", false),
        ] {
            let head = Head { method: method.into(), ..head(headers) };
            assert_eq!(asks_for_websocket(&head), asks, "of {method} {headers:?}");
            let removed = towards_service(&head, &Provenance::default()).remove;
            assert_eq!(removed.iter().any(|name| name == "upgrade"), !asks);
        }
    }

    #[test]
    fn a_client_learns_nothing_of_the_inside() {
        let headers = Headers::from_text(
            "server:nginx\nx-powered-by:Express\nconnection:x-hop\nx-hop:1\nx-postern-complete:true\netag:\"1\"\nset-cookie:a=b\n",
        );
        assert_eq!(
            towards_client(&headers).remove,
            ["server", "x-powered-by", "connection", "x-hop", "x-postern-complete"]
        );
    }
}
