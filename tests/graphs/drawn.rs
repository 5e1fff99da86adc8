//! A random aggregate: what the file says of it, and what its services do.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

use crate::world::Behaviour;

/// The time of a request, in milliseconds.
pub const BUDGET: u64 = 800;

/// The time of a call.
pub const TIMEOUT: u64 = 500;

/// A part. Others are named by their numbers, which are smaller.
#[derive(Clone, Debug)]
pub struct Node {
    /// Whose values its path asks for.
    pub path: Vec<usize>,
    /// Whose value its query asks for, which is not sent if it is not there.
    pub query: Option<usize>,
    /// On whose value a condition is.
    pub when: Option<(usize, When)>,
    /// For whose elements it is made.
    pub each: Option<Each>,
    /// How long its service takes, in milliseconds.
    pub takes: u64,
    /// What its service does.
    pub does: Does,
    /// What becomes of it when it fails.
    pub otherwise: Otherwise,
}

/// A condition on a value.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// That it is there, or not.
    Is(bool),
    /// That it is what the service of an ordinary part answers.
    Own,
}

/// That a part is made for each element.
#[derive(Clone, Copy, Debug)]
pub struct Each {
    /// Of which part.
    pub of: usize,
    /// Whether the elements get the answers.
    pub is_into: bool,
}

/// What a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    Answers,
    Fails,
    Breaks,
    /// Its answer ends in the middle.
    BreaksOff,
    /// It never answers.
    Stalls,
}

/// What becomes of a part when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    Fail,
    StandIn,
    LeaveOut,
}

/// Aggregates of up to six parts.
pub fn aggregates() -> impl Strategy<Value = Vec<Node>> {
    let before = (prop::collection::vec(any::<Index>(), 0..3), any::<[Index; 3]>());
    let shape = (0..8u8, 0..8u8, 0..6u8);
    let service = (1..400u64, 0..16u8, 0..8u8);
    prop::collection::vec((before, shape, service), 1..7)
        .prop_map(|drawn| drawn.into_iter().enumerate().map(|(at, drawn)| node(at, drawn)).collect())
}

type Drawn = ((Vec<Index>, [Index; 3]), (u8, u8, u8), (u64, u8, u8));

fn node(at: usize, ((path, [query, when, each]), shape, (takes, does, otherwise)): Drawn) -> Node {
    let before = |index: Index| (at > 0).then(|| index.index(at.max(1)));
    let mut path: Vec<usize> = path.into_iter().filter_map(before).collect();
    path.sort_unstable();
    path.dedup();
    let (query_lot, when_lot, each_lot) = shape;
    let test = match when_lot {
        0 => Some(When::Is(true)),
        1 => Some(When::Is(false)),
        2 => Some(When::Own),
        _ => None,
    };
    Node {
        path,
        query: before(query).filter(|_| query_lot == 0),
        when: test.and_then(|test| Some((before(when)?, test))),
        each: before(each).filter(|_| each_lot < 2).map(|of| Each { of, is_into: each_lot == 0 }),
        takes,
        does: match does {
            0 => Does::Fails,
            1 => Does::Breaks,
            2 => Does::BreaksOff,
            3..=4 => Does::Stalls,
            _ => Does::Answers,
        },
        otherwise: match otherwise {
            0 => Otherwise::Fail,
            1..=3 => Otherwise::StandIn,
            _ => Otherwise::LeaveOut,
        },
    }
}

impl Node {
    /// The parts that must be done before.
    pub fn after(&self) -> impl Iterator<Item = usize> {
        let when = self.when.map(|(before, _)| before);
        let each = self.each.map(|each| each.of);
        self.path.iter().copied().chain(self.query).chain(when).chain(each)
    }

    /// Its path, with the texts of the element and of the parts that it asks for.
    pub fn path(&self, at: usize, item: Option<&str>, text: impl Fn(usize) -> String) -> String {
        let texts = item.map(str::to_owned).into_iter().chain(self.path.iter().map(|before| text(*before)));
        format!("/{at}/{}", texts.collect::<Vec<_>>().join("-"))
    }

    /// How long the call of a URL takes, and what comes then. Of the calls for elements, some go well.
    pub fn call(&self, url: &str) -> (u64, Does) {
        let lot = url.bytes().fold(7u64, |lot, byte| lot.wrapping_mul(31).wrapping_add(u64::from(byte)));
        match self.each {
            None => (self.takes, self.does),
            Some(_) if lot % 3 > 0 => (1 + (self.takes + lot) % 400, Does::Answers),
            Some(_) => (1 + (self.takes + lot) % 400, self.does),
        }
    }

    /// What the call of a URL meets.
    pub fn behaviour(&self, at: usize, url: &str) -> Behaviour {
        let (takes, does) = self.call(url);
        let after = Duration::from_millis(takes);
        match does {
            Does::Answers => Behaviour::json(after, own(at).to_string()),
            Does::Fails => Behaviour::status(after, 500),
            Does::Breaks => Behaviour::breaks(after),
            Does::BreaksOff => Behaviour::json(after, "{\"l\":[{\"v\":"),
            Does::Stalls => Behaviour::stalls(),
        }
    }
}

/// What a part's service answers: a value, and an array with equal elements in it. The keys stand as they are
/// sorted, so that texts can be compared.
pub fn own(at: usize) -> Value {
    let elements: Vec<Value> = (0..(2 * at + 2) % 7).map(|number| json!({ "v": 10 * at + number % 4 })).collect();
    json!({ "l": elements, "v": at })
}

/// What stands in for a part.
pub fn stand_in() -> Value {
    json!({ "l": [{ "v": 98 }], "v": 99 })
}

/// The file with such an aggregate.
pub fn file(nodes: &[Node]) -> Value {
    let parts: Map<String, Value> =
        nodes.iter().enumerate().map(|(at, node)| (format!("p{at}"), part(at, node, nodes))).collect();
    json!({
        "timeout": format!("{BUDGET}ms"),
        "max_calls": 500,
        "services": { "s": { "url": "http://s", "timeout": format!("{TIMEOUT}ms") } },
        "routes": [{ "path": "/x", "auth": "public", "aggregate": parts, "answer": { "stream": "ndjson" } }]
    })
}

fn part(at: usize, node: &Node, nodes: &[Node]) -> Value {
    let item = node.each.map(|_| "{item.v}");
    let mut part = json!({ "get": format!("s:{}", node.path(at, item, |before| format!("{{parts.p{before}.v}}"))) });
    if let Some(before) = node.query {
        part["query"] = json!({ "q": format!("{{parts.p{before}.v}}") });
    }
    if let Some((before, test)) = node.when {
        let test = match test {
            When::Is(is_there) => json!(is_there),
            When::Own => json!(before.to_string()),
        };
        part["when"] = json!({ format!("parts.p{before}.v"): test });
    }
    if let Some(Each { of, is_into }) = node.each {
        let place = if nodes[of].each.is_some() { "" } else { ".l" };
        part["for_each"] = json!(format!("{{parts.p{of}{place}}}"));
        if is_into {
            part["into"] = json!("z");
        }
    }
    match node.otherwise {
        Otherwise::Fail => {}
        Otherwise::StandIn => part["else"] = stand_in(),
        Otherwise::LeaveOut => part["optional"] = json!(true),
    }
    part
}
