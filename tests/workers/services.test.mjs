// Services of several instances, in real workerd: found in KV, tried one after the other, sent again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { json, sleep, startGateway, startUpstream, until } from "./harness.mjs";

const one = await startUpstream((request, response) => json(response, "one"));
const two = await startUpstream((request, response) => json(response, "two"));
const dead = await startUpstream();
dead.stop();

/** What answers for a KV namespace, as workerd asks it: GET /key. */
const values = new Map([["services/found", JSON.stringify([one.url])]]);
const kv = await startUpstream((request, response) => {
  const value = values.get(decodeURIComponent(new URL(request.url, "http://kv").pathname.slice(1)));
  if (value === "down") return response.writeHead(500).end();
  if (value === undefined) return response.writeHead(404).end();
  response.end(value);
});

const routes = {
  services: {
    found: { kv: "services/found", refresh: "1s" },
    pair: { url: [dead.url, one.url], breaker: null },
    again: { url: one.url, retry: { backoff: "10ms" } },
    slow: { url: [one.url, two.url], hedge: { after: "100ms" }, breaker: null },
    one: { url: one.url },
    two: { url: two.url },
  },
  routes: [
    { path: "/found", auth: "public", forward: "found" },
    { path: "/pair", auth: "public", forward: "pair" },
    { path: "/again", auth: "public", forward: "again" },
    { path: "/slow", auth: "public", forward: "slow" },
    { path: "/mirrored", auth: "public", forward: { to: "one", mirror: { to: "two:/copy" } } },
    { path: "/part", auth: "public", aggregate: { a: { get: "pair:/a" }, b: { get: "found:/b" } } },
  ],
};
const gateway = await startGateway(routes, {
  services: `(name = "kv", external = (address = "${kv.url.replace("http://", "")}", http = ())),`,
  bindings: `(name = "KV", kvNamespace = "kv"),`,
});
const answer = async (path, options) => (await fetch(gateway.url + path, options)).json();

test("instances are found in KV, and a new list moves the calls without a deployment", async () => {
  assert.equal(await answer("/found"), "one");
  values.set("services/found", JSON.stringify([two.url]));
  assert.equal(await answer("/found"), "one");
  await sleep(1100);
  assert.equal(await answer("/found"), "two");
  values.set("services/found", "down");
  await sleep(1100);
  assert.equal(await answer("/found"), "two");
  assert.match(gateway.log(), /service found keeps the instances that it has/);
  assert.deepEqual(await answer("/part"), { a: "one", b: "two" });
});

test("an instance that is down is not noticed", async () => {
  for (let call = 0; call < 6; call += 1) assert.equal(await answer("/pair"), "one");
});

test("a body that was kept is sent again, whole", async () => {
  const bodies = [];
  one.handle = async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    bodies.push(Buffer.concat(chunks).toString());
    json(response, bodies.length, bodies.length === 1 ? 503 : 200);
  };
  assert.equal(await answer("/again", { method: "PUT", body: "the body" }), 2);
  assert.deepEqual(bodies, ["the body", "the body"]);
  // A POST is not.
  bodies.length = 0;
  assert.equal((await fetch(`${gateway.url}/again`, { method: "POST", body: "once" })).status, 503);
  assert.deepEqual(bodies, ["once"]);
  one.handle = (request, response) => json(response, "one");
});

test("a slow answer is overtaken, and its call given up", async () => {
  one.handle = () => {};
  one.seen.length = 0;
  for (let call = 0; call < 2; call += 1) assert.equal(await answer("/slow"), "two");
  await until(() => one.seen.length > 0 && one.seen.every((seen) => seen.gone), "the slow calls are given up");
  one.handle = (request, response) => json(response, "one");
});

test("a copy goes to the mirror, and its answer to nobody", async () => {
  two.seen.length = 0;
  two.handle = (request, response) => json(response, "copy", 500);
  assert.equal(await answer("/mirrored?a=b"), "one");
  await until(() => two.seen.length === 1, "the copy");
  assert.equal(two.seen[0].target, "/copy?a=b");
  two.handle = (request, response) => json(response, "two");
});
