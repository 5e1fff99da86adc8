//! All steps together, and what must hold for every value and every shaping.

use proptest::prelude::*;

use super::mask::{Mask, Source};
use super::{Shaping, ShapingSettings};
use crate::json::path::Path;
use crate::json::samples::json;
use crate::json::tree::Json;
use crate::json::{Bounds, spans_of, string, value};
use crate::settings::{FromNode, Node, Place, Problems, Text};

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
fn copies_of_copies_do_not_fill_the_memory() {
    let settings = r#"{"concat": {"a": ["a", "a", "a", "a", "a"]}}"#;
    let all: Vec<Shaping> = (0..12).map(|_| compiled(settings).unwrap()).collect();
    let value = Json::Raw(r#"{"a":["xxxxxxxxx"]}"#);
    assert_eq!(Shaping::apply_all(&all, value.clone().into()), Err(super::Unshapeable::TooLarge));
    let some = Shaping::apply_all(all.iter().take(3), value.into()).unwrap();
    assert_eq!(some.to_text().len(), 7 + 125 * 12);
}

#[test]
fn many_small_copies_do_not_fill_the_memory() {
    let value = format!(r#"{{"a":[{}]}}"#, vec!["1"; 100_000].join(","));
    let copies = |count| shaped(&format!(r#"{{"concat": {{"b": [{}]}}}}"#, vec!["\"a\""; count].join(",")), &value);
    assert!(copies(4).is_ok());
    assert_eq!(copies(8), Err("TooLarge".to_owned()));
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

/// A path; with numbers or without.
fn path(steps: &'static [&'static str]) -> impl Strategy<Value = String> {
    let steps = || prop::collection::vec(prop::sample::select(steps), 1..4);
    let pointer = steps().prop_map(|steps| format!("/{}", steps.join("/").replace('~', "~0")));
    prop_oneof![2 => steps().prop_map(|steps| steps.join(".")), 1 => pointer]
}

const NAMES: &[&str] = &["a", "b", "aa", "ab", "*", "a.b", "x"];
const STEPS: &[&str] = &["a", "b", "aa", "*", "0", "1", "x"];

/// Some settings of one step: its key and what stands there.
fn step() -> impl Strategy<Value = (&'static str, String)> {
    let path = || path(STEPS).prop_map(|path| string(&path));
    let list = || prop::collection::vec(path(), 1..4).prop_map(|all| format!("[{}]", all.join(",")));
    let named = |value: BoxedStrategy<String>| {
        prop::collection::vec((path(), value), 1..3).prop_map(|all| {
            let all: Vec<_> = all.iter().map(|(name, value)| format!("{name}:{value}")).collect();
            format!("{{{}}}", all.join(","))
        })
    };
    let name = || prop::sample::select(vec![r#""a""#, r#""b""#, r#""\"""#, r#""é""#]).prop_map(str::to_owned);
    let join =
        (path(), path(), path(), path(), name(), any::<bool>()).prop_map(|(into, with, by, matching, name, many)| {
            format!(r#"[{{"into":{into},"with":{with},"by":{by},"match":{matching},"as":{name},"many":{many}}}]"#)
        });
    prop_oneof![
        path().prop_map(|it| ("at", it)),
        list().prop_map(|it| ("pick", it)),
        list().prop_map(|it| ("drop", it)),
        named(name().boxed()).prop_map(|it| ("rename", it)),
        named(path().boxed()).prop_map(|it| ("move", it)),
        named(list().boxed()).prop_map(|it| ("concat", it)),
        named(named(path().boxed()).boxed()).prop_map(|it| ("zip", it)),
        join.prop_map(|it| ("join", it)),
        named(Just("[{\"a\":1}]".to_owned()).boxed()).prop_map(|it| ("set", it)),
        list().prop_map(|it| ("flatten", it)),
        name().prop_map(|it| ("wrap", it)),
    ]
}

fn mask(paths: &[String]) -> Mask {
    let paths: Vec<Path> = paths.iter().map(|path| Path::read(path).unwrap_or_default()).collect();
    paths.iter().filter(|path| !path.steps().is_empty()).collect()
}

/// Whether there is nothing in it but arrays, objects and null.
fn is_bare(value: &Json<'_>) -> bool {
    match value.clone().opened() {
        Json::Raw(text) => text == "null",
        Json::Array(elements) => elements.iter().all(is_bare),
        Json::Object(members) => members.iter().all(|(_, value)| is_bare(value)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_is_json_again(text in json(), mut steps in prop::collection::vec(step(), 0..6)) {
        steps.sort();
        steps.dedup_by_key(|(key, _)| *key);
        let steps: Vec<_> = steps.iter().map(|(key, value)| format!("{key:?}:{value}")).collect();
        if let Ok(shaping) = compiled(&format!("{{{}}}", steps.join(",")))
            && let Ok(result) = shaping.apply(Json::Raw(&text))
        {
            let written = result.to_text();
            let bounds = Bounds { depth: 1_000, elements: u32::MAX };
            prop_assert!(value(&written, bounds).is_ok(), "{}", String::from_utf8_lossy(&written));
            prop_assert_eq!(written.len(), result.size());
        }
    }

    #[test]
    fn no_settings_change_nothing(text in json()) {
        prop_assert_eq!(shaped("{}", &text), Ok(text));
    }

    #[test]
    fn how_a_value_is_at_hand_makes_no_difference(text in json(), paths in prop::collection::vec(path(NAMES), 1..5)) {
        let (mask, whole) = (mask(&paths), Bounds { depth: 1_000, elements: u32::MAX });
        let spans = spans_of(&text, whole).unwrap();
        let ways = [Json::Raw(&text).into(), Json::Raw(&text).opened().into(), Source::Scanned(&spans)];
        let [raw, opened, scanned] = ways.map(|way| (mask.pick(way.clone()).to_text(), mask.drop(way).to_text()));
        prop_assert_eq!(&raw, &opened);
        prop_assert_eq!(&raw, &scanned);
    }

    #[test]
    fn to_pick_or_to_drop_twice_is_to_do_it_once(text in json(), paths in prop::collection::vec(path(NAMES), 1..5)) {
        let mask = mask(&paths);
        let once = mask.pick(Json::Raw(&text).into()).to_text();
        let once = String::from_utf8(once).unwrap();
        prop_assert_eq!(mask.pick(Json::Raw(&once).into()).to_text(), once.as_bytes());
        let rest = mask.drop(Json::Raw(&once).into());
        prop_assert!(mask.is_empty() || is_bare(&rest), "what is picked and dropped leaves {rest:?}");
        let dropped = mask.drop(Json::Raw(&text).into());
        let again = String::from_utf8(dropped.to_text()).unwrap();
        prop_assert_eq!(String::from_utf8(mask.drop(dropped.into()).to_text()).unwrap(), again);
    }
}

#[test]
fn the_examples_for_editors_are_a_shaping() {
    let schema = schemars::schema_for!(ShapingSettings).to_value();
    let keys = schema["properties"].as_object().unwrap().iter();
    let all: serde_json::Value = keys.map(|(key, what)| (key.clone(), what["examples"][0].clone())).collect();
    assert!(!compiled(&all.to_string()).unwrap().is_nothing());
}
