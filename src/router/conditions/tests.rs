//! What a condition holds for, and what it implies.

use super::*;

fn test(written: &str) -> ValueTest {
    let node: Node = serde_json::from_str(written).unwrap();
    let mut problems = Problems::default();
    ValueTest::from_node(&node, &Place::root(), &mut problems).unwrap_or_else(|| panic!("{written}: {problems:?}"))
}

#[test]
fn a_test_holds_or_not() {
    for (written, value, holds) in [
        ("true", Some(""), true),
        ("true", None, false),
        ("false", None, true),
        ("false", Some("x"), false),
        (r#""2""#, Some("2"), true),
        (r#""2""#, Some("2 "), false),
        (r#""v""#, Some("V"), false),
        (r#""""#, Some(""), true),
        (r#""""#, None, false),
        (r#"["1", "2"]"#, Some("2"), true),
        (r#"["1", "2"]"#, Some("3"), false),
        (r#"{"prefix": "2."}"#, Some("2.1"), true),
        (r#"{"prefix": "2."}"#, Some("12."), false),
        (r#"{"regex": "[0-9]+"}"#, Some("12"), true),
        (r#"{"regex": "[0-9]+"}"#, Some("12x"), false),
        (r#"{"regex": "a|b"}"#, Some("ax"), false),
        (r#"{"regex": "a|b"}"#, Some("xb"), false),
        (r#"{"regex": ".*"}"#, None, false),
        (r#"{"media": "a/v2+json"}"#, Some("a/v2+json"), true),
        (r#"{"media": "a/v2+json"}"#, Some("text/html, A/V2+JSON;q=0.5"), true),
        (r#"{"media": "a/v2+json"}"#, Some("a/v2+json; q=0"), false),
        (r#"{"media": "a/v2+json"}"#, Some("a/*, */*"), false),
        (r#"{"media": "a/v2+json"}"#, Some("a/v2+jsonx"), false),
    ] {
        assert_eq!(test(written).holds(value), holds, "of {written} for {value:?}");
    }
}

#[test]
fn one_test_implies_another() {
    for (one, other, implied) in [
        (r#""2""#, "true", true),
        ("true", r#""2""#, false),
        ("false", "false", true),
        ("false", "true", false),
        (r#""2""#, r#"["2", "3"]"#, true),
        (r#"["2", "3"]"#, r#""2""#, false),
        (r#"["2", "3"]"#, r#"["3", "2"]"#, true),
        (r#""2.1""#, r#"{"prefix": "2."}"#, true),
        (r#"{"prefix": "2.1"}"#, r#"{"prefix": "2."}"#, true),
        (r#"{"prefix": "2."}"#, r#"{"prefix": "2.1"}"#, false),
        (r#""12""#, r#"{"regex": "[0-9]+"}"#, true),
        (r#"{"regex": "1"}"#, r#"{"regex": "[0-9]+"}"#, false),
        (r#"{"regex": "1"}"#, "true", true),
        (r#"{"media": "a/b"}"#, r#"{"media": "a/b"}"#, true),
    ] {
        assert_eq!(test(one).implies(&test(other)), implied, "of {one} and {other}");
    }
}

#[test]
fn a_faulty_test_is_refused() {
    for written in [
        "1",
        "null",
        "[]",
        "{}",
        r#"{"prefix": "a", "regex": "b"}"#,
        r#"{"regex": "("}"#,
        r#"{"regex": "a)|(b"}"#,
        r#"{"media": "a/*"}"#,
        r#"{"media": "x"}"#,
    ] {
        let node: Node = serde_json::from_str(written).unwrap();
        let mut problems = Problems::default();
        let _ = ValueTest::from_node(&node, &Place::root(), &mut problems);
        assert!(problems.refuse(), "of {written}");
    }
}
