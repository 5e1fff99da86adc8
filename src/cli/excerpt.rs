//! The line of a file that a message is about, with a mark below the place.

use crate::settings::position::Position;

/// The most characters of a line that are shown; a file may be one line.
const WIDTH: usize = 120;
/// Of those, how many stand before the place at least, if there are as many.
const BEFORE: usize = 40;

/// Two lines: the numbered line of the text, or the part of a long one that is around the place, and
/// the mark below it.
pub(super) fn excerpt(text: &str, position: Position, mark: &str) -> String {
    let line = text.split('\n').nth(position.line - 1).unwrap_or_default().trim_end_matches('\r');
    let length = line.chars().count();
    let place = position.column - 1;
    let start = if length > WIDTH { place.saturating_sub(BEFORE).min(length - WIDTH) } else { 0 };
    let shown: String = line.chars().skip(start).take(WIDTH).map(visible).collect();
    let (cut_before, cut_after) = (start > 0, start + WIDTH < length);
    let before = if cut_before { "…" } else { "" };
    let after = if cut_after { "…" } else { "" };
    // What stands above decides how wide a tab is.
    let indent = shown.chars().take(place - start).map(|character| if character == '\t' { '\t' } else { ' ' });
    let indent: String = before.chars().map(|_| ' ').chain(indent).collect();
    let number = position.line;
    format!("{number:>8} | {before}{shown}{after}\n         | {indent}{mark}\n")
}

/// A text of the file, with a sign in place of each character that a terminal would obey.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(visible).collect()
}

fn visible(character: char) -> char {
    if character.is_control() && character != '\t' { '\u{fffd}' } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt_at(text: &str, line: usize, column: usize) -> String {
        excerpt(text, Position { line, column }, "^")
    }

    #[test]
    fn the_mark_is_below_the_place() {
        let table = [
            ("{\r\n\t\"a\": 1\r\n}", 2, 2, "       2 | \t\"a\": 1\n         | \t^\n"),
            ("{\"ä€\": 1, \"b\": 2}", 1, 11, "       1 | {\"ä€\": 1, \"b\": 2}\n         |           ^\n"),
            ("", 1, 1, "       1 | \n         | ^\n"),
            ("[\x1b[2J", 1, 2, "       1 | [\u{fffd}[2J\n         |  ^\n"),
        ];
        for (text, line, column, expected) in table {
            assert_eq!(excerpt_at(text, line, column), expected, "of {text:?}");
        }
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let line: String = (b'a'..=b'z').cycle().take(1000).map(char::from).collect();
        for column in [1, 40, 41, 42, 500, 940, 941, 960, 1000] {
            let said = excerpt_at(&line, 1, column);
            let mut rows = said.lines();
            let (shown, marked) = (rows.next().unwrap(), rows.next().unwrap());
            let above = shown.chars().nth(marked.chars().count() - 1);
            assert_eq!(above, line.chars().nth(column - 1), "at {column}: {shown}");
            assert!(shown.chars().count() <= 11 + WIDTH + 2, "at {column}: {shown}");
        }
    }
}
