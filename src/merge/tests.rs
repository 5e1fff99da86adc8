//! What becomes of equal keys, a line each, and what must hold for all values.

use proptest::prelude::*;

use super::*;
use crate::json::samples::{json, key, object};
use crate::json::{Bounds, value};

use crate::settings::Text;

fn text(value: &Json<'_>) -> String {
    String::from_utf8(value.to_text()).unwrap()
}

/// Merges objects, each the members of one part.
fn merged_text(parts: &[&str], equal: &EqualKeys) -> Result<String, String> {
    let parts = parts.iter().map(|part| members_of(Json::Raw(part)).expect("an object")).collect();
    merged(parts, equal).map(|value| text(&value))
}

#[test]
fn a_rule_says_what_becomes_of_equal_keys() {
    let union = EqualKeys::UnionBy(Path::read("id").unwrap());
    let (error, first, last, deep, concat) =
        (&EqualKeys::Error, &EqualKeys::First, &EqualKeys::Last, &EqualKeys::Deep, &EqualKeys::Concat);
    let table: &[(&EqualKeys, &[&str], Result<&str, &str>)] = &[
        // Only one part has them: as they came, in the order of the parts.
        (error, &[], Ok("{}")),
        (error, &["{}", "null", "{ }"], Ok("{}")),
        (error, &[r#"{ "b" : 1.0e5 , "a":[ 1 ] }"#, r#"{"c":{"x" :1}}"#], Ok(r#"{"b":1.0e5,"a":[ 1 ],"c":{"x" :1}}"#)),
        (error, &[r#"{"a":1,"a":2,"\u0061":3}"#], Ok(r#"{"a":1,"a":2,"\u0061":3}"#)),
        // Several have them.
        (error, &[r#"{"a":1,"b":2}"#, r#"{"c":3,"\u0062":4}"#], Err("b")),
        (first, &[r#"{"a":1,"b":2}"#, r#"{"c":3,"a":4}"#, r#"{"a":5}"#], Ok(r#"{"a":1,"b":2,"c":3}"#)),
        (last, &[r#"{"a":1,"b":2}"#, r#"{"c":3,"a":4}"#, r#"{"a":5}"#], Ok(r#"{"a":5,"b":2,"c":3}"#)),
        // Of keys that stand twice in a part, the last counts.
        (first, &[r#"{"a":1,"a":2,"x":0,"x":0}"#, r#"{"a":3}"#], Ok(r#"{"a":2,"x":0,"x":0}"#)),
        (last, &[r#"{"a":1}"#, r#"{"a":2,"a":3}"#], Ok(r#"{"a":3}"#)),
        (concat, &[r#"{"a":[1],"a":[2]}"#, r#"{"a":[3],"a":[4]}"#], Ok(r#"{"a":[2,4]}"#)),
        // Member by member.
        (
            deep,
            &[r#"{"u":{"n":{"x":1,"y":2},"a":[1]}}"#, r#"{"u":{"n":{"y":3,"z": 4 },"a":[ 2 ]}}"#, r#"{"u":{"t":5}}"#],
            Ok(r#"{"u":{"n":{"x":1,"y":3,"z":4},"a":[ 2 ],"t":5}}"#),
        ),
        (deep, &[r#"{"u":{"a":1}}"#, r#"{"u":null}"#], Ok(r#"{"u":null}"#)),
        (deep, &[r#"{"u":{"a":1}}"#, r#"{"u":2}"#, r#"{"u":{"b": 3}}"#], Ok(r#"{"u":{"b": 3}}"#)),
        (concat, &[r#"{"u":{"a":[1, 2]}}"#, r#"{"u":{"a":[3]}}"#, r#"{"u":{"a":[]}}"#], Ok(r#"{"u":{"a":[1,2,3]}}"#)),
        (concat, &[r#"{"a":[1]}"#, r#"{"a":2}"#], Ok(r#"{"a":2}"#)),
        // Elements with the same key become one.
        (
            &union,
            &[
                r#"{"a":[{"id":1,"x":1,"l":[{"id":5,"p":1}]},{"x":0},{"id":null},7]}"#,
                r#"{"a":[{"id":2},{"id":"1","x":2,"y":3,"l":[{"id":5,"q":2}]},{"x":0},{"id":null},7]}"#,
            ],
            Ok(concat!(
                r#"{"a":[{"id":"1","x":2,"l":[{"id":5,"p":1,"q":2}],"y":3},{"x":0},{"id":null},7,"#,
                r#"{"id":2},{"x":0},{"id":null},7]}"#
            )),
        ),
    ];
    for (equal, parts, expected) in table {
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(merged_text(parts, equal), expected, "of {parts:?} by {equal:?}");
    }
}

#[test]
fn what_is_spread_brings_members_or_elements() {
    for value in ["[]", "7", "\"a\"", "true"] {
        assert_eq!(members_of(Json::Raw(value)), None, "of {value}");
    }
    let parts = [vec![Json::Raw("[ 1 ]")], Json::Raw("[ 2,{} ]").into_elements(), Json::NULL.into_elements()];
    assert_eq!(text(&concatenated(parts.to_vec())), "[[ 1 ],2,{}]");
}

#[test]
fn many_keys_and_many_parts_take_one_look_each() {
    let part = (0..20_000).map(|at| format!("\"k{at}\":[{at}]")).collect::<Vec<_>>().join(",");
    let part = format!("{{{part}}}");
    let once = merged_text(&[part.as_str(); 5], &EqualKeys::Concat).unwrap();
    assert_eq!(members_of(Json::Raw(&once)).unwrap().len(), 20_000);
    let small: Vec<String> = (0..20_000).map(|at| format!("{{\"a\":{{\"k{at}\":1}}}}")).collect();
    let small: Vec<&str> = small.iter().map(String::as_str).collect();
    assert!(merged_text(&small, &EqualKeys::Deep).is_ok());
}

/// The parts of an object: members as spelled.
fn parts() -> impl Strategy<Value = Vec<Vec<(String, String)>>> {
    prop::collection::vec(prop::collection::vec((key(), json()), 0..5), 0..4)
}

fn rule() -> impl Strategy<Value = EqualKeys> {
    prop_oneof![
        Just(EqualKeys::First),
        Just(EqualKeys::Last),
        Just(EqualKeys::Deep),
        Just(EqualKeys::Concat),
        Just(EqualKeys::UnionBy(Path::read("a").unwrap())),
    ]
}

proptest! {
    #[test]
    fn what_only_one_part_has_is_as_it_came(parts in parts(), rule in rule()) {
        // Keys that are the part's own.
        let own = |at: usize, key: &str| format!("\"p{at}{}", &key[1..]);
        let parts: Vec<Vec<_>> = parts.into_iter().enumerate()
            .map(|(at, members)| members.into_iter().map(|(key, value)| (own(at, &key), value)).collect())
            .collect();
        let texts: Vec<String> = parts.iter().map(|members| object(members)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        prop_assert_eq!(merged_text(&texts, &rule), Ok(object(&parts.concat())));
    }

    #[test]
    fn no_key_is_lost_and_none_is_there_twice(parts in parts(), rule in rule()) {
        let texts: Vec<String> = parts.iter().map(|members| object(members)).collect();
        let all: Vec<Members<'_>> = texts.iter().map(|text| members_of(Json::Raw(text)).unwrap()).collect();
        let result = merged_text(&texts.iter().map(String::as_str).collect::<Vec<_>>(), &rule).unwrap();
        let bounds = Bounds { depth: 1_000, elements: u32::MAX };
        prop_assert!(value(result.as_bytes(), bounds).is_ok());
        let members = members_of(Json::Raw(&result)).unwrap();
        for (key, _) in all.iter().flatten() {
            let of_parts: Vec<&Json<'_>> =
                all.iter().filter_map(|part| Some(&part.iter().rfind(|(other, _)| other.name() == key.name())?.1)).collect();
            let found: Vec<_> = members.iter().filter(|(other, _)| other.name() == key.name()).collect();
            prop_assert!(found.len() == 1 || of_parts.len() == 1);
            match rule {
                EqualKeys::First => prop_assert_eq!(&found.last().unwrap().1, of_parts[0]),
                EqualKeys::Last => prop_assert_eq!(&found.last().unwrap().1, *of_parts.last().unwrap()),
                _ => {}
            }
        }
        for (key, _) in &members {
            prop_assert!(all.iter().flatten().any(|(other, _)| other.name() == key.name()));
        }
    }
}
