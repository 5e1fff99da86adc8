//! What there is to say of a file, for people and for programs.

use serde::Serialize;

use super::colours::Colours;
use super::excerpt::{excerpt, printable};
use super::file::File;
use super::masked::without_secrets;
use crate::settings::position::{Position, Positions};
use crate::settings::{Node, Problem, Severity};

/// All that there is to say of a file.
#[derive(Serialize)]
pub(super) struct Report {
    file: String,
    problems: Vec<Entry>,
    /// The text of the file, without what may be a secret.
    #[serde(skip)]
    shown: String,
}

/// A problem with its position.
#[derive(Serialize)]
struct Entry {
    severity: &'static str,
    pointer: String,
    line: usize,
    column: usize,
    message: String,
    help: Option<String>,
}

impl Report {
    /// A report of the problems of a file.
    pub(super) fn new(file: &File, problems: &[Problem]) -> Self {
        let text = &file.text;
        let positions = Positions::of(text);
        let not_json = serde_json::from_str::<Node>(text).err();
        let entries = problems.iter().map(|problem| {
            let position = match &not_json {
                Some(error) => Position::of_error(text, error),
                None => positions.of_place(problem.place.keys()),
            };
            // serde_json tells the position too.
            let told = not_json.iter().map(|error| format!(" at line {} column {}", error.line(), error.column()));
            let message = told.fold(&*problem.message, |message, told| message.strip_suffix(&told).unwrap_or(message));
            Entry {
                severity: match problem.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                },
                pointer: problem.place.to_string(),
                line: position.line,
                column: position.column,
                message: message.to_owned(),
                help: problem.help.clone(),
            }
        });
        let told = problems.iter().filter(|problem| !problem.is_about_secret && problem.may_show_value());
        let told: Vec<_> = told.map(|problem| positions.value_at(problem.place.keys())).collect();
        let shown = without_secrets(text, &told);
        Self { file: file.name.clone(), problems: entries.collect(), shown }
    }

    /// Whether the gateway refuses the file.
    pub(super) fn is_refused(&self) -> bool {
        self.count("error") > 0
    }

    /// As one JSON object.
    pub(super) fn to_json(&self) -> String {
        // Texts and numbers can always be written as JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// As lines to be read, the last one with the outcome.
    pub(super) fn to_text(&self, colours: Colours) -> String {
        let entries: String = self.problems.iter().map(|entry| self.entry(entry, colours)).collect();
        entries + &self.outcome(colours) + "\n"
    }

    fn entry(&self, entry: &Entry, colours: Colours) -> String {
        let Entry { line, column, pointer, message, .. } = entry;
        let is_error = entry.severity == "error";
        let place = colours.bold(format!("{}:{line}:{column}:", self.file));
        let label = if is_error { String::new() } else { colours.yellow("warning: ") };
        let pointer = if pointer.is_empty() { String::new() } else { printable(pointer) + ": " };
        let mark = if is_error { colours.red("^") } else { colours.yellow("^") };
        let excerpt = excerpt(&self.shown, Position { line: *line, column: *column }, &mark);
        let help = entry.help.iter().map(|help| format!("    {} {}\n", colours.cyan("help:"), printable(help)));
        format!("{place} {label}{pointer}{}\n{excerpt}{}", printable(message), help.collect::<String>())
    }

    fn outcome(&self, colours: Colours) -> String {
        let warnings = match self.count("warning") {
            0 => String::new(),
            count => format!(", {}", counted(count, "warning")),
        };
        match self.count("error") {
            0 => colours.green(format!("{} is fine{warnings}", self.file)),
            count => colours.red(format!("{} is refused: {}{warnings}", self.file, counted(count, "fault"))),
        }
    }

    fn count(&self, severity: &str) -> usize {
        self.problems.iter().filter(|entry| entry.severity == severity).count()
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
