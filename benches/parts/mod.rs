//! Aggregates whose parts are answers as services have them.

use postern::gateway::Gateway;

/// What is picked of a document.
pub const PICKED: &str = r#""pick":["id","owner.name","items.id","items.name","items.price"]"#;

/// By path, what the services answer.
pub type Services = Vec<(String, Vec<u8>)>;

/// So many parts of so many bytes, shaped alike: the gateway, and what its services answer.
pub fn parts(count: usize, bytes: usize, shaping: &str) -> (Gateway, Services) {
    let services: Services = (0..count).map(|part| (format!("/p{part}"), document(part, bytes).into_bytes())).collect();
    let comma = if shaping.is_empty() { "" } else { "," };
    let part = |number| format!(r#""p{number}":{{"get":"s:/p{number}","max_elements":1000000{comma}{shaping}}}"#);
    let parts: Vec<String> = (0..count).map(part).collect();
    (gateway(&parts.join(",")), services)
}

/// The services' answer to a URL.
pub fn answering(services: &Services) -> impl Fn(&str) -> Option<Vec<u8>> + Clone {
    |url| {
        let path = url.trim_start_matches("http://s").split('?').next();
        services.iter().find(|(name, _)| Some(name.as_str()) == path).map(|(_, body)| body.clone())
    }
}

/// A gateway with one route, an aggregate of these parts.
pub fn gateway(parts: &str) -> Gateway {
    let file = format!(
        r#"{{"max_calls":100,"services":{{"s":{{"url":"http://s","max_answer":"32MiB"}}}},
             "routes":[{{"path":"/x","auth":"public","aggregate":{{{parts}}},
                         "answer":{{"max_size":"32MiB","stream":"ndjson"}}}}]}}"#
    );
    let (gateway, problems) = postern::config::load(&file, None);
    gateway.unwrap_or_else(|| panic!("{problems:?}"))
}

/// A document of about so many bytes, as services have them.
pub fn document(number: usize, bytes: usize) -> String {
    let mut text = format!(
        r#"{{"id":{number},"created":"2026-01-01T09:30:00Z","owner":{{"name":"Ada Lovelace","mail":"ada@example.com","verified":true}},"items":["#
    );
    let mut at = 0;
    while text.len() < bytes {
        let comma = if at == 0 { "" } else { "," };
        text.push_str(&format!(
            r#"{comma}{{"id":{at},"name":"Thing number {at}, \"large\"","price":{}.25,"in_stock":{},"tags":["new","sale"],"maker":{{"name":"Müller & Söhne","place":{{"lat":48.137,"lon":11.575}}}},"note":null}}"#,
            at % 90 + 1,
            at % 3 == 0
        ));
        at += 1;
    }
    text + "]}"
}
