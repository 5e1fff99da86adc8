// How long a start takes: `workerd serve` anew each time, from its spawning to the first answer, and the processor
// time that it has had by then. Its configuration is compiled before: to read the text of one, with what it embeds, takes
// some 8 ms for each MB, which no isolate has to do.
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { Fault, say } from "../../scripts/run.mjs";
import { BESIDE_WASM, WORKERS, compileConfig, serveCompiled } from "./contestants.mjs";
import { pathInTheMiddle } from "./many-routes.mjs";
import { end, temporaryFolder } from "./processes.mjs";
import { bareBesideWasmIn } from "./workers.mjs";

export const SIZES = [10, 1_000, 5_000];
/** Who starts: one more, which tells how much of Postern's start the runtime has for a Wasm of that size. */
const STARTED = { ...WORKERS, [BESIDE_WASM]: bareBesideWasmIn };
/** None is called before the first answer. */
const NO_UPSTREAM = "http://127.0.0.1:9";
const PATIENCE = 30_000;

/** Gives for each number of routes, by contestant, what each start took: `first` in ms, `processor` in ms. */
export async function coldStarts({ starts }) {
  const { folder, remove } = temporaryFolder();
  const entries = [];
  for (const size of SIZES) {
    for (const [name, folderOf] of Object.entries(STARTED)) {
      const worker = await folderOf(path.join(folder, `${name}-${size}`), NO_UPSTREAM, size);
      compileConfig(worker);
      entries.push({ size, name, worker, starts: [] });
    }
  }
  // The first fills the caches of the disk, and does not count.
  for (let round = 0; round <= starts; round += 1) {
    say(`cold start: ${round === 0 ? "warming up the disk" : `${round} of ${starts}`}`);
    const turns = [...entries.slice(round % entries.length), ...entries.slice(0, round % entries.length)];
    for (const entry of turns) {
      const took = await oneStart(entry);
      if (round > 0) entry.starts.push(took);
    }
  }
  remove();
  return new Map(SIZES.map((size) => [size, new Map(entries.filter((entry) => entry.size === size).map(({ name, starts }) => [name, starts]))]));
}

async function oneStart({ size, name, worker }) {
  const begun = performance.now();
  const { port, child } = await serveCompiled(worker);
  try {
    const status = await firstStatus(port, pathInTheMiddle(size), child, begun);
    const first = performance.now() - begun;
    const processor = processorTimeExactly(child.pid);
    if (status !== "200") throw new Fault(`${name} with ${size} routes answers with ${status} at first`);
    return { first, processor };
  } finally {
    await end(child);
  }
}

/** The status of the first answer; asked for again every millisecond until there is one. */
async function firstStatus(port, target, child, begun) {
  while (performance.now() - begun < PATIENCE && child.exitCode === null) {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true, timeout: PATIENCE });
    for (const event of ["end", "timeout"]) socket.on(event, () => socket.destroy(new Error(event)));
    try {
      await once(socket, "connect");
      socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
      const [answer] = await once(socket, "data");
      return answer.toString("latin1", 9, 12);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1));
    } finally {
      socket.destroy();
    }
  }
  throw new Fault(`workerd does not start: ${child.said()}`);
}

/** In finer steps than `costs.mjs` has, of a process that has not ended a thread yet; null where it is not told. */
function processorTimeExactly(pid) {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const nanoseconds = threads.map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]));
    return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
  } catch {
    return null;
  }
}
