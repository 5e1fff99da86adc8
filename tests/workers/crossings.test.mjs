// What each job of tests/costs/jobs.json costs in crossings between JavaScript and Wasm, beside what
// tests/costs.md keeps of it. POSTERN_CROSSINGS=1 tells them by name.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { compared } from "../../scripts/costs.mjs";
import { at } from "../../scripts/run.mjs";
import { bearer, startGateway, startUpstream } from "./harness.mjs";

const ROUNDS = 10;
const COMMAND = "npx node --test tests/workers/crossings.test.mjs";

const { routes, services_answer: answer, jobs } = JSON.parse(readFileSync(at("tests", "costs", "jobs.json"), "utf8"));
const upstream = await startUpstream((request, response) => {
  response.writeHead(200, answer.headers);
  response.end(JSON.stringify(answer.body));
});
routes.services.svc.url = upstream.url;
const gateway = await startGateway(routes, { probe: true });

const probe = async () => (await gateway.get("/probe")).json();

/** What sends the request of a job, and reads the answer to its end; gives the status. */
function sending({ path, headers = {}, body, signed_in: signedIn }) {
  const all = { ...headers, ...(signedIn ? bearer() : {}) };
  const post = { method: "POST", body: JSON.stringify(body), headers: { ...all, "content-type": "application/json" } };
  const request = body === undefined ? { headers: all } : post;
  return async () => {
    const response = await fetch(`${gateway.url}${path}`, request);
    await response.arrayBuffer();
    return response.status;
  };
}

for (const job of jobs) {
  test(`${job.job} crosses as often as is kept`, async (context) => {
    const send = sending(job);
    await send();
    const before = await probe();
    for (let round = 0; round < ROUNDS; round += 1) assert.equal(await send(), job.status);
    const after = await probe();
    const [toJavaScript, toWasm] = ["toJavaScript", "toWasm"].map((way) => (after[way] - before[way]) / ROUNDS);
    context.diagnostic(`${job.job}: ${toJavaScript} calls to JavaScript, ${toWasm} to Wasm`);
    if (process.env.POSTERN_CROSSINGS) names(before.names, after.names).forEach((line) => context.diagnostic(line));
    const changed = [
      compared(job.job, "to JavaScript", toJavaScript, { command: COMMAND }),
      compared(job.job, "to Wasm", toWasm, { command: COMMAND }),
    ];
    assert.equal(changed.filter((line) => line !== null).join("\n"), "");
  });
}

/** How often each function was called in a round, in lines. */
function names(before, after) {
  const each = Object.entries(after).map(([name, count]) => [name, (count - (before[name] ?? 0)) / ROUNDS]);
  return each.filter(([, count]) => count > 0).map(([name, count]) => `  ${count} ${name}`);
}
