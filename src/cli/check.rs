//! `postern check`: what the gateway would say of a `routes.json`.

use std::io::Write;

use lexopt::Arg;

use super::colours::Colours;
use super::file::File;
use super::report::Report;
use super::{Command, Outcome, Trouble};
use crate::config;

pub(super) const COMMAND: Command = Command {
    name: "check",
    arguments: "[FILE] [--json]",
    about: "Tells every fault and warning of a routes.json, with its place",
    details: "FILE is routes.json unless another is named; - is the standard input.\n\
              With --json, prints one object for programs: { \"file\", \"problems\": [{ \"severity\", \"pointer\",\n\
              \"line\", \"column\", \"message\", \"help\" }] }; lines and columns count from 1, columns in characters.\n\
              Exit status: 0 if the gateway takes the file, 1 if it refuses it, 2 if it cannot be read.",
    run,
};

fn run(mut arguments: lexopt::Parser, out: &mut dyn Write) -> Result<Outcome, Trouble> {
    let (mut name, mut as_json) = (None, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("json") => as_json = true,
            Arg::Value(value) if name.is_none() => name = Some(value),
            other => return Err(other.unexpected().into()),
        }
    }
    let file = File::read(&name.unwrap_or_else(|| File::USUAL.into()))?;
    let (_, problems) = config::load(&file.text, None);
    let report = Report::new(&file, &problems);
    if as_json {
        writeln!(out, "{}", report.to_json())?;
    } else {
        write!(out, "{}", report.to_text(Colours::of_stdout()))?;
    }
    Ok(if report.is_refused() { Outcome::Refused } else { Outcome::Fine })
}
