// Load, and what it costs the process that takes it.
import { readFileSync } from "node:fs";
import http from "node:http";
import { Fault, output } from "../../scripts/run.mjs";

/**
 * Sends so many requests, so many at once, over connections that are kept; each with the header fields of its
 * number, from `first` on. Gives each one's milliseconds.
 */
export async function load({ port, path, headers, first = 0, requests, atOnce }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: atOnce });
  const took = [];
  let left = requests;
  const client = async () => {
    while (left > 0) {
      left -= 1;
      const of = headers?.(first + left);
      const start = performance.now();
      await get({ host: "127.0.0.1", port, path, headers: of, agent });
      took.push(performance.now() - start);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: atOnce }, client));
  const all = performance.now() - start;
  agent.destroy();
  return { took: took.sort((one, other) => one - other), all };
}

/** Asks once, and reads the answer to its end. */
function get(options) {
  return new Promise((resolve, reject) => {
    const broken = (error) => reject(new Fault(`${options.path} on port ${options.port} broke: ${error.message}`));
    const request = http.get(options, (response) => {
      if (response.statusCode !== 200) broken(new Error(`status ${response.statusCode}`));
      response.on("error", broken);
      response.on("end", resolve);
      response.resume();
    });
    request.on("error", broken);
  });
}

/** The milliseconds of processor time that a process and its children have had; null where that is not told. */
export function processorTime(pid) {
  if (process.platform !== "linux") return null;
  // The name of the program, in brackets, may have spaces.
  const fields = told(pid, "stat").split(") ").at(-1).split(" ");
  const children = told(pid, `task/${pid}/children`).split(" ").filter(Boolean);
  const own = (Number(fields[11]) + Number(fields[12])) * tick();
  return children.reduce((sum, child) => sum + processorTime(child), own);
}

/** What the kernel tells of a process. */
function told(pid, what) {
  try {
    return readFileSync(`/proc/${pid}/${what}`, "utf8");
  } catch (error) {
    throw new Fault(`A process that is measured has ended: ${error.message}`);
  }
}

let ofTick;
/** The milliseconds in which the kernel counts. */
const tick = () => (ofTick ??= 1000 / Number(output("getconf", ["CLK_TCK"]) ?? 100));
