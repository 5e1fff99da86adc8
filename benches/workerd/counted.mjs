// What the duties of a gateway cost in instructions, counted by valgrind: no machine is simulated but a cache for
// instructions, and no clock plays a part.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Fault, fromNpm, output, run, say } from "../../scripts/run.mjs";
import { answering, freePort } from "../../tests/workers/harness.mjs";
import { cases } from "./cases.mjs";
import { workers } from "./duties.mjs";
import { variedLoad } from "./load-varied.mjs";
import { end, start, temporaryFolder } from "./processes.mjs";
import { SECRET } from "./tokens.mjs";
import { startUpstream } from "./upstream.mjs";

/** The jobs, by the names of their cases: how many requests are counted, and of which case those are that come before. */
const JOBS = {
  "forward-1k": { requests: 2000, after: "forward-1k" },
  // Of 1 KB are those before: they take less long, and V8 has the same to compile.
  "forward-1m": { requests: 500, after: "forward-1k" },
  "bad-token": { requests: 2000, after: "bad-token" },
  "bad-tokens": { requests: 2000, after: "bad-tokens" },
};

/** How many requests come before those that are counted: V8 has compiled by then what comes often. */
const WARM_UP = 4000;

/** How many requests are under way at once. */
const AT_ONCE = 8;

/** How long workerd may take to answer: valgrind makes it some fifty times as slow. */
const UNTIL_UP = 120_000;

const CALLGRIND = ["--tool=callgrind", "--instr-atstart=no", "--cache-sim=yes", "--I1=32768,8,64", "--smc-check=all-non-file"];

/** V8 compiles in the turn in which it finds that it should, and the Wasm sooner, so that nothing hangs on how fast threads are. */
const V8 = ["--no-concurrent-recompilation", "--wasm-tiering-budget=300000"];

/** Gives for each job, by what is done, the `instructions` of a request and how many of them are `fetched` from beyond the cache. */
export async function countedDuties() {
  if (output("valgrind", ["--version"]) === null) throw new Fault("Without valgrind, no instructions are counted");
  const found = new Map();
  for (const name of Object.keys(JOBS)) found.set(name, await countedOf(name));
  return found;
}

async function countedOf(name) {
  const { folder, remove } = temporaryFolder();
  const upstream = await startUpstream(path.join(folder, "upstream"));
  const counts = new Map();
  try {
    for await (const [does, worker] of workers(name, folder, upstream.url)) {
      say(`counting, ${name}: ${does}`);
      counts.set(does, await counted(name, worker));
    }
  } finally {
    await end(upstream.child);
    remove();
  }
  return counts;
}

/** What a request takes of a worker. */
async function counted(name, { folder, config }) {
  const port = await freePort();
  const flags = V8.map((flag) => JSON.stringify(flag)).join();
  writeFileSync(path.join(folder, "counted.capnp"), config(port).replace("Workerd.Config = (", `Workerd.Config = ( v8Flags = [${flags}],`));
  const out = path.join(folder, "callgrind");
  const args = [...CALLGRIND, `--callgrind-out-file=${out}`, fromNpm("workerd"), "serve", "--experimental", "counted.capnp"];
  const child = start("valgrind", args, { cwd: folder, env: { ...process.env, JWT_SECRET: SECRET } });
  const control = (...what) => run("callgrind_control", [...what, String(child.pid)], { stdio: "ignore" });
  const { requests, after } = JOBS[name];
  let next = 0;
  const ask = async (asked, requests) => {
    const { headers = () => ({}), status = 200 } = cases[asked];
    const { statuses, errors } = await variedLoad({ port, path: `/${asked}`, headers, next: () => (next += 1) }, { requests }, AT_ONCE);
    if (statuses[status] !== requests) throw new Fault(`${asked} answers with ${JSON.stringify({ ...statuses, ...errors })}, not with ${status} alone`);
  };
  try {
    await answering(port, child, UNTIL_UP);
    await ask(after, WARM_UP);
    await control("--instr=on");
    // The simulated cache is empty at first.
    await ask(name, 100);
    await control("--zero");
    await ask(name, requests);
    await control("--dump");
    return told(`${out}.1`, requests);
  } finally {
    await end(child);
  }
}

/** The totals of a dump, by request. */
function told(dump, requests) {
  const line = (name) => new RegExp(`^${name}: (.*)$`, "m").exec(readFileSync(dump, "utf8"))[1].split(" ");
  const totals = line("totals");
  const of = (event) => Number(totals[line("events").indexOf(event)]) / requests;
  return { instructions: of("Ir"), fetched: of("I1mr") };
}
