// `npm run bench`: Postern beside a bare JavaScript worker and Hono, in real workerd. `--quick` for a
// short run, `--case NAME` for one case. benches/README.md tells what is counted.
import { parseArgs } from "node:util";
import { buildWasm } from "./build.mjs";
import { Fault, main, say } from "./run.mjs";
import { npmPackages } from "./setup.mjs";
import { YARDSTICK, answerAlike, startContenders } from "../benches/workerd/contestants.mjs";
import { cases } from "../benches/workerd/cases.mjs";
import { load, processorTime } from "../benches/workerd/load.mjs";

const AT_ONCE = 8;
const WHOLE = { rounds: 9, share: 1 };
const QUICK = { rounds: 3, share: 0.3 };

const COLUMNS = [
  { head: "CPU ms/request", of: (round) => round.processor, digits: 3 },
  { head: "p50 ms", of: (round) => round.p50, digits: 1 },
  { head: "p99 ms", of: (round) => round.p99, digits: 1 },
  { head: "requests/s", of: (round) => round.perSecond, digits: 0 },
];

await main(async () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));
  const { names, rounds, share } = asked();
  await npmPackages();
  await buildWasm("build");
  if (processorTime(process.pid) === null) say("Processor time is told by Linux alone, and left out here");
  for (const name of names) await measure(name, rounds, share);
  process.exit(0);
});

/** What the arguments ask for. */
function asked() {
  let values;
  try {
    ({ values } = parseArgs({ options: { quick: { type: "boolean" }, case: { type: "string", multiple: true } } }));
  } catch (error) {
    throw new Fault(error.message);
  }
  const names = values.case ?? Object.keys(cases);
  const unknown = names.find((name) => cases[name] === undefined);
  if (unknown !== undefined) throw new Fault(`There is no case ${unknown}; there are ${Object.keys(cases).join(", ")}`);
  return { names, ...(values.quick ? QUICK : WHOLE) };
}

/** Measures a case: in each round every contender gets the same load, one after the other. */
async function measure(name, rounds, share) {
  const { about } = cases[name];
  const requests = Math.ceil(cases[name].requests * share);
  const { contenders, stop } = await startContenders();
  await answerAlike(contenders, name);
  const entries = Object.entries(contenders);
  const results = new Map(entries.map(([contender]) => [contender, []]));
  for (let round = 0; round <= rounds; round += 1) {
    say(round === 0 ? `${name}: warming up` : `${name}: round ${round} of ${rounds}`);
    // Who is first has no advantage of it.
    const turns = [...entries.slice(round % entries.length), ...entries.slice(0, round % entries.length)];
    for (const [contender, { port, pid }] of turns) {
      const { headers } = cases[name];
      const result = await oneRound({ port, pid, path: `/${name}`, headers, first: round * requests, requests });
      if (round > 0) results.get(contender).push(result);
    }
  }
  stop();
  console.log(table(`${name}: ${about}; ${rounds} rounds of ${requests} requests, ${AT_ONCE} at once`, results));
}

async function oneRound({ port, pid, path, headers, first, requests }) {
  // Made beforehand: they are not what is measured.
  for (let number = first; number < first + requests; number += 1) headers?.(number);
  const before = processorTime(pid);
  const { took, all } = await load({ port, path, headers, first, requests, atOnce: AT_ONCE });
  const processor = before === null ? null : (processorTime(pid) - before) / requests;
  const at = (share) => took[Math.min(took.length - 1, Math.floor(took.length * share))];
  return { processor, p50: at(0.5), p99: at(0.99), perSecond: (1000 * requests) / all };
}

/** The medians of the rounds, and of each round's ratio to the yardstick's. */
function table(title, results) {
  const columns = COLUMNS.filter(({ of }) => of(results.get(YARDSTICK)[0]) !== null);
  const lines = [["", ...columns.map(({ head }) => head)]];
  for (const [contender, rounds] of results) {
    const cells = columns.map(({ of, digits }) => {
      const ratios = rounds.map((round, at) => of(round) / of(results.get(YARDSTICK)[at]));
      return `${median(rounds.map(of)).toFixed(digits)}  ×${median(ratios).toFixed(2)}`;
    });
    lines.push([contender, ...cells]);
  }
  const width = (column) => Math.max(...lines.map((line) => line[column].length));
  const line = (cells) => cells.map((cell, at) => (at === 0 ? cell.padEnd(width(at)) : cell.padStart(width(at)))).join("   ");
  return `\n${title}\n  ${lines.map(line).join("\n  ")}\n`;
}

function median(numbers) {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}
