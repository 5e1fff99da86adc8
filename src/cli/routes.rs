//! `postern routes`: the table of the routes, those that go before others first.

use std::io::Write;

use lexopt::{Arg, ValueExt};
use serde::Serialize;

use super::colours::Colours;
use super::file::File;
use super::report::Report;
use super::wording;
use super::{Command, Outcome, Trouble};
use crate::config;
use crate::gateway::Gateway;

pub(super) const COMMAND: Command = Command {
    name: "routes",
    arguments: "[FILE] [--env NAME] [--json]",
    about: "Prints the routes of a routes.json, sorted by precedence",
    details: "FILE is routes.json unless another is named; - is the standard input.\n\
              A row for each host and path of a route. Of two rows that take one request, the upper one gets it.\n\
              With --env, those of an environment. With --json, prints one array for programs.\n\
              Exit status: 0 if all is fine, 1 if the file is refused, 2 if it cannot be read.",
    run,
};

#[derive(Serialize)]
struct Row {
    host: String,
    path: String,
    methods: String,
    conditions: String,
    auth: String,
    limit: String,
    does: String,
    gateway: String,
    place: String,
}

const TITLES: [&str; 9] = ["HOST", "PATH", "METHOD", "IF", "AUTH", "LIMIT", "DOES", "GATEWAY", "PLACE"];

fn run(mut arguments: lexopt::Parser, out: &mut dyn Write) -> Result<Outcome, Trouble> {
    let (mut name, mut as_json, mut environment) = (None, false, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("env") => environment = Some(arguments.value()?.string()?),
            Arg::Long("json") => as_json = true,
            Arg::Value(value) if name.is_none() => name = Some(value),
            other => return Err(other.unexpected().into()),
        }
    }
    let file = File::read(&name.unwrap_or_else(|| File::USUAL.into()))?;
    let (gateway, problems) = config::load(&file.text, environment.as_deref());
    let Some(gateway) = gateway else {
        write!(out, "{}", Report::new(&file, &problems).to_text(Colours::of_stdout()))?;
        return Ok(Outcome::Refused);
    };
    let rows = rows(&gateway);
    if as_json {
        writeln!(out, "{}", serde_json::to_string(&rows).unwrap_or_default())?;
    } else {
        write!(out, "{}", table(&rows, Colours::of_stdout()))?;
    }
    Ok(Outcome::Fine)
}

fn rows(gateway: &Gateway) -> Vec<Row> {
    let routes = gateway.router.routes();
    let row = routes.map(|(matcher, route)| Row {
        host: wording::host(matcher).to_owned(),
        path: matcher.pattern.clone(),
        methods: wording::methods(&matcher.methods),
        conditions: matcher.conditions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        auth: wording::auth(route),
        limit: route.limits.iter().map(|limit| limit.name()).collect::<Vec<_>>().join(" and "),
        does: wording::action(&route.action),
        gateway: route.gateway.as_deref().unwrap_or_default().to_owned(),
        place: route.place.to_string(),
    });
    row.collect()
}

/// Columns as wide as what stands in them; none for what no route has.
fn table(rows: &[Row], colours: Colours) -> String {
    let cells = rows.iter().map(|row| {
        let Row { host, path, methods, conditions, auth, limit, does, gateway, place } = row;
        [host, path, methods, conditions, auth, limit, does, gateway, place].map(String::as_str)
    });
    let cells: Vec<[&str; 9]> = cells.collect();
    let widths = |column: usize| cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let line = |row: &[&str; 9]| {
        let padded = row.iter().enumerate().filter_map(|(column, cell)| {
            let widest = widths(column).filter(|width| *width > 0)?;
            let width = widest.max(TITLES.get(column).map_or(0, |title| title.len()));
            Some(format!("{cell:width$}"))
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let body: String = cells.iter().map(line).collect();
    colours.bold(line(&TITLES).trim_end()) + "\n" + &body
}
