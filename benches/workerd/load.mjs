// Load from oha, and what clients saw of it.
import { Fault } from "../../scripts/run.mjs";
import { start } from "./processes.mjs";
import { variedLoad } from "./load-varied.mjs";

/** How many requests are under way at once, each on a connection that is kept. */
export const AT_ONCE = 16;

/**
 * Sends requests, as many as come back for so many `seconds` or so many `requests`, or at a `rate`: then a
 * request's time begins when it was due, also where it had to wait for an earlier one. Every answer must
 * have the status and the size that the target says. Gives how many there were, how many a second, and p50 and p99 in ms.
 */
export async function load(oha, target, amount) {
  const seen = target.varies ? await variedLoad(target, amount, AT_ONCE) : await byOha(oha, target, amount);
  const others = Object.keys(seen.statuses).filter((status) => Number(status) !== target.status);
  if (others.length > 0) throw new Fault(`${target.name} answers with ${JSON.stringify(seen.statuses)} under load, not with ${target.status} alone`);
  const broken = Object.keys(seen.errors);
  if (broken.length > 0 || seen.requests === 0) throw new Fault(`${target.name} breaks under load: ${broken.join("; ") || "no answers"}`);
  if (target.size !== undefined && seen.bytes !== target.size * seen.requests) {
    throw new Fault(`${target.name} has ${seen.bytes / seen.requests} bytes an answer under load, not ${target.size}`);
  }
  return seen;
}

async function byOha(oha, target, { seconds, requests, rate }) {
  const headers = Object.entries(target.headers(0)).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const amount = requests === undefined ? ["-z", `${Math.round(seconds * 1000)}ms`, "-w"] : ["-n", String(requests)];
  const paced = rate === undefined ? [] : ["-q", String(rate), "--latency-correction"];
  const form = ["--no-tui", "--output-format", "json", "--worker-threads", "1", "--disable-compression", "-r", "0", "-t", "30s"];
  const args = [...form, "-c", String(AT_ONCE), ...amount, ...paced, ...headers, `http://127.0.0.1:${target.port}${target.path}`];
  const told = JSON.parse(await printed(oha, args));
  const count = Object.values(told.statusCodeDistribution).reduce((one, other) => one + other, 0);
  return {
    requests: count,
    perSecond: count / told.summary.total,
    p50: told.latencyPercentiles.p50 * 1000,
    p99: told.latencyPercentiles.p99 * 1000,
    bytes: told.summary.totalData,
    statuses: told.statusCodeDistribution,
    errors: told.errorDistribution,
  };
}

/** What a program prints. */
async function printed(program, args) {
  const child = start(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for await (const chunk of child.stdout) text += chunk;
  await child.ended;
  if (child.exitCode !== 0) throw new Fault(`${program} ended with ${child.signalCode ?? child.exitCode}: ${child.said()}`);
  return text;
}
