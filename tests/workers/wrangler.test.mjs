// The gateway under `wrangler dev`, as its users run it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { at, fromNpm, node } from "../../scripts/run.mjs";
import { CUSTOMER, SECRET, answering, bearer, freePort, json, putGateway, rawGet, startUpstream, until } from "./harness.mjs";

const upstream = await startUpstream((request, response) => json(response, { target: request.url }));
const { port, folder } = await wranglerDev({
  services: { svc: { url: upstream.url } },
  auth: { customer: CUSTOMER },
  limits: {
    twenty: { rate: "20/min" },
    one: { rate: "1/day", by: "address" },
    bound: { rate: "2/10s", by: "header.x-tenant", binding: "TWO" },
    tallied: { quota: "3/month", by: "address", kv: { refresh: "1s" } },
  },
  routes: [
    {
      path: "/dashboard",
      auth: "customer",
      limit: "twenty",
      aggregate: { a: { get: "svc:/a/{jwt.sub}" }, b: { get: "svc:/b?of={jwt.sub}" } },
    },
    { path: "/public/{*rest}", auth: "public", forward: "svc" },
    { path: "/admin", auth: "customer", forward: "svc" },
    { path: "/open", auth: "public", limit: "one", reply: { body: "hello" } },
    { path: "/bound", auth: "public", limit: "bound", reply: { body: "hello" } },
    { path: "/tallied", auth: "public", limit: "tallied", reply: { body: "hello" } },
  ],
});
const url = `http://127.0.0.1:${port}`;

/** Starts `wrangler dev` on a folder as a deployment has it: the project's settings and a build. */
async function wranglerDev(routes) {
  const folder = mkdtempSync(path.join(tmpdir(), "postern-wrangler-"));
  putGateway(folder, routes);
  copyFileSync(at("build", "package.json"), path.join(folder, "build", "package.json"));
  // All but the build step: what it makes is there.
  const settings = readFileSync(at("wrangler.toml"), "utf8").replace(/^\[build\]\n(?:[^[\n].*\n)+/m, "");
  const more = `
[[ratelimits]]
name = "TWO"
namespace_id = "1001"
simple = { limit = 2, period = 10 }

[[kv_namespaces]]
binding = "KV"
id = "0123456789abcdef0123456789abcdef"
`;
  writeFileSync(path.join(folder, "wrangler.toml"), settings + more);
  writeFileSync(path.join(folder, ".dev.vars"), `JWT_SECRET="${SECRET}"\n`);
  const port = await freePort();
  const flags = ["dev", "--port", String(port), "--ip", "127.0.0.1", "--show-interactive-dev-session=false"];
  const child = spawn(node(), [fromNpm("wrangler"), ...flags, "--inspector-port", String(await freePort())], {
    cwd: folder,
    detached: true,
    stdio: "ignore",
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
  const ended = once(child, "exit");
  after(async () => {
    process.kill(-child.pid, "SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  await answering(port, child, 60_000);
  return { port, folder };
}

test("the dashboard is composed", async () => {
  const answer = await fetch(`${url}/dashboard`, { headers: bearer({ sub: "a b" }) });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("x-postern-complete"), "true");
  assert.equal(await answer.text(), '{"a":{"target":"/a/a%20b"},"b":{"target":"/b?of=a%20b"}}');
});

test("50 calls at once against a limit of 20 admit exactly 20", async () => {
  const headers = bearer({ sub: "crowd" });
  const calls = Array.from({ length: 50 }, () => fetch(`${url}/dashboard`, { headers }));
  const statuses = (await Promise.all(calls)).map((answer) => answer.status);
  assert.equal(statuses.filter((status) => status === 200).length, 20);
  assert.equal(statuses.filter((status) => status === 429).length, 30);
});

test("the platform's own rate limit counts, where a limit has its binding", async () => {
  const call = (tenant) => fetch(`${url}/bound`, { headers: { "x-tenant": tenant } });
  const answers = [];
  // Its windows are those of the clock: five calls are of two at most.
  for (let calls = 0; calls < 5; calls += 1) answers.push(await call("a"));
  const refused = answers.find(({ status }) => status === 429);
  assert.ok([2, 3, 4].includes(answers.filter(({ status }) => status === 200).length));
  assert.equal(refused.headers.get("retry-after"), "10");
  assert.equal(refused.headers.get("ratelimit-policy"), '"bound";q=2;w=10');
  assert.equal(refused.headers.get("ratelimit"), null);
  assert.equal((await call("b")).status, 200);
});

test("what isolates count for themselves is put into KV", async () => {
  const call = async () => (await fetch(`${url}/tallied`)).status;
  assert.deepEqual([await call(), await call()], [200, 200]);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.deepEqual([await call(), await call()], [200, 429]);
  // Where wrangler keeps what KV has.
  const state = path.join(folder, ".wrangler", "state");
  const has = (file) => /sqlite/.test(file) && readFileSync(path.join(state, file), "latin1").includes("postern/counts/tallied/");
  const isThere = () => readdirSync(state, { recursive: true, encoding: "utf8" }).some(has);
  await until(isThere, "the count is in KV");
});

for (const target of ["/public/../admin", "/public/%2e%2e/admin", "/public/..\\admin", "/%61dmin", "/public/..;/admin"]) {
  test(`${target} does not reach what needs a token`, async () => {
    upstream.seen.length = 0;
    const { status } = await rawGet(port, target);
    assert.ok([400, 401].includes(status), `status ${status}`);
    assert.deepEqual(upstream.seen, []);
  });
}

test("a client cannot say where it comes from", async () => {
  const spoofed = { "x-forwarded-for": "6.6.6.6", "x-real-ip": "6.6.6.6" };
  await fetch(`${url}/public/x`, { headers: spoofed });
  assert.notEqual(upstream.seen.at(-1).headers["x-forwarded-for"], "6.6.6.6");
  assert.equal((await fetch(`${url}/open`)).status, 200);
  assert.equal((await fetch(`${url}/open`, { headers: spoofed })).status, 429);
});
