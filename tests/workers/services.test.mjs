// Services of several instances, in real workerd: found in KV, tried one after the other, sent again.
import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { CUSTOMER, bearer, json, raw, sleep, startGateway, startUpstream, until } from "./harness.mjs";

const one = await startUpstream((request, response) => json(response, "one"));
const two = await startUpstream((request, response) => json(response, "two"));
const bad = await startUpstream((request, response) => json(response, "bad", 503));
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
  auth: { customer: CUSTOMER },
  services: {
    found: { kv: "services/found", refresh: "1s" },
    pair: { url: [dead.url, one.url], breaker: null },
    again: { url: one.url, retry: { backoff: "10ms" } },
    slow: { url: [one.url, two.url], hedge: { after: "100ms" }, breaker: null },
    guarded: { url: [one.url, two.url], timeout: "300ms", breaker: { of_at_least: 4 } },
    badGood: { url: [bad.url, two.url], breaker: null },
    least: { url: [one.url, two.url], balance: "least-loaded" },
    hash: { url: [one.url, two.url], balance: { hash: "{header.x-cart}" } },
    one: { url: one.url },
    two: { url: two.url },
  },
  routes: [
    { path: "/found", auth: "public", forward: "found" },
    { path: "/pair", auth: "public", forward: "pair" },
    { path: "/again", auth: "public", forward: "again" },
    { path: "/slow", auth: "public", forward: "slow" },
    { path: "/guarded", auth: "public", forward: "guarded" },
    { path: "/again-pair", auth: "public", forward: "badGood" },
    { path: "/canary", auth: "customer", forward: { to: "one", canary: { to: "two", share: "30%" } } },
    { path: "/least", auth: "public", forward: "least" },
    { path: "/hash", auth: "public", forward: "hash" },
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

test("a body that is none is sent again", async () => {
  for (let call = 0; call < 4; call += 1) {
    for (const method of ["PUT", "DELETE"]) {
      const head = `${method} /again-pair HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
      assert.match(await raw(gateway.port, head), /^HTTP\/1.1 200/);
    }
  }
});

test("clients that break off or are slow close a service to nobody", async () => {
  const begin = (method, length) => {
    const socket = net.connect(gateway.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(`${method} /guarded HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\nabc`);
    return socket;
  };
  const reads = async (request, response) => {
    for await (const _ of request);
    json(response, "fine");
  };
  const handles = [one.handle, two.handle];
  one.handle = two.handle = (request, response) => reads(request, response).catch(() => {});
  for (const [method, length] of [
    ["PUT", 10],
    ["POST", 10],
    ["POST", 100_000],
  ]) {
    for (let client = 0; client < 8; client += 1) {
      const socket = begin(method, length);
      await sleep(20);
      if (client % 2) socket.end();
      else socket.resetAndDestroy();
    }
  }
  const slow = Array.from({ length: 8 }, () => begin("PUT", 10));
  const answers = await Promise.all(slow.map((socket) => new Promise((got) => socket.once("data", got))));
  for (const answer of answers) assert.match(String(answer), /^HTTP\/1.1 408/);
  slow.forEach((socket) => socket.destroy());
  for (let call = 0; call < 6; call += 1) assert.equal((await fetch(`${gateway.url}/guarded`)).status, 200);
  [one.handle, two.handle] = handles;
});

test("hedged calls leave nothing behind", async () => {
  const services = { pair: { url: [one.url, two.url], hedge: { after: "20ms" } } };
  const file = { services, routes: [{ path: "/x", auth: "public", forward: "pair" }] };
  const probed = await startGateway(file, { probe: true });
  const memory = async () => (await (await fetch(`${probed.url}/probe`)).json()).memory;
  const load = async (calls) => {
    for (let call = 0; call < calls; call += 20) {
      await Promise.all(Array.from({ length: 20 }, async () => (await fetch(`${probed.url}/x`)).arrayBuffer()));
    }
  };
  await load(1000);
  const before = await memory();
  await load(3000);
  // What each of them leaked was 130 bytes.
  assert.ok((await memory()) - before < 3000 * 60, `${before} before, ${await memory()} after`);
});

test("a canary gets its share of the callers, and each caller always the same", async () => {
  const versionOf = (sub) => answer("/canary", { headers: bearer({ sub }) });
  const callers = Array.from({ length: 100 }, (_, number) => `caller-${number}`);
  const first = await Promise.all(callers.map(versionOf));
  assert.deepEqual(await Promise.all(callers.map(versionOf)), first);
  const share = first.filter((version) => version === "two").length;
  assert.ok(share > 15 && share < 45, `${share} of 100`);
});

test("the less loaded instance gets the calls, and a value finds its instance again", async () => {
  two.handle = (request, response) => setTimeout(() => json(response, "two"), 60);
  const answers = [];
  for (let call = 0; call < 40; call += 1) answers.push(await answer("/least"));
  assert.ok(answers.filter((name) => name === "one").length > 30, answers.join());
  two.handle = (request, response) => json(response, "two");
  const instanceOf = (cart) => answer("/hash", { headers: { "x-cart": String(cart) } });
  const carts = Array.from({ length: 40 }, (_, cart) => cart);
  const found = await Promise.all(carts.map(instanceOf));
  assert.deepEqual(await Promise.all(carts.map(instanceOf)), found);
  assert.deepEqual([...new Set(found)].sort(), ["one", "two"]);
});
