//! What finding a route costs, by the number of routes: `cargo bench --bench routing`.
//!
//! The routes are of one shape and of several, with and without hosts; the sizes take turns, and the
//! medians of all turns are compared, so that a busy machine troubles them alike.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::hint::black_box;
use std::time::Instant;

use postern::head::Head;
use postern::path::NormalPath;
use postern::router::{Asked, Conditions, Found, HostPath, HostPattern, Matcher, Methods, Router, SlashAtEnd};
use postern::settings::Text;

const SIZES: [usize; 4] = [10, 1_000, 5_000, 10_000];
const TURNS: usize = 101;
const LOOKUPS: usize = 1_000;

fn main() {
    println!("{:>8} {:>14} {:>10}", "routes", "ns a lookup", "of 10");
    for (name, with_hosts) in [("by path", false), ("by host and path", true)] {
        println!("{name}");
        let cases: Vec<_> = SIZES.iter().map(|size| (router(*size, with_hosts), requests(*size, with_hosts))).collect();
        let mut times = vec![Vec::new(); SIZES.len()];
        for _ in 0..TURNS {
            for ((router, requests), times) in cases.iter().zip(&mut times) {
                let start = Instant::now();
                for (head, host, path) in requests.iter().cycle().take(LOOKUPS) {
                    let found = router.find(Asked { host, path, head });
                    assert!(matches!(black_box(found), Found::Route(..)));
                }
                times.push(start.elapsed().as_nanos() as f64 / LOOKUPS as f64);
            }
        }
        let medians: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
        for (size, median) in SIZES.iter().zip(&medians) {
            println!("{size:>8} {median:>14.0} {:>10.2}", median / medians[0]);
        }
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

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

fn router(size: usize, with_hosts: bool) -> Router<usize> {
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
fn requests(size: usize, with_hosts: bool) -> Vec<(Head, HostPath, NormalPath)> {
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
