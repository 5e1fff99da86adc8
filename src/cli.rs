//! The `postern` tool, for operators at a terminal. Native only.
//!
//! Each command is a file of its own with its name, its help and what it does; `COMMANDS` has
//! them all.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::ExitCode;

mod check;
mod explain;
mod key;
mod routes;
mod schema;

mod colours;
mod excerpt;
mod explanation;
mod file;
mod masked;
mod rehearsal;
mod report;
mod wording;

/// Every command, in the order of the help.
static COMMANDS: [Command; 5] = [check::COMMAND, explain::COMMAND, key::COMMAND, routes::COMMAND, schema::COMMAND];

/// A command of the tool.
struct Command {
    name: &'static str,
    /// What may follow the name.
    arguments: &'static str,
    /// What it does, in one line.
    about: &'static str,
    /// What else there is to know, in full sentences.
    details: &'static str,
    /// Does it; what it has to say goes to the writer.
    run: fn(lexopt::Parser, &mut dyn Write) -> Result<Outcome, Trouble>,
}

/// How a command ended that could do its work.
enum Outcome {
    /// Nothing is at fault.
    Fine,
    /// The file that it was given is refused.
    Refused,
}

/// Why a command could not do its work.
enum Trouble {
    /// It was called in a way that it does not know.
    Usage(String),
    /// A file cannot be read.
    File(String),
    /// What it has to say cannot be written.
    Output(io::Error),
}

impl From<lexopt::Error> for Trouble {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Runs the tool with its arguments; gives the exit status: 0 if all is fine, 1 if a file is refused,
/// 2 if the command could not do its work.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let mut out = io::stdout().lock();
    let ended = command(arguments.collect(), &mut out).and_then(|outcome| {
        out.flush()?;
        Ok(outcome)
    });
    match ended {
        Ok(Outcome::Fine) => return ExitCode::SUCCESS,
        Ok(Outcome::Refused) => return ExitCode::FAILURE,
        Err(Trouble::Usage(what)) => eprintln!("postern: {what}; see postern --help"),
        Err(Trouble::File(what)) => eprintln!("postern: {what}"),
        // Who reads no further (`postern schema | head`) wants no more said.
        Err(Trouble::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(Trouble::Output(error)) => eprintln!("postern: the output cannot be written: {error}"),
    }
    ExitCode::from(2)
}

/// Does what the arguments ask for.
fn command(mut arguments: Vec<OsString>, out: &mut dyn Write) -> Result<Outcome, Trouble> {
    let rest = arguments.split_off(arguments.len().min(1));
    let Some(name) = arguments.first().map(|name| name.to_string_lossy()) else {
        return Err(Trouble::Usage("needs a command".to_owned()));
    };
    match (name.as_ref(), rest.first()) {
        ("help", Some(name)) => write!(out, "{}", help_of(find(&name.to_string_lossy())?))?,
        ("help" | "--help" | "-h", _) => write!(out, "{}", help())?,
        ("--version" | "-V", _) => writeln!(out, "postern {}", env!("CARGO_PKG_VERSION"))?,
        (option, _) if option.starts_with('-') => return Err(Trouble::Usage(format!("there is no option {option}"))),
        (name, _) => {
            let command = find(name)?;
            let mut options = rest.iter().take_while(|argument| *argument != "--");
            if !options.any(|option| option == "--help" || option == "-h") {
                return (command.run)(lexopt::Parser::from_args(rest), out);
            }
            write!(out, "{}", help_of(command))?;
        }
    }
    Ok(Outcome::Fine)
}

fn find(name: &str) -> Result<&'static Command, Trouble> {
    COMMANDS
        .iter()
        .find(|command| command.name == name)
        .ok_or_else(|| Trouble::Usage(format!("there is no command {name:?}")))
}

fn help() -> String {
    let mut help = "The tool of Postern, an API gateway that is configured by routes.json.\n\n\
                    Usage: postern COMMAND [ARGUMENTS]\n\nCommands:\n"
        .to_owned();
    for command in &COMMANDS {
        let call = format!("{} {}", command.name, command.arguments);
        // Writing to a string cannot fail.
        let _ = writeln!(help, "  {call:<29} {}", command.about);
    }
    help + "\npostern help COMMAND tells more of one; postern --version tells the version.\n\
            Exit status: 0 if all is fine, 1 if a file is refused, 2 if the command could not do its work.\n"
}

fn help_of(command: &Command) -> String {
    let Command { name, arguments, about, details, .. } = command;
    let call = format!("postern {name} {arguments}");
    format!("{about}\n\nUsage: {}\n\n{details}\n", call.trim_end())
}
