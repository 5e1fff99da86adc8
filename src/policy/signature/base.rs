//! What a signature is made over (RFC 9421, sections 2.1 to 2.5).

use crate::head::Head;
use crate::service_url::without_usual_port;

/// The parts of a request that a signature can cover, beside header fields.
pub const DERIVED: [&str; 7] =
    ["@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query"];

/// What of a request is covered where a part that has it is.
pub fn is_covered(wanted: &str, components: &[String]) -> bool {
    let wider: &[&str] = match wanted {
        "@authority" | "@scheme" => &["@target-uri"],
        "@path" | "@query" | "@request-target" => &["@target-uri", "@request-target"],
        _ => &[],
    };
    components.iter().any(|component| component == wanted || wider.contains(&component.as_str()))
}

/// The text that is signed, for these components and parameters of a request; the error is for the log.
pub fn signed(components: &[String], params: &str, head: &Head) -> Result<String, &'static str> {
    let mut base = String::with_capacity(512);
    for (at, name) in components.iter().enumerate() {
        if components.iter().take(at).any(|earlier| earlier == name) {
            return Err("covers something twice");
        }
        let value = component(name, head).ok_or("covers what the request does not have, or what is not known here")?;
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {params}"));
    Ok(base)
}

fn component(name: &str, head: &Head) -> Option<String> {
    let query = || format!("?{}", head.query.as_deref().unwrap_or_default());
    let target = || format!("{}{}", head.raw_path, head.query.as_ref().map(|_| query()).unwrap_or_default());
    let authority = || without_usual_port(&head.scheme, &head.authority);
    Some(match name {
        "@method" => head.method.clone(),
        "@target-uri" => format!("{}://{}{}", head.scheme, authority(), target()),
        "@authority" => authority(),
        "@scheme" => head.scheme.clone(),
        "@request-target" => target(),
        "@path" => head.raw_path.clone(),
        "@query" => query(),
        derived if derived.starts_with('@') => return None,
        field => head.headers.get(field)?.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_request_are_those_of_the_rfc() {
        // The requests of sections 2.2.1 to 2.2.7.
        let head = |url: &str| Head::from_text(&format!("POST\n{url}\n192.0.2.7\nid\n1\nx-a:  1 , 2 \n")).unwrap();
        for (url, name, value) in [
            ("https://www.example.com/path?param=value", "@method", Some("POST")),
            (
                "https://www.example.com/path?param=value",
                "@target-uri",
                Some("https://www.example.com/path?param=value"),
            ),
            ("https://WWW.example.com:443/path", "@authority", Some("www.example.com")),
            ("https://www.example.com:8443/path", "@authority", Some("www.example.com:8443")),
            ("http://www.example.com/path", "@scheme", Some("http")),
            ("https://www.example.com/path?param=value", "@request-target", Some("/path?param=value")),
            ("https://www.example.com/path?param=value", "@path", Some("/path")),
            ("https://www.example.com", "@path", Some("/")),
            (
                "https://www.example.com/path?param=value&foo=bar&baz=bat%2Dman",
                "@query",
                Some("?param=value&foo=bar&baz=bat%2Dman"),
            ),
            ("https://www.example.com/path?queryString", "@query", Some("?queryString")),
            ("https://www.example.com/path", "@query", Some("?")),
            ("https://www.example.com/path?", "@query", Some("?")),
            ("https://www.example.com/path?", "@target-uri", Some("https://www.example.com/path?")),
            ("https://www.example.com/", "x-a", Some("1 , 2")),
            ("https://www.example.com/", "x-b", None),
            ("https://www.example.com/", "@query-param", None),
            ("https://www.example.com/", "@status", None),
        ] {
            assert_eq!(component(name, &head(url)).as_deref(), value, "{name} of {url}");
        }
    }
}
