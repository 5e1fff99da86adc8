//! Routes as APIs have them, and requests for them.

use postern::head::Head;
use postern::path::NormalPath;
use postern::router::{Conditions, HostPath, HostPattern, Matcher, Methods, Router, SlashAtEnd};
use postern::settings::Text;

/// Paths of six shapes, as APIs have them.
fn pattern(number: usize) -> String {
    let resource = format!("/api/v{}/resource-{}", number % 3, number / 6);
    match number % 6 {
        0 => resource,
        1 => format!("{resource}/{{id}}"),
        2 => format!("{resource}/{{id}}/items"),
        3 => format!("{resource}/{{id}}/items/{{item}}"),
        4 => format!("{resource}/{{id}}:cancel"),
        _ => format!("{resource}/files/{{*rest}}"),
    }
}

fn host(number: usize) -> String {
    format!("host-{}.example.com", number % 100)
}

/// A router of so many routes.
pub fn router(size: usize, with_hosts: bool) -> Router<usize> {
    let mut router = Router::default();
    for number in 0..size {
        let matcher = Matcher {
            host: with_hosts.then(|| host_pattern(&host(number))),
            pattern: pattern(number),
            is_prefix: false,
            methods: Methods::Any,
            conditions: Conditions::default(),
            slash: SlashAtEnd::Strict,
        };
        router.insert(matcher, number).unwrap();
    }
    router
}

fn host_pattern(text: &str) -> HostPattern {
    HostPattern::read(text).unwrap()
}

/// Requests for routes spread over the whole file.
pub fn requests(size: usize, with_hosts: bool) -> Vec<(Head, HostPath, NormalPath)> {
    (0..100)
        .map(|step| {
            let number = step * size / 100;
            let path = pattern(number).replace("{*rest}", "a/b/c.txt").replace("{id}", "4711").replace("{item}", "42");
            let host = if with_hosts { host(number) } else { "api.example.com".to_owned() };
            let head = Head::from_text(&format!("GET\nhttps://{host}{path}\n\nid\n1\naccept:*/*\n")).unwrap();
            (head, HostPath::of(&host), NormalPath::parse(&path).unwrap())
        })
        .collect()
}
