// Instances that die, stall and flap under load, in real workerd: what `tests/storm.rs` holds against
// every mixture of them, on one of each.
import assert from "node:assert/strict";
import { test } from "node:test";
import { json, sleep, startGateway, startUpstream } from "./harness.mjs";

const well = (request, response) => json(response, "well");
const failing = (request, response) => json(response, "failing", 503);
const stalled = () => {};
const dead = (request) => request.socket.destroy();
const flapping = (...call) => (Math.floor(Date.now() / 300) % 2 ? well : dead)(...call);

const [first, second, third, alone] = await Promise.all(Array.from({ length: 4 }, () => startUpstream()));
const three = {
  url: [first.url, second.url, third.url],
  timeout: "1s",
  retry: { attempts: 3, idempotency_key: "trusted" },
  breaker: { open_for: "1s" },
};
const gateway = await startGateway({
  timeout: "4s",
  services: {
    turns: three,
    choices: { ...three, balance: "least-loaded" },
    spent: { url: alone.url, breaker: null, retry: { backoff: "1ms" } },
    patient: { url: alone.url, breaker: null, retry: { attempts: 2 } },
    hurried: { url: alone.url, breaker: null, timeout: "1500ms", retry: { attempts: 5, backoff: "1ms" } },
  },
  routes: ["turns", "choices", "spent", "patient", "hurried"].map((service) => ({
    path: `/${service}/{id}`,
    auth: "public",
    forward: service,
  })),
});

/** What becomes of one request every 10 ms, for some seconds: the statuses, in their order. */
async function storm(seconds, path, options) {
  const calls = [];
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(10)) {
    const call = fetch(`${gateway.url}${path}/${calls.length}`, options);
    calls.push(call.then(async (answer) => (await answer.arrayBuffer(), answer.status)));
  }
  return Promise.all(calls);
}

for (const path of ["/turns", "/choices"]) {
  for (const [names, moods] of [
    ["one dies, one stalls", [well, dead, stalled]],
    ["one fails, one flaps", [failing, well, flapping]],
  ]) {
    test(`${path}: ${names}; after the breakers' window nearly all is answered`, async () => {
      [first.handle, second.handle, third.handle] = moods;
      await storm(2, path);
      const statuses = await storm(3, path);
      const answered = statuses.filter((status) => status === 200).length;
      assert.ok(answered > statuses.length * 0.99, `${answered} of ${statuses.length}`);
    });

    test(`${path}: ${names}; what may do harm is sent once`, async () => {
      [first.handle, second.handle, third.handle] = moods;
      const upstreams = [first, second, third];
      for (const upstream of upstreams) upstream.seen.length = 0;
      const statuses = await storm(2, path, { method: "POST", body: "once" });
      const targets = upstreams.flatMap(({ seen }) => seen.map(({ target }) => target));
      assert.deepEqual(targets, [...new Set(targets)]);
      assert.ok(statuses.length > 20 && targets.length > 0, `${targets.length} of ${statuses.length}`);
    });
  }
}

test("retries have a budget", async () => {
  alone.handle = failing;
  alone.seen.length = 0;
  for (let call = 0; call < 100; call += 1) assert.equal((await gateway.get(`/spent/${call}`)).status, 503);
  // A fifth of the calls, and ten that nobody pays for.
  assert.ok(alone.seen.length > 110 && alone.seen.length <= 130, `${alone.seen.length} calls`);
});

test("a service gets the pause that it asks for, if there is time for it", async () => {
  const came = [];
  const asking = (seconds) => (request, response) => {
    came.push(Date.now());
    if (came.length > 1) return well(request, response);
    response.setHeader("retry-after", seconds);
    failing(request, response);
  };
  alone.handle = asking(1);
  assert.equal((await gateway.get("/patient/1")).status, 200);
  assert.ok(came[1] - came[0] >= 990, `${came[1] - came[0]} ms`);
  came.length = 0;
  alone.handle = asking(60);
  assert.equal((await gateway.get("/patient/2")).status, 503);
  assert.equal(came.length, 1);
});

test("all tries share the time of the request", async () => {
  alone.handle = stalled;
  alone.seen.length = 0;
  assert.equal((await gateway.get("/hurried/1")).status, 504);
  // Five would take seven seconds and a half; there are four.
  assert.ok(alone.seen.length >= 2 && alone.seen.length <= 3, `${alone.seen.length} tries`);
});
