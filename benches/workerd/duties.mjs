// What the duties of a gateway cost where JavaScript by hand does them: a bare worker that is given one after the other,
// and Postern in the same rounds. It tells how much of the distance to a bare worker is the platform's.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { say } from "../../scripts/run.mjs";
import { answering } from "../../tests/workers/harness.mjs";
import { cases } from "./cases.mjs";
import { serve } from "./contestants.mjs";
import { processorTime } from "./costs.mjs";
import { load } from "./load.mjs";
import { end, temporaryFolder } from "./processes.mjs";
import { startUpstream } from "./upstream.mjs";
import { bareIn, constantsIn, honoIn, peerConfig, posternIn } from "./workers.mjs";

const REQUESTS = 4000;

/**
 * Each duty of a forward with the code that it adds: before the call, as options of the call, to its reply, and of the
 * whole handler. All that is above holds below too.
 */
const OF_FORWARD = {
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
      request.headers.forEach((value, name) => (head += name + ":" + value + "\\n"));`,
  },
  "a line goes to the log": {
    after: `console.log(JSON.stringify({ request_id: id, method: request.method, route: "/", status: reply.status, ms: 1 }));`,
  },
};

/** Each duty of a refusal with the code that it adds, and what is answered then. No token is checked. */
const OF_REFUSAL = {
  "a constant refusal": { answer: `new Response(said(ID), { status: 401, headers })` },
  "with an id of its own": {
    before: `const id = crypto.randomUUID();`,
    answer: `new Response(said(id), { status: 401, headers: { ...headers, "x-request-id": id } })`,
  },
  "the head is read: all fields": {
    before: `let head = request.method + request.url + Date.now();
      request.headers.forEach((value, name) => (head += name + ":" + value + "\\n"));`,
    answer: `new Response(said(id), { status: head === "" ? 500 : 401, headers: { ...headers, "x-request-id": id } })`,
  },
  "the route is found, and the token where it was refused before": {
    before: `const path = request.url.slice(request.url.indexOf("/", 8));
      const token = /^authorization:Bearer (.*)$/m.exec(head)?.[1];
      const isKnown = routes.has(path) && refused.has(token);
      if (!isKnown) refused.add(token);`,
    answer: `new Response(said(id), { status: routes.has(path) ? 401 : 404, headers: { ...headers, "x-request-id": id } })`,
  },
};

/** The workers that do a job by hand, by what they do, and who does it beside. */
const FORWARD = {
  byHand: ladder(OF_FORWARD, forwarding),
  beside: {
    "Postern, no log, constants for its Wasm": constantsIn,
    "Postern, no log": (folder, upstream) => posternIn(folder, upstream),
    "Postern, a log of all": (folder, upstream) => posternIn(folder, upstream, undefined, { log: "all" }),
    Hono: (folder, upstream) => honoIn(folder, upstream),
  },
};

const REFUSAL = {
  byHand: ladder(OF_REFUSAL, refusing),
  beside: {
    // Without the duties above, but with the one that these are without.
    "the bare worker, which checks the token": (folder, upstream) => bareIn(folder, upstream),
    "Postern, constants for its Wasm": constantsIn,
    "Postern, no log": (folder, upstream) => posternIn(folder, upstream),
    Hono: (folder, upstream) => honoIn(folder, upstream),
  },
};

/** The jobs, by the names of their cases. */
const JOBS = {
  "forward-1k": FORWARD,
  "forward-1m": FORWARD,
  "bad-token": REFUSAL,
  "bad-tokens": REFUSAL,
};

/** Gives for each job, by what is done, the ms of processor time for a request, round by round. */
export async function duties(settings) {
  const found = new Map();
  for (const name of Object.keys(JOBS)) found.set(name, await dutiesOf(name, settings));
  return found;
}

async function dutiesOf(name, { rounds, oha }) {
  const { folder, remove } = temporaryFolder();
  const upstream = await startUpstream(path.join(folder, "upstream"));
  const entries = [];
  const { headers = () => ({}), varies = false, status = 200 } = cases[name];
  let next = 0;
  try {
    for await (const [does, worker] of workers(name, folder, upstream.url)) entries.push({ does, rounds: [], ...(await serve(worker)) });
    await Promise.all(entries.map(({ port, child }) => answering(port, child)));
    for (let round = 0; round <= rounds; round += 1) {
      say(`duties, ${name}: ${round === 0 ? "warming up" : `round ${round} of ${rounds}`}`);
      for (const { does, port, child, rounds } of entries) {
        const before = processorTime(child.pid);
        await load(oha, { name: does, port, path: `/${name}`, status, headers, varies, next: () => (next += 1) }, { requests: REQUESTS });
        if (round > 0) rounds.push((processorTime(child.pid) - before) / REQUESTS);
      }
    }
  } finally {
    for (const { child } of [...entries, upstream]) await end(child);
    remove();
  }
  return new Map(entries.map(({ does, rounds }) => [does, rounds]));
}

/** The workers of a job, each with what it does, in folders below one. */
export async function* workers(name, folder, upstream) {
  const { byHand, beside } = JOBS[name];
  let made = 0;
  const next = () => path.join(folder, String((made += 1)));
  for (const [does, source] of Object.entries(byHand)) yield [does, workerOf(next(), source, upstream)];
  for (const [does, workerIn] of Object.entries(beside)) yield [does, await workerIn(next(), upstream)];
}

/** The source of a worker for each of the duties, which has those above too. */
function ladder(duties, source) {
  return Object.fromEntries(Object.keys(duties).map((does, last) => [does, source(Object.values(duties).slice(0, last + 1))]));
}

function forwarding(duties) {
  const all = (of) => duties.map((duty) => duty[of] ?? "").join("\n");
  const options = all("options").trim();
  const call = `fetch(env.UPSTREAM + new URL(request.url).pathname, ${options === "" ? "request" : `{ ${options} }`})`;
  return `
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
    } };`;
}

function refusing(duties) {
  return `
    const ID = "00000000-0000-4000-8000-000000000000";
    const headers = { "content-type": "application/problem+json", "cache-control": "no-store", "www-authenticate": "Bearer" };
    const said = (id) => '{"type":"urn:postern:problem:token-not-accepted","title":"The token is not accepted here","detail":"Get a token that was issued for this API.","status":401,"request_id":"' + id + '"}';
    const routes = new Set(["/bad-token", "/bad-tokens"]), refused = new Set();
    export default { fetch(request) {
      ${duties.map((duty) => duty.before ?? "").join("\n")}
      return ${duties.at(-1).answer};
    } };`;
}

function workerOf(folder, source, upstream) {
  // Where a counter would be kept.
  mkdirSync(path.join(folder, ".counts"), { recursive: true });
  writeFileSync(path.join(folder, "worker.mjs"), source);
  return { folder, config: (port) => peerConfig(port, upstream, false).replace("bindings =", `compatibilityFlags = ["enable_request_signal"],\n bindings =`) };
}
