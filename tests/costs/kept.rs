//! The numbers of `tests/costs.md`. `scripts/costs.mjs` is the same for what is counted elsewhere.

const FILE: &str = "tests/costs.md";

/// Compares a count with the one that is kept in a row and column. Gives what is to be said of it, in a line;
/// nothing if it is the same. With `POSTERN_BLESS=1` it is kept from now on.
pub fn compared(row: &str, column: &str, counted: u64) -> Option<String> {
    let text = std::fs::read_to_string(FILE).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let Some((line, cell)) = place(&lines, row, column) else {
        return Some(format!("{row}: {FILE} has no such row with {column}; add it, with empty cells"));
    };
    let mut cells = cells(&lines[line]);
    let kept = std::mem::replace(&mut cells[cell], counted.to_string());
    if kept == cells[cell] {
        return None;
    }
    if std::env::var_os("POSTERN_BLESS").is_some() {
        lines[line] = format!("| {} |", cells.join(" | "));
        std::fs::write(FILE, lines.join("\n") + "\n").unwrap();
        return None;
    }
    let (was, advice) = match kept.parse() {
        Ok::<u64, _>(was) if counted < was => (kept, "that is better: keep it"),
        Ok(_) => (kept, "make it less, or keep it and say why in the commit"),
        Err(_) => ("nothing".to_owned(), "keep it"),
    };
    Some(format!("{row}: {column} was {was}, is {counted}; {advice}: POSTERN_BLESS=1 cargo test costs"))
}

/// The names of the rows of the table that has a column, in their order.
pub fn rows(column: &str) -> Vec<String> {
    let text = std::fs::read_to_string(FILE).unwrap();
    let table = text.lines().skip_while(|line| !cells(line).iter().any(|cell| cell == column));
    table.skip(2).take_while(|line| line.starts_with('|')).map(|line| cells(line)[0].clone()).collect()
}

/// The line of a row and the cell of a column in it.
fn place(lines: &[String], row: &str, column: &str) -> Option<(usize, usize)> {
    let (head, cell) = lines.iter().enumerate().find_map(|(at, line)| {
        let cell = cells(line).iter().position(|cell| cell == column)?;
        Some((at, cell))
    })?;
    let table = lines.iter().enumerate().skip(head).take_while(|(_, line)| line.starts_with('|'));
    let found = table.map(|(at, line)| (at, cells(line))).find(|(_, cells)| cells[0] == row);
    found.filter(|(_, cells)| cells.len() > cell).map(|(at, _)| (at, cell))
}

/// The cells of a line; of one that is no row of a table, none.
fn cells(line: &str) -> Vec<String> {
    let inside = line.strip_prefix('|').and_then(|line| line.trim_end().strip_suffix('|'));
    inside.map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect()).unwrap_or_default()
}
