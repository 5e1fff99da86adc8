// What a panic in one request does to it, to others under way, and to the next.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CUSTOMER, bearer, json, startGateway, startUpstream, until } from "./harness.mjs";

const slow = await startUpstream(() => {});
const fast = await startUpstream((request, response) => json(response, 1));
const gateway = await startGateway(
  {
    timeout: "300s",
    services: { slow: { url: slow.url, timeout: "300s" }, fast: { url: fast.url } },
    auth: { customer: CUSTOMER },
    limits: { few: { rate: "1/day", burst: 3 } },
    routes: [
      { path: "/health", auth: "public", reply: { body: { status: "ok" } } },
      { path: "/limited", auth: "customer", limit: "few", reply: { body: "hello" } },
      { path: "/slow", auth: "public", aggregate: { part: { get: "slow:/" } } },
      { path: "/stream", auth: "public", aggregate: { a: { get: "fast:/" }, b: { get: "slow:/" } }, answer: { stream: "ndjson" } },
    ],
  },
  { build: "target/drill" },
);

for (const drill of ["/drill/panic", "/drill/panic-later"]) {
  test(`${drill}: 500 for it, and the next request is served`, async () => {
    for (let round = 0; round < 3; round += 1) {
      const answer = await gateway.get(drill);
      assert.equal(answer.status, 500);
      assert.equal(answer.headers.get("content-type"), "application/problem+json");
      assert.doesNotMatch(await answer.text(), /drill|panic|\.rs/);
      assert.equal((await gateway.get("/health")).status, 200);
    }
    assert.match(gateway.log(), /panicked at src\/workers\/drill\.rs/);
  });
}

test("an answer that is half written breaks off, so that nobody takes it for whole", async () => {
  const before = slow.seen.length;
  const answer = await fetch(`${gateway.url}/stream`, { headers: { accept: "application/x-ndjson" } });
  await until(() => slow.seen.length > before, "the call");
  await gateway.get("/drill/panic");
  await assert.rejects(answer.text());
  assert.equal((await gateway.get("/health")).status, 200);
});

test("requests under way are answered at once, not left to hang", async () => {
  const before = slow.seen.length;
  const underWay = gateway.get("/slow");
  await until(() => slow.seen.length > before, "the call");
  await gateway.get("/drill/panic");
  assert.equal((await underWay).status, 500);
  slow.handle = (request, response) => json(response, 1);
  assert.equal((await gateway.get("/slow")).status, 200);
});

test("what JavaScript throws is the end of that request alone", async () => {
  const before = slow.seen.length;
  let respond;
  slow.handle = (request, response) => (respond = () => json(response, 1));
  const underWay = gateway.get("/slow");
  await until(() => slow.seen.length > before && respond, "the call");
  const answer = await gateway.get("/drill/throw");
  assert.equal(answer.status, 500);
  assert.doesNotMatch(await answer.text(), /drill/);
  assert.equal((await gateway.get("/health")).status, 200);
  respond();
  assert.equal((await underWay).status, 200);
});

test("a limit is not forgotten over a panic", async () => {
  for (const status of [200, 200]) assert.equal((await gateway.get("/limited", bearer())).status, status);
  await gateway.get("/drill/panic");
  for (const status of [200, 429]) assert.equal((await gateway.get("/limited", bearer())).status, status);
});
