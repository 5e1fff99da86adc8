//! The `postern` tool, as it is called: each `tests/cli/NAME.json` has a `NAME.txt` with what
//! `postern check NAME.json` prints. Run with `POSTERN_BLESS=1` to write what it prints now.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// Runs the tool in the folder of the files, with this standard input.
fn postern(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command.args(arguments).current_dir("tests/cli");
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // A command that reads no input may have ended by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_check_tells_every_fault_with_its_line() {
    for (name, status) in
        [("fine", 0), ("misspelt", 1), ("not-json", 1), ("one-line", 1), ("secrets", 1), ("warning", 0)]
    {
        let output = postern(&["check", &format!("{name}.json")], "");
        let golden = format!("tests/cli/{name}.txt");
        if std::env::var_os("POSTERN_BLESS").is_some() {
            std::fs::write(&golden, &output.stdout).unwrap();
        }
        assert_eq!(text(&output.stdout), std::fs::read_to_string(&golden).unwrap_or_default(), "of {name}");
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(status), ""), "of {name}");
    }
}

/// Each `tests/cli/*.transcript` has calls, each after a `$`, and what they print.
#[test]
fn a_transcript_repeats() {
    let transcripts = std::fs::read_dir("tests/cli").unwrap().map(|entry| entry.unwrap().path());
    let transcripts: Vec<_> =
        transcripts.filter(|path| path.extension().is_some_and(|kind| kind == "transcript")).collect();
    assert!(!transcripts.is_empty());
    for path in transcripts {
        let written = std::fs::read_to_string(&path).unwrap();
        let mut repeated = String::new();
        for call in written.lines().filter_map(|line| line.strip_prefix("$ postern ")) {
            // Arguments with spaces stand in quotation marks.
            let pieces = call.split('\'').enumerate();
            let arguments: Vec<&str> = pieces
                .flat_map(|(at, piece)| if at % 2 == 1 { vec![piece] } else { piece.split_whitespace().collect() })
                .collect();
            let output = postern(&arguments, "");
            let status = output.status.code().unwrap();
            repeated.push_str(&format!("$ postern {call}\n{}{}", text(&output.stdout), text(&output.stderr)));
            repeated.push_str(&format!("# exit status {status}\n\n"));
        }
        if std::env::var_os("POSTERN_BLESS").is_some() {
            std::fs::write(&path, &repeated).unwrap();
        }
        assert_eq!(repeated, std::fs::read_to_string(&path).unwrap(), "of {}", path.display());
    }
}

#[test]
fn a_check_tells_programs_the_same() {
    let faulty = r#"{ "routes": [{ "path": "/ä", "auth": "publik", "reply": {} }] }"#;
    let entry = |pointer: &str, column: u32, message: &str, help: Value| {
        let (severity, line) = ("error", 1);
        json!({ "severity": severity, "pointer": pointer, "line": line, "column": column, "message": message, "help": help })
    };
    let table = [
        (r#"{ "routes": [{ "path": "/a", "auth": "public", "reply": {} }] }"#, 0, json!([])),
        ("{}", 1, json!([entry("", 1, "lacks \"routes\"", Value::Null)])),
        ("{} {", 1, json!([entry("", 4, "not JSON: trailing characters", Value::Null)])),
        (
            faulty,
            1,
            json!([
                entry(
                    "/routes/0/path",
                    16,
                    "is \"/ä\", which is in an unusual spelling; write /%C3%A4 (x for each value)",
                    Value::Null
                ),
                entry(
                    "/routes/0/auth",
                    30,
                    "names the auth rule \"publik\", which does not exist",
                    json!("there are none")
                ),
            ]),
        ),
    ];
    for (input, status, problems) in table {
        let output = postern(&["check", "-", "--json"], input);
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(said, json!({ "file": "stdin", "problems": problems }));
        assert_eq!(output.status.code(), Some(status), "of {input}");
    }
}

#[test]
fn what_is_no_call_of_it_ends_with_2_and_one_line() {
    let table: [(&[&str], &str); 9] = [
        (&[], "needs a command"),
        (&["chek"], "there is no command \"chek\""),
        (&["--chek"], "there is no option --chek"),
        (&["help", "chek"], "there is no command \"chek\""),
        (&["schema", "x"], "unexpected argument \"x\""),
        (&["check", "--jsn"], "invalid option '--jsn'"),
        (&["check", "a.json", "b.json"], "unexpected argument \"b.json\""),
        // Without a file, routes.json.
        (&["check"], "routes.json cannot be read: No such file"),
        (&["check", "nowhere.json", "--json"], "nowhere.json cannot be read: No such file"),
    ];
    for (arguments, line) in table {
        let output = postern(arguments, "");
        let said = text(&output.stderr);
        assert!(said.starts_with(&format!("postern: {line}")), "of {arguments:?}: {said}");
        assert_eq!((output.status.code(), text(&output.stdout), said.lines().count()), (Some(2), "", 1));
    }
}

#[test]
fn help_tells_of_every_command() {
    let table: [(&[&str], &[&str]); 5] = [
        (
            &["--help"],
            &["Usage: postern COMMAND", "  check [FILE] [--json]", "  explain METHOD URL", "  routes", "  schema"],
        ),
        (&["help"], &["Usage: postern COMMAND"]),
        (&["help", "check"], &["Usage: postern check [FILE] [--json]\n", "\"column\""]),
        (&["schema", "--help"], &["Usage: postern schema\n", "2020-12"]),
        (&["--version"], &[concat!("postern ", env!("CARGO_PKG_VERSION"), "\n")]),
    ];
    for (arguments, parts) in table {
        let output = postern(arguments, "");
        assert_eq!(output.status.code(), Some(0), "of {arguments:?}");
        for part in parts {
            assert!(text(&output.stdout).contains(part), "of {arguments:?}: {}", text(&output.stdout));
        }
    }
}

/// Keys are put into KV by Wrangler: here, by something that tells how it was called.
#[cfg(unix)]
#[test]
fn a_key_is_made_put_listed_and_revoked() {
    use std::os::unix::fs::PermissionsExt;

    let folder = std::env::temp_dir().join(format!("postern-cli-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let npx = folder.join("npx");
    std::fs::write(&npx, "#!/bin/sh\nprintf '%s|' \"$@\"\necho\n").unwrap();
    std::fs::set_permissions(&npx, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let key = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_postern")).arg("key").args(arguments).env("PATH", &path).output();
        let output = output.unwrap();
        (output.status.code(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
    };

    let (status, said) = key(&["create", "partner", "--owner", "acme", "--scope", "a", "--expires", "2027-01-31"]);
    assert_eq!(status, Some(0), "{said}");
    let [_, made, _, record]: [&str; 4] = said.lines().collect::<Vec<_>>().try_into().unwrap();
    let record: Value = serde_json::from_str(record).unwrap();
    let digest = record["hash"].as_str().unwrap().to_owned();
    assert_eq!(record, json!({ "hash": digest, "owner": "acme", "scopes": ["a"], "expires": "2027-01-31" }));
    // What it says counts, and its key is known by it.
    let file = json!({
        "auth": { "partner": { "api_key": { "keys": [record] } } },
        "routes": [{ "path": "/x", "auth": "partner", "reply": {} }]
    });
    let gateway = crate::chaos::loaded(&file.to_string());
    let world = crate::world::World::new(|_| unreachable!());
    let got = world.run(world.send(&gateway, "GET", "http://g/x", &format!("x-api-key:{made}\n")));
    assert_eq!(got.status, 200);

    let place = format!("postern/api-keys/partner/{digest}");
    for (arguments, expected) in [
        (
            vec!["list", "partner"],
            "wrangler|kv|key|list|--prefix|postern/api-keys/partner/|--binding|KV|--local|".to_owned(),
        ),
        (vec!["list", "partner", made], format!("wrangler|kv|key|get|{place}|--binding|KV|--local|")),
        (vec!["revoke", "partner", made, "--remote"], format!("wrangler|kv|key|delete|{place}|--binding|KV|--remote|")),
        (
            vec!["revoke", "partner", &digest, "--env", "staging"],
            format!("wrangler|kv|key|delete|{place}|--binding|KV|--local|--env|staging|"),
        ),
    ] {
        assert_eq!(key(&arguments), (Some(0), format!("{expected}\n")));
    }
    let (status, said) = key(&["create", "partner", "--owner", "acme", "--put", "--remote"]);
    assert_eq!(status, Some(0), "{said}");
    let (call, rest) = said.split_once('\n').unwrap();
    let key_line = rest.lines().find(|line| line.starts_with("pstn_")).unwrap();
    assert!(call.contains("|put|postern/api-keys/partner/sha256-") && call.contains(r#"|{"owner":"acme"}|"#), "{call}");
    assert!(!call.contains(key_line));

    for (arguments, why) in [
        (vec!["create", "partner"], "needs --owner"),
        (vec!["create", "partner", "--owner", "a", "--expires", "soon"], "is no day"),
        (vec!["revoke", "partner"], "needs \"create RULE\""),
        (vec![], "needs \"create RULE\""),
    ] {
        let (status, said) = key(&arguments);
        assert!(status == Some(2) && said.contains(why), "{said}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
