//! `routes.schema.json`, which editors read: it is what `postern schema` prints, explains every key,
//! accepts every file that the gateway accepts, and refuses what has another shape. Run with
//! `POSTERN_BLESS=1` to write it.

use std::path::{Path, PathBuf};
use std::process::Command;

use jsonschema::validator_for;
use serde_json::{Value, json};

fn json_of(file: impl AsRef<Path>) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn schema() -> Value {
    postern::config::schema().to_value()
}

/// Every key of every shape: its name and what the schema says of it.
fn keys(schema: &Value) -> Vec<(String, &Value)> {
    let shapes = schema["$defs"].as_object().unwrap().iter().map(|(name, shape)| (name.as_str(), shape));
    let all = shapes.chain([("top", schema)]).flat_map(|(shape, of)| {
        let properties = of["properties"].as_object().unwrap();
        properties.iter().map(move |(key, what)| (format!("{shape}: {key}"), what))
    });
    all.collect()
}

#[test]
fn the_schema_is_what_the_tool_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_postern")).arg("schema").output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    if std::env::var_os("POSTERN_BLESS").is_some() {
        std::fs::write("routes.schema.json", &printed).unwrap();
    }
    assert_eq!(std::fs::read_to_string("routes.schema.json").unwrap_or_default(), printed);
    assert!(jsonschema::meta::is_valid(&schema()));
}

#[test]
fn every_key_is_explained_by_words_and_an_example() {
    let schema = schema();
    let keys = keys(&schema);
    assert!(keys.len() >= 30, "there are only {} keys", keys.len());
    for (name, key) in keys {
        assert!(key["description"].as_str().is_some_and(|text| text.ends_with('.')), "{name} has no description");
        let examples = key["examples"].as_array().unwrap_or_else(|| panic!("{name} has no example"));
        assert!(!examples.is_empty(), "{name} has no example");
        let mut of_key = key.clone();
        of_key["$defs"] = schema["$defs"].clone();
        let validator = validator_for(&of_key).unwrap();
        for example in examples {
            assert!(validator.is_valid(example), "{name}: the example {example} is not valid");
        }
    }
}

#[test]
fn the_examples_of_the_top_are_a_file_that_the_gateway_accepts() {
    let schema = schema();
    let examples = schema["properties"].as_object().unwrap().iter();
    let file: Value = examples.map(|(key, what)| (key.clone(), what["examples"][0].clone())).collect();
    assert_eq!(postern::config::load(&file.to_string(), None).1, vec![]);
}

#[test]
fn what_the_gateway_accepts_is_valid() {
    let validator = validator_for(&schema()).unwrap();
    let scenarios = scenarios(Path::new("tests/scenarios"));
    assert!(scenarios.len() >= 20, "the scenarios are not where they should be");
    let routes = scenarios.iter().map(|file| (file.as_path(), json_of(file)["routes"].take()));
    for (file, routes) in routes.chain([(Path::new("routes.json"), json_of("routes.json"))]) {
        let faults: Vec<_> = validator.iter_errors(&routes).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, Vec::<String>::new(), "of {}", file.display());
    }
}

fn scenarios(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { scenarios(&path) } else { vec![path] }).collect()
}

#[test]
fn what_has_another_shape_is_not_valid() {
    let validator = validator_for(&schema()).unwrap();
    let table = [
        ("another-kind", "/services"),
        ("another-kind", "/routes"),
        ("another-kind", "/timeout"),
        ("empty", ""),
        ("keys", "/auth/b/jwt/leeway"),
        ("keys", "/auth/b/jwt/keys/0/alg"),
        ("keys", "/auth/b/jwt/keys/4/secret"),
        ("limits", "/limits/b/rate"),
        ("limits", "/limits/b/by"),
        ("limits", "/limits/b/when_down"),
        ("limits", "/limits/c d/burst"),
        ("conditions", "/routes/0/header/x-a"),
        ("conditions", "/routes/0/header/x-f"),
        ("conditions", "/routes/0/header/x-g"),
        ("conditions", "/routes/1/query"),
        ("groups", "/routes/1/routes/0"),
        ("groups", "/routes/14/trailing_slash"),
        ("replies", "/routes/2/method"),
        ("services", "/services/a/url"),
        ("services", "/services/d/max_answer"),
        ("services", "/services/j/timeout"),
        ("unknown-keys", ""),
        ("unknown-keys", "/routes/0"),
        ("paths", "/routes/8/path"),
        ("paths", "/routes/9/forward"),
        ("paths", "/routes/18/forward"),
        ("paths", "/routes/20/forward"),
    ];
    for (name, place) in table {
        let file = json_of(format!("tests/problems/{name}.json"));
        let places: Vec<_> = validator.iter_errors(&file).map(|fault| fault.instance_path().to_string()).collect();
        assert!(places.iter().any(|at| at == place), "{name}: nothing is said of {place:?}, but of {places:?}");
    }
}

#[test]
fn a_text_is_valid_where_the_gateway_reads_it() {
    let schema = schema();
    let table = [
        (
            "ServiceSettings",
            "url",
            vec!["http://h", "https://a.b-c_d:8/x/y", "http://[::1]:9001/a/"],
            vec!["h", "ftp://h"],
        ),
        ("ServiceSettings", "timeout", vec!["250ms", "5s", "2m", "01h"], vec!["0s", "5", "5 s", "5S", "1.5s"]),
        ("ServiceSettings", "max_answer", vec!["1B", "64KiB", "1MiB"], vec!["0B", "1GB", "1"]),
        ("JwtSettings", "leeway", vec!["0s"], vec!["", "-1s"]),
        ("KeySettings", "secret", vec!["{env.A_1}"], vec!["hunter2", "{env.}", "{jwt.A}"]),
        ("LimitSettings", "rate", vec!["10/s", "100/min", "1/h", "5000/day"], vec!["0/s", "1/sec", "10", "+1/s"]),
        ("LimitSettings", "by", vec!["caller", "address", "jwt.a b"], vec!["jwt.", "header", ""]),
        ("RouteSettings", "method", vec!["GET", "M-SEARCH"], vec!["get", "TRACE", "CONNECT", "--", ""]),
        (
            "RouteSettings",
            "forward",
            vec!["s", "s:/", "s:/a/{b}?c={jwt.d}"],
            vec!["", "s:", "s:a", "/a", "https://h/x"],
        ),
    ];
    for (shape, key, good, bad) in table {
        let validator = validator_for(&json!({
            "$ref": format!("#/$defs/{shape}/properties/{key}"),
            "$defs": schema["$defs"],
        }))
        .unwrap();
        for text in good {
            assert!(validator.is_valid(&text.into()), "{key}: {text:?} is refused");
        }
        for text in bad {
            assert!(!validator.is_valid(&text.into()), "{key}: {text:?} is accepted");
        }
    }
}
