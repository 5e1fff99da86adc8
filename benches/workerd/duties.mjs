// What the duties of a gateway cost on a forward, where JavaScript by hand does them: a bare worker that is given one
// after the other, and Postern in the same rounds. It tells how much of the distance to a bare worker is the platform's.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { say } from "../../scripts/run.mjs";
import { answering } from "../../tests/workers/harness.mjs";
import { serve } from "./contestants.mjs";
import { processorTime } from "./costs.mjs";
import { load } from "./load.mjs";
import { end, temporaryFolder } from "./processes.mjs";
import { startUpstream } from "./upstream.mjs";
import { peerConfig, posternIn } from "./workers.mjs";

const PATH = "/forward-1k";
const REQUESTS = 4000;

/**
 * Each with the code that it adds: before the call, as options of the call, to its reply, and of the whole handler. All
 * that is above holds below too.
 */
const DUTIES = {
  "a bare fetch": {},
  "header fields are copied, five removed, three set": {
    before: `const headers = new Headers(request.headers);
      for (const name of ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"]) headers.delete(name);
      for (const name of ["x-request-id", "x-forwarded-for", "x-forwarded-host"]) headers.set(name, "127.0.0.1");`,
    options: `method: request.method, headers, redirect: "manual",`,
  },
  "a deadline breaks it off": {
    before: `const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), 10_000);`,
    options: `signal: controller.signal,`,
    after: `clearTimeout(timer);`,
  },
  "so does a client that leaves": {
    before: `const leave = () => controller.abort();
      request.signal.addEventListener("abort", leave);`,
    after: `request.signal.removeEventListener("abort", leave);`,
  },
  "what is under way is finished": { handler: `context.waitUntil(answer);` },
  "the reply's header fields are edited": {
    after: `const edited = new Headers(reply.headers);
      for (const name of ["connection", "keep-alive", "server"]) edited.delete(name);
      edited.set("x-request-id", "127.0.0.1");
      reply = new Response(reply.body, { status: reply.status, headers: edited });`,
  },
  "the head is read: an id, the address, all fields": {
    before: `const id = crypto.randomUUID();
      const [, v6, v4] = /^(?:\\[(.*)\\]:\\d+|([\\d.]+):\\d+)$/.exec(request.cf?.clientIp ?? "") ?? [];
      let head = id + (v6 ?? v4);
      for (const [name, value] of request.headers) head += name + ":" + value + "\\n";`,
  },
  "a line goes to the log": {
    after: `console.log(JSON.stringify({ request_id: id, method: request.method, route: "/", status: reply.status, ms: 1 }));`,
  },
};

/** Gives, by what is done, the ms of processor time for a request, round by round. */
export async function duties({ rounds, oha }) {
  const { folder, remove } = temporaryFolder();
  const upstream = await startUpstream(path.join(folder, "upstream"));
  const entries = [];
  try {
    const add = async (name, worker) => entries.push({ name, rounds: [], ...(await serve(worker)) });
    for (const [at, name] of Object.keys(DUTIES).entries()) await add(name, workerWith(path.join(folder, String(at)), at, upstream.url));
    await add("Postern, no log", posternIn(path.join(folder, "none"), upstream.url));
    await add("Postern, a log of all", posternIn(path.join(folder, "all"), upstream.url, undefined, { log: "all" }));
    await Promise.all(entries.map(({ port, child }) => answering(port, child)));
    for (let round = 0; round <= rounds; round += 1) {
      say(`duties: ${round === 0 ? "warming up" : `round ${round} of ${rounds}`}`);
      for (const entry of entries) {
        const before = processorTime(entry.child.pid);
        await load(oha, { name: entry.name, port: entry.port, path: PATH, status: 200, headers: () => ({}) }, { requests: REQUESTS });
        if (round > 0) entry.rounds.push((processorTime(entry.child.pid) - before) / REQUESTS);
      }
    }
  } finally {
    for (const { child } of [...entries, upstream]) await end(child);
    remove();
  }
  return new Map(entries.map(({ name, rounds }) => [name, rounds]));
}

/** A worker with the duties up to a number. */
function workerWith(folder, last, upstream) {
  const all = (of) => Object.values(DUTIES).slice(0, last + 1).map((duty) => duty[of] ?? "").join("\n");
  // Where a counter would be kept.
  mkdirSync(path.join(folder, ".counts"), { recursive: true });
  const options = all("options").trim();
  const call = `fetch(env.UPSTREAM + new URL(request.url).pathname, ${options === "" ? "request" : `{ ${options} }`})`;
  writeFileSync(path.join(folder, "worker.mjs"), `
    async function forward(request, env) {
      ${all("before")}
      let reply = await ${call};
      ${all("after")}
      return reply;
    }
    export default { fetch(request, env, context) {
      const answer = forward(request, env);
      ${all("handler")}
      return answer;
    } };`);
  return { folder, config: (port) => peerConfig(port, upstream, false).replace("bindings =", `compatibilityFlags = ["enable_request_signal"],\n bindings =`) };
}
