//! What an aggregate costs on its whole way through the gateway: `cargo bench --bench aggregates`.
//!
//! Services answer at once, from memory. Beside each case stands the plain way in the same run: every part
//! parsed into a tree, picked from there, and all of it written anew. The ratio of the two is what counts.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod parts;
#[allow(dead_code)] // the tests use more of it
#[path = "../tests/prepared.rs"]
mod prepared;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use futures::executor::block_on;
use parts::{PICKED, Services, answering, document, gateway};
use postern::answer::{Answer, Response};
use postern::gateway::Gateway;
use postern::handle::handle;
use postern::head::Head;
use prepared::Prepared;
use serde_json::{Value, json};

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3)).sample_size(50);
    targets = cases, sizes
}
criterion_main!(benches);

/// The cases, each beside the plain way.
fn cases(criterion: &mut Criterion) {
    for (name, case) in [
        ("3 parts of 1 KB", parts(3, 1_000, "", "")),
        ("10 parts of 20 KB, picked", parts(10, 20_000, PICKED, "")),
        ("10 parts of 20 KB, picked, as NDJSON", parts(10, 20_000, PICKED, "application/x-ndjson")),
        ("1 part of 1 MB", parts(1, 1_000_000, "", "")),
        ("for each of 50, a call for each", for_each(false)),
        ("for each of 50, one call for all", for_each(true)),
    ] {
        compare(&mut criterion.benchmark_group(name), "", &case);
    }
}

/// One part of growing size: bytes a second that stay the same are a time linear in the bytes.
fn sizes(criterion: &mut Criterion) {
    for (name, shaping) in [("one part, as it came", ""), ("one part, picked", PICKED)] {
        let mut group = criterion.benchmark_group(name);
        for (size, bytes) in [("256 KB", 256_000), ("1 MB", 1_000_000), ("4 MB", 4_000_000)] {
            group.throughput(Throughput::Bytes(bytes));
            compare(&mut group, size, &parts(1, bytes as usize, shaping, ""));
        }
    }
}

/// A route of a gateway, and its services' answers.
struct Case {
    gateway: Gateway,
    services: Services,
    accept: &'static str,
    plain: fn(&Services) -> Vec<u8>,
}

/// Measures both ways of a case, which come to the same.
fn compare(group: &mut BenchmarkGroup<'_, criterion::measurement::WallTime>, size: &str, case: &Case) {
    assert_eq!(values(&case.answer()), values(&(case.plain)(&case.services)), "the two ways come to the same");
    let named = |way: &str| if size.is_empty() { way.to_owned() } else { format!("{way}, {size}") };
    group.bench_function(named("postern"), |bencher| bencher.iter(|| black_box(case.answer())));
    group.bench_function(named("plain"), |bencher| bencher.iter(|| black_box((case.plain)(&case.services))));
}

/// A body as the values of its lines, in one order; a stream's last line tells that it is complete.
fn values(body: &[u8]) -> Vec<Value> {
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let values = lines.map(|line| serde_json::from_slice(line).unwrap());
    values.filter(|value| *value != json!({"complete": true})).collect()
}

/// So many parts of so many bytes.
fn parts(count: usize, bytes: usize, shaping: &str, accept: &'static str) -> Case {
    let (gateway, services) = parts::parts(count, bytes, shaping);
    let plain = match (accept, shaping) {
        ("", "") => |services: &Services| whole(services, |value| value),
        ("", _) => |services: &Services| whole(services, picked),
        _ => lines,
    };
    Case { gateway, services, accept, plain }
}

/// A list of 50 elements, and for each of them an answer of 1 KB.
fn for_each(in_one_call: bool) -> Case {
    let items: Vec<Value> =
        (0..50).map(|number| json!({"id": number, "product": 1_000 + number, "count": 2})).collect();
    let product = |number: usize| format!(r#"{{"id":{number},"of":{}}}"#, document(number, 1_000));
    let mut services: Services = vec![("/items".into(), serde_json::to_vec(&items).unwrap())];
    let numbers = 1_000..1_050;
    let call = if in_one_call {
        let products: Vec<String> = numbers.map(product).collect();
        services.push(("/products".into(), format!("[{}]", products.join(",")).into_bytes()));
        r#""get":"s:/products?ids={keys}","batch":{"by":"product","match":"id","size":50}"#
    } else {
        services.extend(numbers.map(|number| (format!("/products/{number}"), product(number).into_bytes())));
        r#""get":"s:/products/{item.product}""#
    };
    let list = r#""items":{"get":"s:/items","hidden":true}"#;
    let lines = format!(r#""lines":{{"for_each":"{{parts.items}}","most":50,"into":"product",{call}}}"#);
    Case { gateway: gateway(&format!("{list},{lines}")), services, accept: "", plain: joined }
}

impl Case {
    /// The body that a client gets.
    fn answer(&self) -> Vec<u8> {
        let head = format!("GET\nhttp://g/x\n192.0.2.7\nid\n0\naccept:{}\nuser-agent:bench\n", self.accept);
        let platform = Prepared::new(answering(&self.services));
        match block_on(handle(&self.gateway, Head::from_text(&head).unwrap(), &platform)) {
            Answer::Own(Response { status: 200, body, .. }) => body,
            Answer::OnItsWay { .. } => platform.written(),
            other => panic!("{other:?}"),
        }
    }
}

/// A part as a service's answer reaches whoever reads it: bytes of its own.
fn parsed((_, body): &(String, Vec<u8>)) -> Value {
    serde_json::from_slice(black_box(&body.clone())).unwrap()
}

/// The plain way to one object of all parts.
fn whole(services: &Services, shaped: impl Fn(Value) -> Value) -> Vec<u8> {
    let members = services.iter().map(|service| (service.0[1..].to_owned(), shaped(parsed(service))));
    serde_json::to_vec(&Value::Object(members.collect())).unwrap()
}

/// The plain way to a line for each part.
fn lines(services: &Services) -> Vec<u8> {
    let mut out = Vec::new();
    for service in services {
        serde_json::to_writer(&mut out, &json!({"part": service.0[1..], "value": picked(parsed(service))})).unwrap();
        out.push(b'\n');
    }
    out
}

/// What `PICKED` says, by hand.
fn picked(mut value: Value) -> Value {
    let items = value["items"].as_array_mut().unwrap().iter_mut();
    let items: Value = items
        .map(|item| json!({"id": item["id"].take(), "name": item["name"].take(), "price": item["price"].take()}))
        .collect();
    json!({"id": value["id"].take(), "owner": {"name": value["owner"]["name"].take()}, "items": items})
}

/// The plain way to a list, each element with what was asked for it.
fn joined(services: &Services) -> Vec<u8> {
    let Value::Array(mut items) = parsed(&services[0]) else { panic!("no list") };
    let products = match &services[1..] {
        [all] => parsed(all).as_array_mut().unwrap().iter_mut().map(Value::take).collect(),
        each => each.iter().map(parsed).collect::<Vec<_>>(),
    };
    for (item, product) in items.iter_mut().zip(products) {
        item["product"] = product;
    }
    serde_json::to_vec(&json!({"lines": items})).unwrap()
}
