//! What finding a route costs, by the number of routes: `cargo bench --bench routing`.
//!
//! The routes are of one shape and of several, with and without hosts; the sizes take turns, and the
//! medians of all turns are compared, so that a busy machine troubles them alike.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods)]

mod routes;

use std::hint::black_box;
use std::time::Instant;

use postern::router::{Asked, Found};
use routes::{requests, router};

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
