// What a request costs in crossings between JavaScript and Wasm. The numbers are printed and held:
// a rise is a decision, to be made here.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CUSTOMER, bearer, json, startGateway, startUpstream } from "./harness.mjs";

const upstream = await startUpstream((request, response) => json(response, { id: 1 }));
const part = (name) => ({ get: `svc:/${name}` });
const gateway = await startGateway(
  {
    services: { svc: { url: upstream.url } },
    auth: { customer: CUSTOMER },
    // Slow to come back, so that no object's alarm falls into a measurement.
    limits: { many: { rate: "1000/day" } },
    routes: [
      { path: "/reply", auth: "public", reply: { body: 1 } },
      { path: "/forward", auth: "public", forward: "svc" },
      { path: "/validated", auth: "public", validate: { body: { type: "object" } }, forward: "svc" },
      { path: "/dashboard", auth: "customer", limit: "many", aggregate: { a: part("a"), b: part("b"), c: part("c") } },
    ],
  },
  { probe: true },
);

for (const [what, path, status, most, body] of [
  ["a fixed reply", "/reply", 200, 8],
  ["a forwarded request", "/forward", 200, 28],
  ["a validated body", "/validated", 200, 44, "{}"],
  ["a body that is refused", "/validated", 422, 28, "[]"],
  // Three for each call: its head comes back as text, since header fields of it count.
  ["a dashboard: token, limit, three calls", "/dashboard", 200, 118],
  ["a refused token", "/dashboard", 401, 8],
]) {
  test(`${what} crosses at most ${most} times`, async (context) => {
    const headers = status === 401 ? { authorization: "Bearer no" } : bearer();
    const probe = async () => (await gateway.get("/probe")).json();
    const ask = async () => {
      const post = { method: "POST", body, headers: { ...headers, "content-type": "application/json" } };
      const answer = body === undefined ? await gateway.get(path, headers) : await fetch(`${gateway.url}${path}`, post);
      assert.equal(answer.status, status);
      await answer.arrayBuffer();
    };
    await ask();
    const rounds = 10;
    const before = await probe();
    for (let round = 0; round < rounds; round += 1) await ask();
    const after = await probe();
    const toJavaScript = (after.toJavaScript - before.toJavaScript) / rounds;
    const toWasm = (after.toWasm - before.toWasm) / rounds;
    context.diagnostic(`${what}: ${toJavaScript} calls to JavaScript, ${toWasm} to Wasm`);
    if (process.env.POSTERN_CROSSINGS) {
      for (const [name, count] of Object.entries(after.names)) {
        const each = (count - (before.names[name] ?? 0)) / rounds;
        if (each > 0) context.diagnostic(`  ${each} ${name}`);
      }
    }
    assert.ok(toJavaScript + toWasm <= most, `${toJavaScript} + ${toWasm}`);
  });
}
