//! Which header fields pass, each way.
//!
//! Towards a service: no field that is for one hop only, none that `Connection` names, none by
//! which a client could claim to be somebody or to have come from somewhere, none by which it
//! could have another method or path served than the one that was checked. What the gateway itself
//! knows of these is set in their place.
//!
//! Towards the client: no field for one hop only, none that `Connection` names, none that tells
//! what software stands behind the gateway or speaks in the gateway's name.

use crate::head::{Head, Headers};

/// Changes to a set of header fields: first what to remove, then what to set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderEdits {
    /// Names in lower case.
    pub remove: Vec<String>,
    /// Names in lower case, each with its one value.
    pub set: Vec<(&'static str, String)>,
}

/// RFC 9110 section 7.6.1, with the older fields of its kind.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
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

/// Fields of an answer that describe what is behind the gateway, or that only the gateway may set.
const NOT_FOR_CLIENTS: [&str; 5] = ["server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "via"];

/// The edits that make a client's header fields fit for a service.
pub fn towards_service(head: &Head) -> HeaderEdits {
    let named = named_by_connection(&head.headers);
    let remove = head
        .headers
        .iter()
        .map(|(name, _)| name)
        .filter(|name| {
            let folded = name.replace('_', "-");
            HOP_BY_HOP.contains(&folded.as_str())
                || CLAIMS_OF_THE_CLIENT.contains(&folded.as_str())
                || CLAIMS_OF_THE_CLIENT_BY_PREFIX.iter().any(|prefix| folded.starts_with(prefix))
                || named.iter().any(|other| other == name)
        })
        .map(str::to_owned)
        .collect();
    HeaderEdits { remove, set: provenance(head) }
}

/// The header fields of a call that the gateway makes by itself, for the sake of a request.
pub fn of_own_call(head: &Head) -> Vec<(&'static str, String)> {
    let mut fields = provenance(head);
    fields.push(("accept", "application/json".to_owned()));
    fields
}

/// The edits that make a service's header fields fit for the client.
pub fn towards_client(headers: &Headers) -> HeaderEdits {
    let named = named_by_connection(headers);
    let remove = headers
        .iter()
        .map(|(name, _)| name)
        .filter(|name| {
            HOP_BY_HOP.contains(name)
                || NOT_FOR_CLIENTS.contains(name)
                || name.starts_with("x-postern-")
                || named.iter().any(|other| other == name)
        })
        .map(str::to_owned)
        .collect();
    HeaderEdits { remove, set: Vec::new() }
}

/// Where a request came from, as the gateway saw it.
fn provenance(head: &Head) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("x-request-id", head.request_id.clone()),
        ("x-forwarded-host", head.authority.clone()),
        ("x-forwarded-proto", head.scheme.clone()),
    ];
    if let Some(address) = head.client {
        fields.push(("x-forwarded-for", address.to_string()));
    }
    fields
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
        assert_eq!(towards_service(&head(passes)).remove, Vec::<String>::new());
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
            assert_eq!(towards_service(&head(&format!("{name}:v\n"))).remove, [name], "of {name}");
        }
        let named = towards_service(&head("connection:X-Custom , close\nx-custom:1\nx-other:2\n"));
        assert_eq!(named.remove, ["connection", "x-custom"]);
    }

    #[test]
    fn a_service_learns_where_the_request_came_from() {
        let set = towards_service(&head("x-forwarded-for:6.6.6.6\n")).set;
        for field in [
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-host", "api.example"),
            ("x-forwarded-proto", "https"),
            ("x-request-id", "id-1"),
        ] {
            assert!(set.iter().any(|(name, value)| (*name, value.as_str()) == field), "of {field:?}");
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
