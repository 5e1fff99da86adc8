//! `postern key`: API keys, made, listed and revoked. Where they are to be is KV, which Wrangler writes.

use std::io::Write;
use std::process::Command as Process;

use base64ct::{Base64UrlUnpadded, Encoding};
use lexopt::{Arg, ValueExt};
use serde_json::{Map, Value, json};

use super::{Command, Outcome, Trouble};
use crate::calendar;
use crate::policy::api_key::{Digest, kept_under};
use crate::settings::Text;

pub(super) const COMMAND: Command = Command {
    name: "key",
    arguments: "create|list|revoke RULE [OPTIONS]",
    about: "Makes, lists and revokes API keys of an auth rule",
    details: "create RULE --owner NAME [--plan NAME] [--scope WORD]... [--role WORD]... [--expires DAY]\n\
              \x20   [--route PATTERN]... makes a key, and shows it this once; what is kept is its digest. It prints\n\
              \x20   what to write into the file under the rule's \"keys\". With --put, it puts that into KV.\n\
              list RULE shows the digests that KV has; list RULE DIGEST what goes with one.\n\
              revoke RULE KEY-OR-DIGEST takes a key out of KV; it may count for a minute and a half still.\n\
              KV is the binding KV of wrangler.toml, as npx wrangler reaches it: on this machine unless --remote\n\
              says otherwise; --env NAME is an environment of wrangler.toml. DAY is such as 2027-01-31.",
    run,
};

/// What stands after the names.
#[derive(Default)]
struct Options {
    record: Map<String, Value>,
    is_put: bool,
    wrangler: Vec<String>,
    values: Vec<String>,
}

fn run(mut arguments: lexopt::Parser, out: &mut dyn Write) -> Result<Outcome, Trouble> {
    let options = options(&mut arguments)?;
    let values: Vec<&str> = options.values.iter().map(String::as_str).collect();
    match values.as_slice() {
        ["create", rule] => create(rule, &options, out),
        ["list", rule] => {
            wrangler("list", &["--prefix", &kept_under(rule, "")], &options.wrangler)?;
            Ok(Outcome::Fine)
        }
        ["list", rule, key] => {
            wrangler("get", &[&kept_under(rule, digest(key).as_str())], &options.wrangler)?;
            Ok(Outcome::Fine)
        }
        ["revoke", rule, key] => {
            wrangler("delete", &[&kept_under(rule, digest(key).as_str())], &options.wrangler)?;
            Ok(Outcome::Fine)
        }
        _ => Err(Trouble::Usage("needs \"create RULE\", \"list RULE\" or \"revoke RULE KEY\"".to_owned())),
    }
}

fn options(arguments: &mut lexopt::Parser) -> Result<Options, Trouble> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next()? {
        let mut add = |name: &str, value: String| match options.record.get_mut(name) {
            Some(Value::Array(words)) => words.push(json!(value)),
            _ => _ = options.record.insert(name.to_owned(), json!([value])),
        };
        match argument {
            Arg::Long("scope") => add("scopes", arguments.value()?.string()?),
            Arg::Long("role") => add("roles", arguments.value()?.string()?),
            Arg::Long("route") => add("routes", arguments.value()?.string()?),
            Arg::Long("owner") => _ = options.record.insert("owner".to_owned(), json!(arguments.value()?.string()?)),
            Arg::Long("plan") => _ = options.record.insert("plan".to_owned(), json!(arguments.value()?.string()?)),
            Arg::Long("expires") => {
                let day = arguments.value()?.string()?;
                if calendar::day(&day).is_none() {
                    return Err(Trouble::Usage(format!("{day:?} is no day such as 2027-01-31")));
                }
                options.record.insert("expires".to_owned(), json!(day));
            }
            Arg::Long("put") => options.is_put = true,
            Arg::Long("remote") => options.wrangler.push("--remote".to_owned()),
            Arg::Long("env") => options.wrangler.extend(["--env".to_owned(), arguments.value()?.string()?]),
            Arg::Value(value) => options.values.push(value.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

fn create(rule: &str, options: &Options, out: &mut dyn Write) -> Result<Outcome, Trouble> {
    if !options.record.contains_key("owner") {
        return Err(Trouble::Usage("needs --owner, whose key it is".to_owned()));
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| Trouble::File(format!("there is no randomness: {error}")))?;
    let key = format!("pstn_{}", Base64UrlUnpadded::encode_string(&random));
    let digest = Digest::of(&key);
    if options.is_put {
        let record = Value::Object(options.record.clone()).to_string();
        wrangler("put", &[&kept_under(rule, digest.as_str()), &record], &options.wrangler)?;
        writeln!(
            out,
            "The key, which is shown this once:\n{key}\nIts digest, by which it is revoked:\n{}",
            digest.as_str()
        )?;
        return Ok(Outcome::Fine);
    }
    let mut of_file = Map::new();
    of_file.insert("hash".to_owned(), json!(digest.as_str()));
    of_file.extend(options.record.clone());
    writeln!(
        out,
        "The key, which is shown this once:\n{key}\nFor \"keys\" of the rule {rule:?} in the file:\n{}",
        Value::Object(of_file)
    )?;
    Ok(Outcome::Fine)
}

/// The digest that is written, or that of a key that is.
fn digest(written: &str) -> Digest {
    Digest::read(written).unwrap_or_else(|_| Digest::of(written))
}

/// Has Wrangler do something with KV; what it says goes to the terminal.
fn wrangler(verb: &str, arguments: &[&str], more: &[String]) -> Result<(), Trouble> {
    let place = if more.iter().any(|argument| argument == "--remote") { &[][..] } else { &["--local"][..] };
    let mut process = Process::new(if cfg!(windows) { "npx.cmd" } else { "npx" });
    process.args(["wrangler", "kv", "key", verb]).args(arguments).args(["--binding", "KV"]).args(place).args(more);
    match process.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Trouble::File("Wrangler could not do it".to_owned())),
        Err(error) => Err(Trouble::File(format!("npx cannot be run: {error}"))),
    }
}
