//! JSON of every kind, also such as nobody writes, for what must hold for all of it.

use proptest::prelude::*;

/// Some JSON, as text.
pub fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("1.50e+2".to_owned()),
        Just("123456789012345678901234567890".to_owned()),
        Just("-0".to_owned()),
        Just(r#""\ud800\"[,""#.to_owned()),
        Just(r#""\u0061\\""#.to_owned()),
        Just(format!("{}{{}}{}", "[".repeat(127), "]".repeat(127))),
        Just(format!("{}[1]{}", r#"{"a":"#.repeat(127), "}".repeat(127))),
        (0..3).prop_map(|number: i32| number.to_string()),
        "[a-z{}\\[\\],: ]{0,6}".prop_map(|text| super::string(&text)),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec((key(), inner), 0..6).prop_map(|members: Vec<_>| object(&members)),
        ]
    })
}

/// The spelling of a key: few, so that many are equal.
pub fn key() -> impl Strategy<Value = String> {
    let rare = prop_oneof![
        Just(r#""\u0061""#),
        Just(r#""\ud800""#),
        Just(r#""a.b""#),
        Just(r#""0""#),
        Just(r#""1""#),
        Just(r#""*""#),
        Just(r#""\"}""#),
    ];
    prop_oneof![2 => "\"[ab]{0,2}\"", 1 => rare.prop_map(str::to_owned)]
}

/// An object of members as spelled.
pub fn object(members: &[(String, String)]) -> String {
    let members: Vec<_> = members.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}
