//! Aggregates of random graphs: whatever their services do, the answer is what a simple reference says
//! that makes one call after the other, no call is made twice, and all is over as soon as the longest way
//! through the graph, or when the time of the request is.

mod drawn;
mod reference;

use std::time::Duration;

use proptest::prelude::*;

use crate::chaos::loaded;
use crate::world::World;
use drawn::BUDGET;

/// How many calls may wait for an answer at once.
const CONNECTIONS: usize = 6;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_graph_answers_as_one_call_after_the_other_would(nodes in drawn::aggregates()) {
        let gateway = loaded(&drawn::file(&nodes).to_string());
        let services = nodes.clone();
        let world = World::new(move |url| {
            let at: usize = url.split('/').nth(3).unwrap().parse().unwrap();
            services[at].behaviour(at, url)
        });
        let got = world.run(world.send(&gateway, "GET", "http://g/x", ""));
        let whole = reference::whole(&nodes);

        prop_assert!(got.took <= Duration::from_millis(BUDGET), "took {:?}", got.took);
        let mut made: Vec<String> = world.seen.borrow().iter().map(|seen| seen.url.clone()).collect();
        made.sort();
        prop_assert!(made.windows(2).all(|pair| pair[0] != pair[1]), "a call was made twice: {:?}", made);
        // With more calls than connections some wait, which the reference does not know.
        if whole.most_at_once() > CONNECTIONS {
            return Ok(());
        }

        let mut calls: Vec<String> = whole.calls.iter().map(|call| call.url.clone()).collect();
        calls.sort();
        match &whole.body {
            Ok(body) => {
                prop_assert_eq!((got.status, &got.body), (200, body));
                prop_assert_eq!(made, calls);
                prop_assert_eq!(&got.headers["x-postern-complete"], &whole.is_complete.to_string());
            }
            Err(statuses) => {
                prop_assert!(statuses.contains(&got.status), "{} is none of {:?}", got.status, statuses);
                prop_assert!(made.iter().all(|url| calls.contains(url)), "{:?} are not all of {:?}", made, calls);
            }
        }
        prop_assert_eq!(got.took, Duration::from_millis(whole.ends));
    }
}
