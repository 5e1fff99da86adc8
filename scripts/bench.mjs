// `npm run bench`: Postern beside a bare JavaScript worker and Hono, in real workerd, and beside Envoy and nginx
// where there is something to hand on. benches/README.md tells what is counted, and what the arguments are.
import { parseArgs } from "node:util";
import { buildWasm } from "./build.mjs";
import { Fault, at, main, output, say } from "./run.mjs";
import { npmPackages } from "./setup.mjs";
import { cases } from "../benches/workerd/cases.mjs";
import { coldStarts } from "../benches/workerd/cold-start.mjs";
import { countedDuties } from "../benches/workerd/counted.mjs";
import { shareCores } from "../benches/workerd/cores.mjs";
import { processorTime } from "../benches/workerd/costs.mjs";
import { duties } from "../benches/workerd/duties.mjs";
import { memoryGrowth } from "../benches/workerd/memory-case.mjs";
import { besideTable, caseTable, countedTable, dutiesTable, memoryTable, sizesTable, startTable } from "../benches/workerd/report.mjs";
import { writeCounted, writeResults } from "../benches/workerd/results.mjs";
import { groups, measure } from "../benches/workerd/rounds.mjs";
import { natives, oha, versions } from "../benches/workerd/tools.mjs";
import { upstreamIs } from "../benches/workerd/upstream.mjs";

const WHOLE = { rounds: 7, seconds: 1.5, starts: 15, requests: 100_000 };
const QUICK = { rounds: 3, seconds: 0.5, starts: 5, requests: 10_000 };

/** What is no case of requests. */
const COLD_START = "cold-start";
const MEMORY = "memory";
const DUTIES = "duties";
const IN_WHOLE_RUN = [...Object.keys(cases), COLD_START, MEMORY, DUTIES];
/** What hangs on no clock, takes long, and is kept by itself. */
const COUNTED = "counted";
const NAMES = [...IN_WHOLE_RUN, COUNTED];

await main(async () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));
  const { names, settings, isWhole } = asked();
  await npmPackages();
  if (WebAssembly.JSTag === undefined) throw new Fault("This Node is too old for the Wasm. Run it again: the packages that are there now have one");
  await buildWasm("build");
  const tools = { oha: await oha(), natives: await natives() };
  const pinning = shareCores();
  const upstream = upstreamIs();
  say(`Cores: ${pinning}`);
  say(`Upstream: ${upstream}`);
  if (processorTime(process.pid) === null) say("Processor time and memory are told by Linux alone, and left out here");

  // What is measured is as of now, whatever is committed meanwhile.
  const commit = output("git", ["describe", "--always", "--dirty", "--exclude=*"]) ?? "unknown";
  const how = { ...settings, pinning, upstream, commit, versions: versions(tools.natives) };
  const { failed, ...results } = await measured(names, { ...settings, ...tools });
  if (names.includes(COUNTED)) {
    const counted = await countedDuties();
    for (const [job, counts] of counted) print(countedTable(job, counts));
    writeCounted(at("benches", "results"), counted, how);
  }
  // What is kept in the repository is of a whole run in which nothing was amiss.
  const folder = isWhole && failed.length === 0 ? at("benches", "results") : at("target", "bench");
  writeResults(folder, { ...results, requests: settings.requests, how });
  say(`Written to ${folder}: results.md and results.svg`);
  if (failed.length > 0) throw new Fault(`Failed: ${failed.join(", ")}`);
  process.exit(0);
});

/** What the arguments ask for. */
function asked() {
  const options = { quick: { type: "boolean" }, case: { type: "string", multiple: true }, rounds: { type: "string" }, seconds: { type: "string" } };
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    throw new Fault(error.message);
  }
  const names = values.case ?? IN_WHOLE_RUN;
  const unknown = names.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw new Fault(`There is no case ${unknown}; there are ${NAMES.join(", ")}`);
  const settings = { ...(values.quick ? QUICK : WHOLE) };
  for (const name of ["rounds", "seconds"]) {
    if (values[name] === undefined) continue;
    settings[name] = Number(values[name]);
    if (!(settings[name] > 0)) throw new Fault(`--${name} wants a number, not ${values[name]}`);
  }
  const isLong = settings.rounds >= WHOLE.rounds && settings.seconds >= WHOLE.seconds;
  return { names, settings, isWhole: values.case === undefined && !values.quick && isLong };
}

/**
 * Measures all that is asked for, and tells each as soon as it is known. One that fails is among the `failed`, and the
 * others go on: what took so long is not to be lost.
 */
async function measured(names, settings) {
  const found = { cases: new Map(), coldStarts: new Map(), memory: new Map(), duties: new Map(), failed: [] };
  const attempt = async (ofThese, step) => {
    try {
      await step();
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      console.error(`✗ ${fault.message}`);
      found.failed.push(...ofThese);
    }
  };
  for (const group of groups(names.filter((name) => cases[name] !== undefined))) {
    await attempt(group, async () => showCases(found.cases, await measure(group, settings)));
  }
  if (names.includes(COLD_START)) {
    await attempt([COLD_START], async () => {
      found.coldStarts = await coldStarts(settings);
      for (const [size, contestants] of found.coldStarts) print(startTable(size, contestants));
    });
  }
  if (names.includes(MEMORY)) {
    await attempt([MEMORY], async () => {
      found.memory = await memoryGrowth(settings);
      for (const [name, growth] of found.memory) print(memoryTable(name, growth, settings.requests));
    });
  }
  if (names.includes(DUTIES)) {
    await attempt([DUTIES], async () => {
      found.duties = await duties(settings);
      for (const [job, byHand] of found.duties) print(dutiesTable(job, byHand));
    });
  }
  return found;
}

function showCases(all, measured) {
  for (const [name, result] of measured) {
    if (all.size === 0 && cases[name].routes === undefined) print(sizesTable(result.contestants));
    all.set(name, result);
    print(caseTable(name, result));
    if (cases[name].beside) print(besideTable(name, all));
  }
}

function print(text) {
  if (text !== "") console.log(`\n${text}\n`);
}
