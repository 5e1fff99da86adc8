//! What an aggregate comes to, worked out part by part in the order of the file. It has no calls at once, no
//! waiting and no sharing: when each call begins and ends is a sum.

use serde_json::{Map, Value};

use super::drawn::{BUDGET, Does, Each, Node, Otherwise, TIMEOUT, When, own, stand_in};

/// What the whole comes to.
pub struct Whole {
    /// Its body, or the statuses that it may fail with.
    pub body: Result<String, Vec<u16>>,
    /// Whether no part is lacking.
    pub is_complete: bool,
    /// When it is there, in milliseconds.
    pub ends: u64,
    /// The calls, each once.
    pub calls: Vec<Made>,
}

/// A call.
pub struct Made {
    pub url: String,
    begins: u64,
    ends: u64,
}

impl Whole {
    /// The most calls that are under way at one time.
    pub fn most_at_once(&self) -> usize {
        let at_begin = |call: &Made| {
            self.calls.iter().filter(|other| other.begins <= call.begins && call.begins < other.ends).count()
        };
        self.calls.iter().map(at_begin).max().unwrap_or(0)
    }
}

/// What a part comes to.
enum Came {
    Value(Value),
    /// It failed and is left out.
    LeftOut,
    /// It was not made, by its conditions or those of what it asks for.
    NotMade,
    /// The whole is over before, or with it.
    Over,
}

/// Why a part, or an element of it, has no value.
enum Lack {
    Failed(u16),
    NotMade,
}

#[derive(Default)]
struct Reference {
    parts: Vec<(Came, u64)>,
    calls: Vec<Made>,
    is_lacking: bool,
    /// When required parts failed, and with which status.
    failures: Vec<(u64, u16)>,
}

/// What an aggregate comes to.
pub fn whole(nodes: &[Node]) -> Whole {
    let mut reference = Reference::default();
    for (at, node) in nodes.iter().enumerate() {
        let done = reference.part(at, node, nodes);
        reference.parts.push(done);
    }
    let Reference { parts, calls, is_lacking, failures } = reference;
    let over = failures.iter().map(|(ends, _)| *ends).min();
    let ends = over.or(parts.iter().map(|(_, ends)| *ends).max()).unwrap();
    let members = parts.into_iter().enumerate().filter_map(|(at, (came, _))| match came {
        Came::Value(value) => Some((format!("p{at}"), value)),
        _ => None,
    });
    let body = match over {
        None => Ok(Value::Object(members.collect::<Map<_, _>>()).to_string()),
        Some(over) => Err(failures.iter().filter(|(ends, _)| *ends == over).map(|(_, status)| *status).collect()),
    };
    Whole { body, is_complete: !is_lacking, ends, calls }
}

impl Reference {
    /// What a part comes to, and when.
    fn part(&mut self, at: usize, node: &Node, nodes: &[Node]) -> (Came, u64) {
        let begins = node.after().map(|before| self.parts[before].1).max().unwrap_or(0);
        if node.after().any(|before| matches!(self.parts[before].0, Came::Over)) {
            return (Came::Over, begins);
        }
        if !node.when.is_none_or(|(before, test)| self.holds(before, test)) {
            return (Came::NotMade, begins);
        }
        let (made, ends) = match node.each {
            None => self.call(at, node, None, begins),
            Some(each) => self.for_each(at, node, each, nodes, begins),
        };
        match (made, node.otherwise) {
            (Ok(value), _) => (Came::Value(value), ends),
            (Err(Lack::NotMade), _) => (Came::NotMade, ends),
            (Err(Lack::Failed(status)), Otherwise::Fail) => {
                self.failures.push((ends, status));
                (Came::Over, ends)
            }
            (Err(Lack::Failed(_)), otherwise) => {
                self.is_lacking = true;
                (if otherwise == Otherwise::StandIn { Came::Value(stand_in()) } else { Came::LeftOut }, ends)
            }
        }
    }

    fn value(&self, at: usize) -> Option<&Value> {
        if let Came::Value(value) = &self.parts[at].0 { Some(value) } else { None }
    }

    fn holds(&self, before: usize, test: When) -> bool {
        let text = self.value(before).and_then(text);
        match test {
            When::Is(is_there) => text.is_some() == is_there,
            When::Own => text == Some(before.to_string()),
        }
    }

    /// Why there is nothing: `missing` are the parts of which something is, at least one.
    fn lack(&self, mut missing: impl Iterator<Item = usize>) -> Lack {
        let is_for_want = missing.all(|before| matches!(self.parts[before].0, Came::NotMade));
        if is_for_want { Lack::NotMade } else { Lack::Failed(502) }
    }

    /// What a call comes to, for an element where there is one, and when.
    fn call(&mut self, at: usize, node: &Node, item: Option<&Value>, begins: u64) -> (Result<Value, Lack>, u64) {
        let text_of = |before: usize| self.value(before).and_then(text);
        let mut missing = node.path.iter().copied().filter(|before| text_of(*before).is_none()).peekable();
        if missing.peek().is_some() {
            return (Err(self.lack(missing)), begins);
        }
        let item = match item.map(text) {
            Some(None) => return (Err(Lack::Failed(502)), begins),
            Some(item) => item,
            None => None,
        };
        let query = node.query.and_then(text_of).map(|text| format!("?q={text}")).unwrap_or_default();
        let path = node.path(at, item.as_deref(), |before| text_of(before).unwrap());
        let url = format!("http://s{path}{query}");
        let within = TIMEOUT.min(BUDGET - begins);
        if within == 0 {
            return (Err(Lack::Failed(504)), begins);
        }
        let (made, ends) = match node.call(&url) {
            (takes, does) if does == Does::Stalls || takes > within => (Err(Lack::Failed(504)), begins + within),
            (takes, Does::Answers) => (Ok(own(at)), begins + takes),
            (takes, _) => (Err(Lack::Failed(502)), begins + takes),
        };
        // Equal ones are made once.
        if self.calls.iter().all(|call| call.url != url) {
            self.calls.push(Made { url, begins, ends });
        }
        (made, ends)
    }

    /// What the calls for all elements come to, and when.
    fn for_each(
        &mut self,
        at: usize,
        node: &Node,
        Each { of, is_into }: Each,
        nodes: &[Node],
        begins: u64,
    ) -> (Result<Value, Lack>, u64) {
        let place = |value: &Value| if nodes[of].each.is_some() { value.clone() } else { value["l"].clone() };
        let items = match self.value(of).map(place) {
            None => return (Err(self.lack([of].into_iter())), begins),
            Some(Value::Array(items)) => items,
            Some(_) => return (Err(Lack::Failed(502)), begins),
        };
        let (mut values, mut last, mut failed): (Vec<Value>, u64, Vec<(u64, u16)>) = (Vec::new(), begins, Vec::new());
        for mut item in items {
            let (made, ends) = self.call(at, node, Some(&item), begins);
            let value = match made {
                Ok(value) => Some(value),
                Err(Lack::NotMade) => return (Err(Lack::NotMade), begins),
                Err(Lack::Failed(status)) => {
                    failed.push((ends, status));
                    (node.otherwise == Otherwise::StandIn).then(stand_in)
                }
            };
            last = last.max(ends);
            values.push(match value {
                Some(value) if is_into && item.is_object() => {
                    item["z"] = value;
                    item
                }
                _ if is_into => item,
                value => value.unwrap_or(Value::Null),
            });
        }
        match failed.iter().map(|(ends, _)| *ends).min() {
            // The first to fail ends it; which of several at once is no matter.
            Some(first) if node.otherwise == Otherwise::Fail => {
                failed.retain(|(ends, _)| *ends == first);
                self.failures.extend(&failed);
                (Err(Lack::Failed(failed[0].1)), first)
            }
            first => {
                self.is_lacking |= first.is_some();
                (Ok(Value::Array(values)), last)
            }
        }
    }
}

/// The text of `v` in a value, and in every element where it is an array.
fn text(value: &Value) -> Option<String> {
    let texts: Vec<String> = match value {
        Value::Array(elements) => elements.iter().filter_map(text).collect(),
        other => other.get("v").map(Value::to_string).into_iter().collect(),
    };
    (!texts.is_empty()).then(|| texts.join(","))
}
