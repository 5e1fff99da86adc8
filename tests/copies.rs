//! What is copied, counted in bytes of memory that is asked for: nothing that a clock would have to show.

use std::time::Duration;

use crate::chaos::loaded;
use crate::world::{Behaviour, World};

/// The bytes that are asked for while a service's answer of so many bytes goes to a client: by a forward, or
/// as the one part of an aggregate.
fn asked_for(size: usize, action: &str) -> f64 {
    let file = format!(
        r#"{{"services":{{"s":{{"url":"http://s","max_answer":"32MiB"}}}},
             "routes":[{{"path":"/x","auth":"public",{action}}}]}}"#
    );
    let gateway = loaded(&file);
    let answer = Behaviour::json(Duration::ZERO, format!(r#"{{"a":"{}"}}"#, "x".repeat(size)));
    let world = World::new(move |_| answer.clone());
    let counted = allocation_counter::measure(|| {
        let got = world.run(world.send(&gateway, "GET", "http://g/x", ""));
        assert_eq!(got.status, 200);
        assert!(got.body.len() > size);
    });
    counted.bytes_total as f64
}

#[test]
fn a_part_that_is_not_shaped_is_copied_once_into_the_answer() {
    let size = 1 << 22;
    // What the simulation itself copies: a forwarded body is handed on as it is.
    let of_the_simulation = asked_for(size, r#""forward":"s:/""#);
    for (parts, copies) in [
        (r#""p":{"get":"s:/"}"#, 1.0),
        (r#""p":{"get":"s:/","spread":true}"#, 1.0),
        // Once to take it in its shape, once into the answer.
        (r#""p":{"get":"s:/","pick":["a"]}"#, 2.0),
    ] {
        let aggregate = asked_for(size, &format!(r#""aggregate":{{{parts}}}"#));
        let counted = (aggregate - of_the_simulation) / size as f64;
        assert!((counted - copies).abs() < 0.01, "{parts}: {counted} times its bytes, expected {copies}");
    }
}

#[test]
fn memory_is_linear_in_the_bytes_of_the_parts() {
    let action = r#""aggregate":{"p":{"get":"s:/","pick":["a"],"wrap":"b"}}"#;
    let growth = asked_for(1 << 22, action) / asked_for(1 << 18, action);
    assert!((15.0..16.1).contains(&growth), "16 times the bytes cost {growth} times the memory");
}
