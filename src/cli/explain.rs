//! `postern explain`: what the gateway would do with a request, and why; nothing is called.

use std::io::Write;

use lexopt::{Arg, ValueExt};

use super::colours::Colours;
use super::explanation::Explanation;
use super::file::File;
use super::report::Report;
use super::{Command, Outcome, Trouble};
use crate::config;
use crate::head::{Head, UnixMillis};

pub(super) const COMMAND: Command = Command {
    name: "explain",
    arguments: "METHOD URL [OPTIONS]",
    about: "Tells which route a request takes and why, and what would be sent to services",
    details: "-H, --header 'NAME: VALUE'  a header field of the request; may stand several times\n\
              --token TOKEN               a bearer token; also taken if it cannot be verified here, which is told\n\
              --body JSON                 the body, where it is asked for or checked\n\
              --client ADDRESS            the address that the request comes from; 192.0.2.1 unless it is said\n\
              --file FILE                 the routes.json; - is the standard input\n\
              --env NAME                  the environment\n\
              --json                      prints one object for programs\n\n\
              Nothing is called, and nothing counted. A token is verified with the secrets of the process'\n\
              environment; header fields that have a secret in them show *** for it.\n\
              Exit status: 0 if a route takes the request, 1 if none does or the file is refused, 2 otherwise.",
    run,
};

fn run(mut arguments: lexopt::Parser, out: &mut dyn Write) -> Result<Outcome, Trouble> {
    let (mut words, mut headers, mut as_json) = (Vec::new(), String::new(), false);
    let (mut environment, mut body): (Option<String>, Option<String>) = (None, None);
    let (mut file, mut client) = (File::USUAL.into(), "192.0.2.1".to_owned());
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Short('H') | Arg::Long("header") => headers.push_str(&header_line(&arguments.value()?.string()?)?),
            Arg::Long("token") => headers.push_str(&format!("authorization:Bearer {}\n", arguments.value()?.string()?)),
            Arg::Long("body") => body = Some(arguments.value()?.string()?),
            Arg::Long("client") => client = arguments.value()?.string()?,
            Arg::Long("file") => file = arguments.value()?,
            Arg::Long("env") => environment = Some(arguments.value()?.string()?),
            Arg::Long("json") => as_json = true,
            Arg::Value(value) if words.len() < 2 => words.push(value.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let [method, url] = words.try_into().map_err(|_| Trouble::Usage("explain needs METHOD and URL".to_owned()))?;
    if client.parse::<std::net::IpAddr>().is_err() {
        return Err(Trouble::Usage(format!("{client:?} is no address")));
    }
    if body.is_some() && !headers.lines().any(|line| line.starts_with("content-type:")) {
        headers.push_str("content-type:application/json\n");
    }
    #[allow(clippy::disallowed_methods)] // The tool is a program at a terminal, not the gateway.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = UnixMillis(u64::try_from(now.as_millis()).unwrap_or_default());
    let text = format!("{method}\n{url}\n{client}\nREQUEST-ID\n{}\n{headers}", now.0);
    let head = Head::from_text(&text).ok_or_else(|| Trouble::Usage(format!("{url:?} is no URL: http://host/path")))?;

    let file = File::read(&file)?;
    let (gateway, problems) = config::load(&file.text, environment.as_deref());
    let Some(gateway) = gateway else {
        write!(out, "{}", Report::new(&file, &problems).to_text(Colours::of_stdout()))?;
        return Ok(Outcome::Refused);
    };
    let explanation = Explanation::of(&gateway, head, body, now);
    if as_json {
        writeln!(out, "{}", serde_json::to_string(&explanation).unwrap_or_default())?;
    } else {
        write!(out, "{}", explanation.to_text(Colours::of_stdout()))?;
    }
    Ok(if explanation.has_route() { Outcome::Fine } else { Outcome::Refused })
}

/// `Name: value` as a line of header fields.
fn header_line(written: &str) -> Result<String, Trouble> {
    match written.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() && !written.contains(['\n', '\r']) => {
            Ok(format!("{}:{}\n", name.trim().to_ascii_lowercase(), value.trim()))
        }
        _ => Err(Trouble::Usage(format!("{written:?} is no header field: NAME: VALUE"))),
    }
}
