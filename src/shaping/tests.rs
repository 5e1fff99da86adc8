//! All steps together, and what must hold for every value and every shaping.

use super::{Shaping, ShapingSettings};
use crate::json::tree::Json;
use crate::settings::{FromNode, Node, Place, Problems};

fn compiled(settings: &str) -> Result<Shaping, Vec<String>> {
    let node: Node = serde_json::from_str(settings).unwrap();
    let (place, mut problems) = (Place::root(), Problems::default());
    let read = ShapingSettings::from_node(&node, &place, &mut problems);
    let shaping = read.and_then(|read| Shaping::compile(read, &place, &mut problems));
    match problems.refuse() {
        true => Err(problems.in_order_of(&node).iter().map(ToString::to_string).collect()),
        false => Ok(shaping.expect("a shaping where there is no fault")),
    }
}

/// What is wrong with settings.
pub fn faults(settings: &str) -> Vec<String> {
    compiled(settings).expect_err("a fault")
}

/// What becomes of a value, or why nothing does.
pub fn shaped(settings: &str, value: &str) -> Result<String, String> {
    let shaping = compiled(settings).unwrap();
    let result = shaping.apply(Json::Raw(value)).map_err(|why| format!("{why:?}"));
    result.map(|value| String::from_utf8(value.to_text()).unwrap())
}

/// Settings, a value, and what becomes of it.
pub fn assert_shaped(table: &[(&str, &str, &str)]) {
    for (settings, value, expected) in table {
        assert_eq!(shaped(settings, value).as_deref(), Ok(*expected), "of {value} by {settings}");
    }
}

#[test]
fn each_step_has_its_effect() {
    assert_shaped(&[
        ("{}", " {\"a\" : 1.0e0 }", " {\"a\" : 1.0e0 }"),
        (r#"{"at": "a.b"}"#, r#"{"a":{"b":{"c": 1}}}"#, r#"{"c": 1}"#),
        (r#"{"at": "a.b"}"#, r#"{"a":[{"b":1},{"b":2},{}]}"#, "[1,2]"),
        (r#"{"at": "a.*"}"#, r#"{"a":{}}"#, "[]"),
        (r#"{"at": "a"}"#, r#"{"a":null}"#, "null"),
        (r#"{"pick": ["a"], "drop": ["a.b"]}"#, r#"{"a":{"b":1,"c":2},"d":3}"#, r#"{"a":{"c":2}}"#),
        (r#"{"set": {"a.b": {"x": [1, null]}, "c": "t"}}"#, r#"{"c":1}"#, r#"{"c":"t","a":{"b":{"x":[1,null]}}}"#),
        (r#"{"set": {"i.s": 1}}"#, r#"{"i":[{"a":1},{"s":2},3]}"#, r#"{"i":[{"a":1,"s":1},{"s":1},3]}"#),
        (r#"{"set": {"s": 1}}"#, "null", r#"{"s":1}"#),
        (r#"{"wrap": "a\"b"}"#, "[ 1 ]", r#"{"a\"b":[ 1 ]}"#),
        (
            r#"{"wrap": "w", "flatten": ["meta"], "set": {"meta.s": 1}, "rename": {"b": "c"}, "move": {"c": "d"}, "at": "a"}"#,
            r#"{"a":{"b":2}}"#,
            r#"{"w":{"d":2,"s":1}}"#,
        ),
    ]);
    for value in ["{}", r#"{"a":{}}"#, r#"{"a":1}"#, "[1]", "5"] {
        let expected = if value == "[1]" { Ok("[]".to_owned()) } else { Err("NoValue".to_owned()) };
        assert_eq!(shaped(r#"{"at": "a.b"}"#, value), expected, "of {value}");
    }
}

#[test]
fn nothing_to_do_is_known() {
    for settings in ["{}", r#"{"at": "", "drop": ["a"], "set": {}}"#] {
        assert_eq!(compiled(settings).unwrap().is_nothing(), settings == "{}", "of {settings}");
    }
}

#[test]
fn copies_do_not_fill_the_memory() {
    let (large, many) = ("x".repeat(1 << 20), vec!["{}"; 1_000].join(","));
    let value = format!(r#"{{"a":"{large}","i":[{many}]}}"#);
    assert_eq!(shaped(r#"{"move": {"a": "i.a"}}"#, &value), Err("TooLarge".to_owned()));
    let doubled: Vec<_> = (1..26).map(|at| format!("\"a{at}\": [\"a{0}\", \"a{0}\"]", at - 1)).collect();
    let settings = format!(r#"{{"concat": {{{}}}}}"#, doubled.join(","));
    assert_eq!(shaped(&settings, r#"{"a0":[1]}"#), Err("TooLarge".to_owned()));
}

#[test]
fn every_fault_is_said() {
    assert_eq!(
        faults(r#"{"at": 1, "pick": [], "drop": ["a", ""], "zip": {"a": {"b": 1}}, "wrap": "", "x": 1}"#),
        [
            "/at: is 1, must be a path such as \"items.id\", \"items.0\", \"*.name\" or \"/a.b/c\"",
            "/pick: must be paths that lead into the value",
            "/drop: must be paths that lead into the value",
            "/zip/a/b: is 1, must be a path such as \"items.id\", \"items.0\", \"*.name\" or \"/a.b/c\"",
            "/wrap: is empty",
            "/x: is not known here; there are: at, pick, drop, rename, move, concat, zip, join, set, flatten, wrap",
        ]
    );
    assert_eq!(faults(r#"{"pick": ["a.b", "c"], "drop": ["a"]}"#), ["/drop: leaves out what is picked"]);
}
