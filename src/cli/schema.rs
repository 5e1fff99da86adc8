//! `postern schema`: what an editor needs to know of `routes.json`.

use std::io::Write;

use super::{Command, Outcome, Trouble};
use crate::config;

pub(super) const COMMAND: Command = Command {
    name: "schema",
    arguments: "",
    about: "Prints the JSON Schema of routes.json, for editors",
    details: "It is of draft 2020-12. The project keeps it as routes.schema.json; a file that begins with\n\
              { \"$schema\": \"./routes.schema.json\" is completed and explained by an editor that knows schemas.\n\
              The schema accepts every file that the gateway accepts, and some that it refuses: postern check\n\
              has the last word.",
    run,
};

fn run(mut arguments: lexopt::Parser, out: &mut dyn Write) -> Result<Outcome, Trouble> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    writeln!(out, "{:#}", config::schema().as_value())?;
    Ok(Outcome::Fine)
}
