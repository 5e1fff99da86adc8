// What the results say, as tables: in Markdown that is legible as text, too.
import { cases } from "./cases.mjs";
import { BARE, BESIDE_WASM, HONO } from "./contestants.mjs";
import { median, ratio } from "./statistics.mjs";

const MB = 1_000_000;

/** Who is compared with whom, where both are there. */
const PAIRS = [
  ["Postern", BARE],
  ["Postern", HONO],
  [HONO, BARE],
  [BESIDE_WASM, BARE],
  ["Postern", "Envoy"],
  ["Postern", "nginx"],
];

/** What is told of each round of a case; `isCompared` where a ratio says something. */
export const METRICS = {
  processor: { head: () => "CPU ms/request", of: (round) => round.processor, digits: 3, isCompared: true },
  perSecond: { head: () => "requests/s", of: (round) => round.perSecond, digits: 0, isCompared: true },
  p50: { head: (rate) => `p50 ms at ${rate}/s`, of: (round) => round.p50, digits: 2, isCompared: true },
  p99: { head: (rate) => `p99 ms at ${rate}/s`, of: (round) => round.p99, digits: 2, isCompared: true },
  inUse: { head: () => "% of its core in use", of: (round) => round.inUse, digits: 0 },
};

/** What is told of each start. */
export const STARTS = {
  first: { head: () => "ms to the first answer", of: (start) => start.first, digits: 1, isCompared: true },
  processor: { head: () => "CPU ms until then", of: (start) => start.processor, digits: 1, isCompared: true },
};

/** A case: a line for each metric, a column for each contestant and each pair. */
export function caseTable(name, { rate, contestants }) {
  const rounds = new Map([...contestants].map(([contestant, { rounds }]) => [contestant, rounds]));
  const memory = ["memory MB in the end", ...[...contestants.values()].map(({ memory }) => (memory === null ? "" : (memory / MB).toFixed(0)))];
  return `### ${name}\n\n${cases[name].about[0].toUpperCase()}${cases[name].about.slice(1)}.\n\n${table(compared(METRICS, rounds, rate, [memory]))}`;
}

/** The cases that were measured beside another: how much of it, by contestant. */
export function besideTable(name, results) {
  const other = cases[name].beside;
  if (!results.has(other)) return "";
  const [ours, theirs] = [results.get(name).contestants, results.get(other).contestants];
  const lines = Object.values(METRICS)
    .filter(({ isCompared, of }) => isCompared && of([...ours.values()][0].rounds[0]) !== null)
    .filter((metric) => metric === METRICS.processor || metric === METRICS.perSecond)
    .map(({ head, of }) => [head(), ...[...ours.keys()].map((each) => spread(ratio(of, ours.get(each).rounds, theirs.get(each).rounds)))]);
  return `### ${name} ÷ ${other}\n\n${table([["", ...ours.keys()], ...lines])}`;
}

/** Starts with so many routes. */
export const startTable = (size, contestants) => `### ${size.toLocaleString("en")} routes\n\n${table(compared(STARTS, contestants))}`;

/** The memory before and after many requests of a case. */
export function memoryTable(name, results, requests) {
  const heads = ["MB", "before", `after ${requests.toLocaleString("en")} requests`, "growth"];
  const lines = [...results].map(([contestant, { before, after }]) => {
    if (before === null) return [contestant, "", "", ""];
    return [contestant, ...[before, after, after - before].map((bytes) => (bytes / MB).toFixed(1))];
  });
  return `### ${name}\n\n${table([heads, ...lines])}`;
}

/** What the duties of a job cost by hand: each line has those above it too. */
export function dutiesTable(job, duties) {
  const [bare] = duties.values();
  const lines = [...duties].map(([name, rounds]) => [name, median(rounds).toFixed(3), spread(ratio((each) => each, rounds, bare))]);
  return table([[job, "CPU ms/request", "÷ the first"], ...lines]);
}

/** The same in instructions. */
export function countedTable(job, counts) {
  const [bare] = counts.values();
  const lines = [...counts].map(([name, { instructions, fetched }]) => [
    name,
    instructions.toFixed(0),
    (instructions / bare.instructions).toFixed(2),
    fetched.toFixed(0),
    (fetched / bare.fetched).toFixed(2),
  ]);
  return table([[job, "instructions", "÷ the first", "fetches", "÷ the first"], ...lines]);
}

/** The gzipped code of those that are workers. */
export function sizesTable(contestants) {
  const kilo = (bytes) => (bytes / 1000).toFixed(1);
  const lines = [...contestants]
    .filter(([, { sizes }]) => sizes !== undefined)
    .map(([contestant, { sizes: { script, wasm } }]) => [contestant, kilo(script), kilo(wasm), kilo(script + wasm)]);
  return table([["KB, gzipped", "JavaScript", "Wasm", "in all"], ...lines]);
}

/** What Postern is of the others, in a line for each case. */
export function summaryTable(results) {
  const columns = ["processor", "perSecond", "p99"].flatMap((metric) => [BARE, HONO].map((other) => ({ metric: METRICS[metric], other })));
  const head = { [METRICS.processor.head()]: "CPU", [METRICS.perSecond.head()]: "requests/s", [METRICS.p99.head()]: "p99" };
  const heads = columns.map(({ metric, other }) => `${head[metric.head()]} ÷ ${other}`);
  const lines = [...results].map(([name, { contestants }]) => [
    name,
    ...columns.map(({ metric: { of }, other }) => {
      const [ours, theirs] = [contestants.get("Postern").rounds, contestants.get(other).rounds];
      return of(ours[0]) === null ? "" : spread(ratio(of, ours, theirs));
    }),
  ]);
  return table([["", ...heads], ...lines]);
}

/** The lines of metrics that were told: medians, and the ratios of pairs. */
function compared(metrics, contestants, rate, more = []) {
  const names = [...contestants.keys()];
  const pairs = PAIRS.filter((pair) => pair.every((name) => contestants.has(name)));
  const lines = Object.values(metrics)
    .filter(({ of }) => of(contestants.get(names[0])[0]) !== null)
    .map(({ head, of, digits, isCompared }) => [
      head(rate),
      ...names.map((name) => median(contestants.get(name).map(of)).toFixed(digits)),
      ...pairs.map(([one, other]) => (isCompared ? spread(ratio(of, contestants.get(one), contestants.get(other))) : "")),
    ]);
  const heads = ["", ...names, ...pairs.map(([one, other]) => `${one} ÷ ${other}`)];
  return [heads, ...lines, ...more.map((line) => [...line, ...pairs.map(() => "")])];
}

const spread = ({ median, low, high }) => `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;

/** A Markdown table whose columns stand under one another. */
function table([heads, ...lines]) {
  const width = heads.map((_, column) => Math.max(3, ...[heads, ...lines].map((line) => line[column].length)));
  const cell = (text, column) => (column === 0 ? text.padEnd(width[column]) : text.padStart(width[column]));
  const rule = width.map((wide, column) => (column === 0 ? "-".repeat(wide) : `${"-".repeat(wide - 1)}:`));
  return [heads, rule, ...lines].map((line) => `| ${line.map(cell).join(" | ")} |`).join("\n");
}
