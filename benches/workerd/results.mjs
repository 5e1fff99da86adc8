// Puts results where they are kept: a page of tables, and a plot.
import { mkdirSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { cases } from "./cases.mjs";
import { BARE, HONO } from "./contestants.mjs";
import { plot } from "./plot.mjs";
import { METRICS, STARTS, besideTable, caseTable, countedTable, dutiesTable, memoryTable, sizesTable, startTable, summaryTable } from "./report.mjs";
import { TAIL } from "./rounds.mjs";
import { ratio } from "./statistics.mjs";

/** What was found: `cases`, `coldStarts`, `memory` and `duties` may be empty, `how` says how it was measured. */
export function writeResults(folder, results) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "results.md"), page(results));
  writeFileSync(path.join(folder, "results.svg"), plot(figures(results), [`Postern ÷ ${BARE}`, `Postern ÷ ${HONO}`]));
}

/** Puts what was counted where it is kept. */
export function writeCounted(folder, counted, { commit, versions }) {
  const parts = [
    "# Results of `npm run bench -- --case counted`",
    `Of ${today()}, commit ${commit}; ${listed(versions)}. For each request, what \`workerd\` takes of the processor outside the kernel: instructions, and how often one has to be fetched because a cache of 32 KB does not have it. The [README](../README.md) says how.`,
  ];
  for (const [job, counts] of counted) parts.push(countedTable(job, counts));
  writeFileSync(path.join(folder, "counted.md"), `${parts.join("\n\n")}\n`);
}

const today = () => new Date().toISOString().slice(0, 10);
const listed = (versions) => Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ");

function page({ cases: measured, coldStarts, memory, duties, requests, how }) {
  const parts = ["# Results of `npm run bench`", `${setting(how)}`, "What the columns and cases mean is in the [README](../README.md).", "![Ratios, as bars](results.svg)"];
  if (measured.size > 0) {
    parts.push("## Postern beside the others", "Medians of the rounds' ratios, and their quartiles. Of CPU and p99, less is better; of requests/s, more.");
    parts.push(summaryTable(measured));
    const sized = [...measured].find(([name]) => cases[name].routes === undefined);
    if (sized) parts.push("## Code", sizesTable(sized[1].contestants));
    parts.push("## Cases");
    for (const [name, result] of measured) {
      parts.push(caseTable(name, result));
      if (cases[name].beside) parts.push(besideTable(name, measured));
    }
  }
  if (coldStarts.size > 0) parts.push("## Cold start");
  for (const [size, contestants] of coldStarts) parts.push(startTable(size, contestants));
  if (memory.size > 0) parts.push("## Memory");
  for (const [name, growth] of memory) parts.push(memoryTable(name, growth, requests));
  if (duties.size > 0) parts.push("## Duties");
  for (const [job, byHand] of duties) parts.push(dutiesTable(job, byHand));
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

/** The cases that are paced for longer. */
const paced = Object.keys(cases).filter((name) => cases[name].tellsTail).join(", ");

function setting({ rounds, seconds, starts, pinning, upstream, commit, versions }) {
  const memory = `${(os.totalmem() / 2 ** 30).toFixed(0)} GiB`;
  const lines = [
    ["Of", `${today()}, commit ${commit}`],
    ["Machine", `${os.cpus().length} cores of ${os.cpus()[0].model.trim()}, ${memory}, ${os.type()} ${os.release()}`],
    ["Cores", pinning],
    ["Upstream", upstream],
    ["Rounds", `${rounds}, ${seconds} s at saturation and as long at a fixed rate, ${paced} ${TAIL} times as long; ${starts} cold starts`],
    ["Versions", listed(versions)],
  ];
  return lines.map(([what, is]) => `- ${what}: ${is}`).join("\n");
}

function figures({ cases: measured, coldStarts }) {
  const found = [];
  if (measured.size > 0) {
    const of = (name, metric) => pairs(metric, (contestant) => measured.get(name).contestants.get(contestant).rounds);
    found.push({
      title: "Postern beside the same in JavaScript",
      rows: [...measured.keys()],
      panels: [
        { title: "CPU time per request: left is better", ratios: (name) => of(name, METRICS.processor) },
        { title: "Requests/s: right is better", ratios: (name) => of(name, METRICS.perSecond) },
        { title: "p99 at a fixed rate: left is better", ratios: (name) => of(name, METRICS.p99) },
      ],
    });
  }
  if (coldStarts.size > 0) {
    const sizes = new Map([...coldStarts].map(([size, starts]) => [`${size.toLocaleString("en")} routes`, starts]));
    const of = (row, metric) => pairs(metric, (contestant) => sizes.get(row).get(contestant));
    found.push({
      title: "Cold start",
      rows: [...sizes.keys()],
      panels: [
        { title: "Time to the first answer: left is better", ratios: (row) => of(row, STARTS.first) },
        { title: "CPU time until then: left is better", ratios: (row) => of(row, STARTS.processor) },
      ],
    });
  }
  return found;
}

/** Postern's ratio to each of the two. */
const pairs = ({ of }, roundsOf) => {
  const ours = roundsOf("Postern");
  return [BARE, HONO].map((other) => (of(ours[0]) === null ? null : ratio(of, ours, roundsOf(other))));
};
