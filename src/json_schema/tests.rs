//! What the validator says beside what `jsonschema` says, and what it costs.

use proptest::prelude::*;
use serde_json::{Value as Any, json};

use super::*;
use crate::settings::{FromNode, Named, Node, Place, Problems};

fn node(value: &Any) -> Node {
    serde_json::from_value(value.clone()).unwrap()
}

/// The schema, with some others that have names.
fn compiled(schema: &Any, named: &Any) -> Result<std::sync::Arc<Schema>, Vec<String>> {
    let (mut problems, root) = (Problems::default(), Place::root());
    let named = Named::from_node(&node(named), &root, &mut problems).unwrap();
    let library = Library::compile(named, &root.at("schemas"), &mut problems);
    let schema = library.resolve(&node(schema), &root, &mut problems);
    let told: Vec<_> = problems.in_order_of(&Node::Null).iter().map(ToString::to_string).collect();
    schema.filter(|_| told.is_empty()).ok_or(told)
}

fn wrong(schema: &Schema, text: &str) -> Vec<(String, String)> {
    let mut wrong = Wrong::default();
    let value = Value::read(text, &mut wrong);
    if wrong.is_empty() {
        schema.check(&value, &mut wrong);
    }
    wrong.into_told().into_iter().map(|(place, what)| (place.to_string(), what)).collect()
}

#[test]
fn what_is_wrong_has_its_place_and_names_what_is_wanted() {
    let schema = compiled(
        &json!({
            "type": "object",
            "required": ["items", "email"],
            "properties": {
                "items": { "type": "array", "minItems": 1, "uniqueItems": true, "items": { "$ref": "item" } },
                "email": { "type": "string", "format": "email" },
                "note": { "type": ["string", "null"], "maxLength": 3 },
                "a/b": { "enum": [1, "x", null] },
            },
            "additionalProperties": false,
            "dependentRequired": { "note": ["a/b"] },
        }),
        &json!({ "item": {
            "$defs": { "count": { "type": "integer", "minimum": 1, "exclusiveMaximum": 10 } },
            "type": "object", "properties": { "count": { "$ref": "#/$defs/count" }, "sku": { "pattern": "^[a-z]+$" } },
        } }),
    )
    .unwrap();
    assert_eq!(wrong(&schema, r#"{"items":[{"count":1.0,"sku":"a"},{}],"email":"a@b"}"#), []);
    let expected = [
        ("", "lacks \"email\""),
        ("", "lacks \"a/b\", which goes with \"note\""),
        ("/items/0/count", "must be an integer"),
        ("/items/1/count", "must be less than 10"),
        ("/items/1/sku", "must match ^[a-z]+$"),
        ("/items/2", "must be an object"),
        ("/note", "must have at most 3 characters"),
        ("/other", "is not known here"),
    ];
    let body = r#"{"other":1,"items":[{"count":1.5},{"count":10,"sku":"A"},7],"note":"ääää"}"#;
    assert_eq!(wrong(&schema, body), expected.map(|(place, what)| (place.to_owned(), what.to_owned())));
    assert_eq!(
        wrong(&schema, r#"{"items":[],"email":"","a/b":"y"}"#),
        [
            ("/a~1b", "must be one of 1, \"x\", null"),
            ("/email", "must be of the format email"),
            ("/items", "must have at least 1 element"),
        ]
        .map(|(place, what)| (place.to_owned(), what.to_owned()))
    );
    assert_eq!(
        wrong(&schema, r#"{"items":[{"count":1},{"count":1e0}],"email":"a@b"}"#),
        [("/items".to_owned(), "must not have an element twice".to_owned())]
    );
}

#[test]
fn of_many_faults_some_are_told() {
    let schema = compiled(&json!({ "items": { "type": "null" } }), &json!({})).unwrap();
    let body = format!("[{}]", vec!["1"; 1000].join(","));
    assert_eq!(wrong(&schema, &body).len(), MOST_TOLD);
}

#[test]
fn what_cannot_be_checked_is_refused() {
    let none = json!({});
    for (schema, named, message) in [
        (json!({ "minimun": 1 }), &none, "/minimun: is no keyword that is checked; did you mean \"minimum\"?"),
        (json!({ "items": { "unevaluatedItems": false } }), &none, "/items/unevaluatedItems: is no keyword"),
        (json!({ "type": "text" }), &none, "/type: must be \"null\","),
        (json!({ "pattern": "(?=a)" }), &none, "/pattern: is \"(?=a)\", which cannot be checked here"),
        (json!({ "pattern": "(a{1,1000}){1,1000}" }), &none, "/pattern: is"),
        (json!({ "patternProperties": { "[": true } }), &none, "/patternProperties/[: is \"[\", which cannot"),
        (json!({ "format": "iri" }), &none, "/format: is \"iri\", which is not checked here; did you mean \"uri\"?"),
        (json!({ "minLength": 1.5 }), &none, "/minLength: is 1.5, must be a whole number"),
        (json!({ "minItems": 3, "maxItems": 2 }), &none, "/minItems: is above \"maxItems\""),
        (json!({ "minimum": 3, "exclusiveMaximum": 2 }), &none, ": has a minimum above its maximum"),
        (json!({ "maximum": 1.0000000000000002e20 }), &none, "/maximum: is a number of more digits than are kept"),
        (json!({ "multipleOf": 0 }), &none, "/multipleOf: must be above 0"),
        (json!({ "then": true }), &none, ": must have \"if\""),
        (json!({ "minContains": 1 }), &none, ": says how often"),
        (json!({ "items": { "$defs": {} } }), &none, "/items/$defs: stands within a schema"),
        (json!({ "$ref": "#/properties/a" }), &none, "/$ref: is \"#/properties/a\", must be"),
        (json!({ "$ref": "#/$defs/a" }), &none, "/$ref: is \"#/$defs/a\", and there is no \"a\" in its $defs"),
        (json!({ "$ref": "othr" }), &json!({ "other": {} }), "/$ref: names the schema \"othr\", which does not exist"),
        (json!("othr"), &json!({ "other": {} }), ": names the schema \"othr\", which does not exist; did you mean"),
        (json!({ "$ref": "#" }), &none, ": refers back to itself without a step"),
        (
            json!({ "anyOf": [true, { "$ref": "#/$defs/a" }], "$defs": { "a": { "not": { "$ref": "#" } } } }),
            &none,
            ": refers",
        ),
        (json!("a"), &json!({ "a": { "$ref": "b" }, "b": { "allOf": [{ "$ref": "a" }] } }), "/schemas/a: refers"),
        (json!(true), &json!({ "a": "b" }), "/schemas/a: is a name"),
        (json!(true), &json!({ "a#b": true }), "/schemas/a#b: has a # in its name"),
        (json!({ "allOf": [] }), &none, "/allOf: is an array, must be an array of at least one schema"),
        (json!({ "properties": { "a": 1 } }), &none, "/properties/a: is 1, must be a JSON Schema"),
        (json!({ "required": ["a", 1] }), &none, "/required: is an array, must be an array of names"),
    ] {
        let told = compiled(&schema, named).map(|_| Vec::<String>::new()).unwrap_or_else(|told| told);
        let is_told =
            told.iter().any(|fault| fault.trim_start_matches(": ").starts_with(message.trim_start_matches(": ")));
        assert!(is_told, "of {schema}: {told:?}");
    }
    // A step into the value is progress.
    assert!(compiled(&json!({ "items": { "$ref": "#" } }), &none).is_ok());
}

#[test]
fn work_is_bounded() {
    let many = |element: &str, times: usize| format!("[{}]", vec![element; times].join(","));
    let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    let long = format!("\"{}\"", "a".repeat(1 << 20));
    let numbers: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
    let too_much = "takes too much work to check: send less of it, or less deep";
    let any = json!({
        "type": "array",
        "anyOf": [{ "items": { "$ref": "#" } }, { "items": { "$ref": "#" }, "maxItems": 9 }],
    });
    let wide = json!({ "allOf": vec![json!({ "items": { "type": "integer" } }); 100] });
    let pairs = json!({ "type": ["array", "integer"], "uniqueItems": true, "items": { "$ref": "#" } });
    for (schema, body, expected) in [
        (json!({ "uniqueItems": true }), format!("[{}]", numbers.join(",")), None),
        (pairs, many(&many("[[[[[[1]]]]]]", 1), 1), None),
        (any, deep.clone(), Some(too_much)),
        (wide, many("1", 100_000), Some(too_much)),
        (json!({ "pattern": "^a+$" }), long.clone(), None),
        (json!({ "pattern": "(a|b|ab)*c" }), long.clone(), Some("must match (a|b|ab)*c")),
        (json!({ "pattern": "[a-z]{1,400}[0-9]" }), long, Some(too_much)),
        (
            json!({ "anyOf": vec![json!({ "type": "string" }); 100] }),
            format!("1.{}", "7".repeat(1 << 20)),
            Some(too_much),
        ),
    ] {
        let compiled = compiled(&schema, &json!({})).unwrap();
        let told = wrong(&compiled, &body);
        assert_eq!(told.first().map(|(_, what)| what.as_str()), expected, "of {schema}");
    }
}

/// Some value: few, so that schemas often hold.
fn value() -> impl Strategy<Value = Any> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Any::from),
        (-3i64..6).prop_map(Any::from),
        (-6i64..12).prop_map(|quarters| json!(quarters as f64 / 4.0)),
        Just(json!(9_007_199_254_740_993_u64)),
        "[abä]{0,4}".prop_map(Any::from),
        Just(json!("2024-02-29")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Any::from),
            prop::collection::btree_map("[abc]{1,2}", inner, 0..5)
                .prop_map(|members| Any::from(members.into_iter().collect::<serde_json::Map<_, _>>())),
        ]
    })
}

/// Some schema of those that are checked here, without bounds that contradict each other.
fn schema() -> impl Strategy<Value = Any> {
    let types = prop::sample::select(vec!["null", "boolean", "integer", "number", "string", "array", "object"]);
    let small = 0u32..4;
    let word = "[abc]{1,2}";
    let words = || prop::collection::btree_set(word, 0..3);
    let leaf = prop_oneof![
        any::<bool>().prop_map(Any::from),
        Just(json!({})),
        types.clone().prop_map(|name| json!({ "type": name })),
        prop::collection::btree_set(types, 1..4).prop_map(|names| json!({ "type": names })),
        prop::collection::vec(value(), 1..4).prop_map(|values| json!({ "enum": values })),
        value().prop_map(|value| json!({ "const": value })),
        (-2i64..4).prop_map(|bound| json!({ "minimum": bound, "type": "number" })),
        (-4i64..8).prop_map(|bound| json!({ "exclusiveMaximum": bound as f64 / 2.0 })),
        (-2i64..4).prop_map(|bound| json!({ "maximum": bound })),
        (-2i64..4).prop_map(|bound| json!({ "exclusiveMinimum": bound })),
        prop::sample::select(vec![json!(1), json!(2), json!(0.5), json!(3)]).prop_map(|of| json!({ "multipleOf": of })),
        small.clone().prop_map(|least| json!({ "minLength": least, "type": "string" })),
        small.clone().prop_map(|most| json!({ "maxLength": most })),
        prop::sample::select(vec!["^a", "b$", "a|ä", "^[ab]{2,3}$", "a.b"]).prop_map(|of| json!({ "pattern": of })),
        small.clone().prop_map(|least| json!({ "minItems": least })),
        small.clone().prop_map(|most| json!({ "maxItems": most, "uniqueItems": true })),
        small.clone().prop_map(|least| json!({ "minProperties": least })),
        small.clone().prop_map(|most| json!({ "maxProperties": most })),
        words().prop_map(|names| json!({ "required": names })),
        (word, words()).prop_map(|(name, names)| json!({ "dependentRequired": { name: names } })),
        Just(json!({ "$ref": "#/$defs/tree" })),
        Just(json!({ "items": { "$ref": "#" } })),
    ];
    leaf.prop_recursive(4, 24, 3, move |inner| {
        let some = prop::collection::vec(inner.clone(), 1..4);
        let (one, other, third) = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            some.clone().prop_map(|all| json!({ "allOf": all })),
            some.clone().prop_map(|any| json!({ "anyOf": any })),
            some.clone().prop_map(|one| json!({ "oneOf": one })),
            one.clone().prop_map(|not| json!({ "not": not })),
            (one.clone(), other.clone(), third).prop_map(|(a, b, c)| json!({ "if": a, "then": b, "else": c })),
            (one.clone(), other.clone()).prop_map(|(a, b)| json!({ "if": a, "then": b })),
            one.clone().prop_map(|items| json!({ "items": items })),
            (some.clone(), one.clone()).prop_map(|(first, rest)| json!({ "prefixItems": first, "items": rest })),
            some.prop_map(|first| json!({ "prefixItems": first })),
            one.clone().prop_map(|what| json!({ "contains": what })),
            (one.clone(), 0u32..3, 0u32..3).prop_map(
                |(what, least, more)| json!({ "contains": what, "minContains": least, "maxContains": least + more })
            ),
            (one.clone(), 0u32..3).prop_map(|(what, most)| json!({ "contains": what, "maxContains": most.max(1) })),
            one.clone().prop_map(|names| json!({ "propertyNames": names })),
            (word, one.clone(), other.clone())
                .prop_map(|(name, a, b)| json!({ "properties": { name: a }, "additionalProperties": b })),
            (word, one.clone(), other.clone(), one.clone()).prop_map(|(name, a, b, c)| {
                json!({ "properties": { name: a }, "patternProperties": { "a": b }, "additionalProperties": c })
            }),
            (one, other).prop_map(|(a, b)| match (a, b) {
                (Any::Object(mut a), Any::Object(b)) => {
                    let new: Vec<_> = b.into_iter().filter(|(key, _)| !a.contains_key(key)).collect();
                    a.extend(new);
                    Any::Object(a)
                }
                (a, _) => a,
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn jsonschema_says_the_same(drawn in schema(), values in prop::collection::vec(value(), 1..6)) {
        let mut whole = if let Any::Object(members) = drawn { members } else { return Ok(()) };
        whole.insert("$defs".to_owned(), json!({ "tree": { "type": ["array", "integer"], "items": { "$ref": "#/$defs/tree" } } }));
        let whole = Any::Object(whole);
        // Some contradict themselves, which is no matter to the other.
        let Ok(ours) = compiled(&whole, &json!({})) else { return Ok(()) };
        let other = jsonschema::draft202012::new(&whole).unwrap();
        for value in values {
            let told = wrong(&ours, &value.to_string());
            prop_assert_eq!(told.is_empty(), other.is_valid(&value), "of {} and {}: {:?}", whole, value, told);
        }
    }
}

#[test]
fn most_drawn_schemas_are_taken() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut taken, mut valid, mut all) = (0, 0, 0);
    for _ in 0..500 {
        let drawn = proptest::strategy::ValueTree::current(&schema().new_tree(&mut runner).unwrap());
        let body = proptest::strategy::ValueTree::current(&value().new_tree(&mut runner).unwrap());
        if let Any::Object(mut members) = drawn {
            members.insert("$defs".to_owned(), json!({ "tree": true }));
            all += 1;
            if let Ok(schema) = compiled(&Any::Object(members), &json!({})) {
                taken += 1;
                valid += usize::from(wrong(&schema, &body.to_string()).is_empty());
            }
        }
    }
    assert!(taken * 10 > all * 8 && valid * 5 > taken && valid * 5 < taken * 4, "{valid} of {taken} of {all}");
}
