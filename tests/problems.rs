//! Faulty files and what is said of them: each `tests/problems/NAME.json` has a `NAME.txt` with the
//! lines that the check must print. Run with `POSTERN_BLESS=1` to write what it prints now.

use std::path::PathBuf;

use postern::settings::{Problem, Severity};

#[test]
fn every_fault_is_said_with_its_place() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir("tests/problems").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    assert!(files.len() >= 8, "the faulty files are not where they should be");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (gateway, problems) = postern::config::load(&text, None);
        let is_refused = problems.iter().any(|problem| problem.severity == Severity::Error);
        assert_eq!(gateway.is_none(), is_refused, "of {}", file.display());
        assert!(!problems.is_empty(), "nothing is said of {}", file.display());
        let said: String = problems.iter().map(|problem| format!("{}{problem}\n", word(problem))).collect();
        let golden = file.with_extension("txt");
        if std::env::var_os("POSTERN_BLESS").is_some() {
            std::fs::write(&golden, &said).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(said, expected, "of {}", file.display());
    }
}

#[test]
fn the_readme_shows_the_shipped_file() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let shown = readme.split("```json\n").nth(1).and_then(|block| block.split("```").next());
    assert_eq!(shown, Some(std::fs::read_to_string("routes.json").unwrap().as_str()));
}

#[test]
fn the_aggregates_of_the_readme_are_fine() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let section = readme.split("### Aggregates").nth(1).and_then(|rest| rest.split("### Batches").next()).unwrap();
    let routes: Vec<&str> = section.split("```json\n").skip(1).filter_map(|block| block.split("```").next()).collect();
    assert!(routes.len() >= 3, "the examples are not where they should be");
    let services = section.split('"').filter_map(|word| word.split_once(":/")).map(|(service, _)| service);
    let services: std::collections::BTreeSet<&str> = services.filter(|name| name.ends_with("-svc")).collect();
    let services: Vec<String> =
        services.iter().map(|name| format!("{name:?}: {{ \"url\": \"http://{name}\" }}")).collect();
    let jwt = r#"{ "issuer": "i", "audience": "a", "keys": [{ "alg": "HS256", "secret": "{env.S}" }] }"#;
    let file = format!(
        "{{ \"services\": {{ {} }}, \"auth\": {{ \"customer\": {{ \"jwt\": {jwt} }} }}, \"routes\": [ {} ] }}",
        services.join(", "),
        routes.join(", ")
    );
    let (_, problems) = postern::config::load(&file, None);
    assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn the_validation_of_the_readme_is_fine() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let section = readme.split("### Validation").nth(1).unwrap();
    let route = section.split("```json\n").nth(1).and_then(|block| block.split("```").next()).unwrap();
    let public = route.replace("\"customer\"", "\"public\"");
    let file = format!(
        "{{ \"services\": {{ \"order-svc\": {{ \"url\": \"http://o\" }} }}, \"schemas\": {{ \"order\": {{}} }}, \"routes\": [{public}] }}"
    );
    assert_eq!(postern::config::load(&file, None).1, []);
}

#[test]
fn the_shipped_file_is_fine() {
    let text = std::fs::read_to_string("routes.json").unwrap();
    assert_eq!(postern::config::load(&text, None).1, []);
}

fn word(problem: &Problem) -> &'static str {
    match problem.severity {
        Severity::Error => "",
        Severity::Warning => "warning: ",
    }
}
