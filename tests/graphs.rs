//! Aggregates of random graphs: whatever their services do, the answer is what a simple reference says
//! that makes one call after the other, no call is made twice, and all is over as soon as the longest way
//! through the graph.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::chaos::loaded;
use crate::world::{Behaviour, World};

/// A part of a random graph.
#[derive(Clone, Debug)]
struct Node {
    /// Which of the parts before it it asks for.
    after: Vec<usize>,
    /// How long its service takes, in milliseconds.
    takes: u64,
    /// Whether the service answers.
    answers: bool,
    /// What becomes of it when it fails: 0 the whole fails, 1 something stands in, 2 it is left out.
    policy: u8,
}

fn graphs() -> impl Strategy<Value = Vec<Node>> {
    let node = (prop::collection::vec(any::<prop::sample::Index>(), 0..3), 1..400u64, 0..5u8, 0..6u8);
    prop::collection::vec(node, 1..7).prop_map(|nodes| {
        let node = |(at, (after, takes, answers, policy)): (usize, (Vec<prop::sample::Index>, u64, u8, u8))| {
            let mut after: Vec<usize> =
                after.into_iter().filter(|_| at > 0).map(|index| index.index(at.max(1))).collect();
            after.sort_unstable();
            after.dedup();
            Node { after, takes, answers: answers > 0, policy: policy.min(2) }
        };
        nodes.into_iter().enumerate().map(node).collect()
    })
}

/// The path that a part asks for, with the values of those before it.
fn path(at: usize, after: &[usize], value: impl Fn(usize) -> String) -> String {
    let values: Vec<String> = after.iter().map(|before| value(*before)).collect();
    format!("/{at}/{}", values.join("-"))
}

/// The body of the whole and when it is there; `None` if it fails.
fn reference(nodes: &[Node]) -> (Option<String>, u64, Vec<String>) {
    let mut values: Vec<Option<String>> = Vec::new();
    let mut ends: Vec<u64> = Vec::new();
    let mut calls = Vec::new();
    let mut fails_at: Option<u64> = None;
    for (at, node) in nodes.iter().enumerate() {
        let begins = node.after.iter().map(|before| ends[*before]).max().unwrap_or(0);
        let has_all = node.after.iter().all(|before| values[*before].is_some());
        let own = (has_all && node.answers).then(|| at.to_string());
        let end = if has_all { begins + node.takes } else { begins };
        if has_all {
            calls.push(path(at, &node.after, |before| values[before].clone().unwrap()));
        }
        ends.push(end);
        values.push(match (own, node.policy) {
            (Some(own), _) => Some(own),
            (None, 1) => Some("99".to_owned()),
            (None, 2) => None,
            (None, _) => {
                fails_at = Some(fails_at.map_or(end, |other| other.min(end)));
                None
            }
        });
    }
    let members: Vec<String> = values
        .iter()
        .enumerate()
        .filter_map(|(at, value)| Some(format!("\"p{at}\":{{\"v\":{}}}", value.as_ref()?)))
        .collect();
    match fails_at {
        Some(fails_at) => (None, fails_at, calls),
        None => (Some(format!("{{{}}}", members.join(","))), ends.into_iter().max().unwrap(), calls),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_graph_answers_as_one_call_after_the_other_would(nodes in graphs()) {
        let parts: Map<String, Value> = nodes.iter().enumerate().map(|(at, node)| {
            let path = path(at, &node.after, |before| format!("{{parts.p{before}.v}}"));
            let mut part = json!({ "get": format!("s:{path}") });
            match node.policy {
                1 => part["else"] = json!({ "v": 99 }),
                2 => part["optional"] = json!(true),
                _ => {}
            }
            (format!("p{at}"), part)
        }).collect();
        let file = json!({
            "timeout": "20s",
            "services": { "s": { "url": "http://s" } },
            "routes": [{ "path": "/x", "auth": "public", "aggregate": parts }]
        });
        let gateway = loaded(&file.to_string());
        let behaviours: HashMap<usize, Node> = nodes.iter().cloned().enumerate().collect();
        let world = World::new(move |url| {
            let at: usize = url.split('/').nth(3).unwrap().parse().unwrap();
            let node = &behaviours[&at];
            let after = Duration::from_millis(node.takes);
            if node.answers { Behaviour::json(after, format!("{{\"v\":{at}}}")) } else { Behaviour::status(after, 500) }
        });
        let got = world.run(world.send(&gateway, "GET", "http://g/x", ""));
        let (body, ends, calls) = reference(&nodes);
        match body {
            Some(body) => {
                prop_assert_eq!((got.status, &got.body), (200, &body));
                let made: Vec<_> = world.seen.borrow().iter().map(|seen| seen.url.clone()).collect();
                prop_assert_eq!(made.len(), calls.len(), "{:?}", made);
                for call in calls {
                    let times = made.iter().filter(|url| **url == format!("http://s{call}")).count();
                    prop_assert_eq!(times, 1, "{} of {:?}", call, made);
                }
            }
            None => prop_assert_eq!(got.status, 502),
        }
        prop_assert_eq!(got.took, Duration::from_millis(ends));
    }
}
