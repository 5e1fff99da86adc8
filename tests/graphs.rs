//! Aggregates of random graphs: whatever their services do, the answer is what a simple reference says
//! that makes one call after the other, no call is made twice, and all is over as soon as the longest way
//! through the graph, or when the time of the request is; and written part by part it comes to the same.

mod drawn;
mod reference;

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::chaos::loaded;
use crate::world::World;
use drawn::{BUDGET, Node};

/// How many calls may wait for an answer at once.
const CONNECTIONS: usize = 6;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_graph_answers_as_one_call_after_the_other_would(nodes in drawn::aggregates()) {
        let gateway = loaded(&drawn::file(&nodes).to_string());
        let world = world(&nodes);
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

    #[test]
    fn a_stream_comes_to_the_same(nodes in drawn::aggregates()) {
        let gateway = loaded(&drawn::file(&nodes).to_string());
        let world = world(&nodes);
        let got = world.run(world.send(&gateway, "GET", "http://g/x", "accept:application/x-ndjson\n"));
        let whole = reference::whole(&nodes);
        if whole.most_at_once() > CONNECTIONS {
            return Ok(());
        }

        prop_assert_eq!(got.took, Duration::from_millis(whole.ends));
        let is_begun = got.headers["content-type"] == "application/x-ndjson";
        let mut events: Vec<Value> = match is_begun {
            true => got.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            false => Vec::new(),
        };
        let last = events.pop();
        match (&whole.body, last) {
            (Ok(body), Some(last)) => {
                prop_assert_eq!(&last["complete"], &json!(whole.is_complete));
                let parts = events.into_iter().filter(|event| event.get("left_out").is_none());
                let members: BTreeMap<String, Value> =
                    parts.map(|mut part| (part["part"].as_str().unwrap().to_owned(), part["value"].take())).collect();
                prop_assert_eq!(&json!(members).to_string(), body);
            }
            (Err(statuses), Some(last)) => {
                prop_assert!(statuses.iter().any(|status| last["problem"]["status"] == *status), "{}", last);
            }
            (Err(statuses), None) => prop_assert!(statuses.contains(&got.status), "{} is none of {:?}", got.status, statuses),
            (Ok(_), None) => prop_assert!(false, "{}", got.body),
        }
    }
}

/// Services that do as they are drawn.
fn world(nodes: &[Node]) -> World {
    let services = nodes.to_vec();
    World::new(move |url| {
        let at: usize = url.split('/').nth(3).unwrap().parse().unwrap();
        services[at].behaviour(at, url)
    })
}
