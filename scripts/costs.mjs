// The numbers of tests/costs.md, for what is counted in JavaScript; tests/costs/kept.rs is the same for Rust.
import { readFileSync, writeFileSync } from "node:fs";
import { at } from "./run.mjs";

const FILE = "tests/costs.md";

/**
 * Compares a count with the one that is kept in a row and column; it may differ by a share of `tolerance`.
 * Gives what is to be said of it, in a line; null if nothing is. With `POSTERN_BLESS=1` the count is kept
 * from now on. `command` is what counts it.
 */
export function compared(row, column, counted, { tolerance = 0, command }) {
  const lines = readFileSync(at(FILE), "utf8").split("\n");
  const place = placeOf(lines, row, column);
  if (place === null) return `${row}: ${FILE} has no such row with ${column}; add it, with empty cells`;
  const cells = cellsOf(lines[place.line]);
  const kept = cells[place.cell];
  if (kept !== "" && Math.abs(counted - kept) <= kept * tolerance) return null;
  if (process.env.POSTERN_BLESS) {
    cells[place.cell] = String(counted);
    lines[place.line] = `| ${cells.join(" | ")} |`;
    writeFileSync(at(FILE), lines.join("\n"));
    return null;
  }
  return `${row}: ${column} was ${kept || "nothing"}, is ${counted}; ${advice(kept, counted)}: POSTERN_BLESS=1 ${command}`;
}

function advice(kept, counted) {
  if (kept === "") return "keep it";
  return counted < kept ? "that is better: keep it" : "make it less, or keep it and say why in the commit";
}

/** The line of a row, and the cell of a column in it. */
function placeOf(lines, row, column) {
  const head = lines.findIndex((line) => cellsOf(line).includes(column));
  if (head < 0) return null;
  const cell = cellsOf(lines[head]).indexOf(column);
  for (let line = head; lines[line].startsWith("|"); line += 1) {
    const cells = cellsOf(lines[line]);
    if (cells[0] === row && cells.length > cell) return { line, cell };
  }
  return null;
}

/** The cells of a line; of one that is no row of a table, none. */
function cellsOf(line) {
  const inside = /^\|(.*)\|\s*$/.exec(line)?.[1];
  return inside === undefined ? [] : inside.split("|").map((cell) => cell.trim());
}
