// Idempotency-Key, in real workerd: one client's request with one key reaches the service once.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import net from "node:net";
import { test } from "node:test";
import { CUSTOMER, bearer, sleep, startGateway, startUpstream, until } from "./harness.mjs";

let answer = (response) => response.end();
const bank = await startUpstream(async (request, response, entry) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  entry.body = Buffer.concat(chunks);
  answer(response, entry);
});
const gateway = await startGateway({
  services: { bank: { url: bank.url } },
  auth: { customer: CUSTOMER },
  timeout: "1s",
  routes: [{ path: "/pay/{id}", auth: "customer", max_body: "2MiB", idempotency: { keep: "2s" }, forward: "bank" }],
});
const pay = (key, { body = "5 EUR", id = 1, sub = "ada", method = "POST" } = {}) =>
  fetch(`${gateway.url}/pay/${id}`, { method, body, headers: { ...bearer({ sub }), "idempotency-key": key } });

test("the first answer is kept, byte for byte, and given again", async () => {
  const body = randomBytes(100_000);
  answer = (response) => {
    response.writeHead(201, { "content-type": "application/x-own", "set-cookie": ["a=1", "b=2"], "x-own": "kept" });
    response.end(body);
  };
  bank.seen.length = 0;
  for (const replayed of [null, "true", "true"]) {
    const got = await pay("k1");
    assert.equal(got.status, 201);
    assert.equal(got.headers.get("idempotent-replayed"), replayed);
    assert.equal(got.headers.get("content-type"), "application/x-own");
    assert.equal(got.headers.get("x-own"), "kept");
    assert.deepEqual(got.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.deepEqual(Buffer.from(await got.arrayBuffer()), body);
  }
  assert.equal(bank.seen.length, 1);
  assert.equal(bank.seen[0].body.toString(), "5 EUR");
});

test("another payload, path or caller is another matter", async () => {
  bank.seen.length = 0;
  assert.equal((await pay("k1", { body: "6 EUR" })).status, 422);
  assert.equal((await pay("k1", { id: 2 })).status, 422);
  assert.equal(bank.seen.length, 0);
  assert.equal((await pay("k1", { sub: "alan" })).status, 201);
  assert.equal(bank.seen.length, 1);
});

test("while the first is under way, the others are told so", async () => {
  let first;
  answer = (response) => (first = response);
  bank.seen.length = 0;
  const slow = pay("k2");
  await until(() => first !== undefined, "the first call");
  const others = await Promise.all([pay("k2"), pay("k2"), pay("k2")]);
  for (const other of others) {
    assert.equal(other.status, 409);
    assert.equal(other.headers.get("retry-after"), "1");
  }
  first.end("done");
  assert.equal(await (await slow).text(), "done");
  assert.equal(await (await pay("k2")).text(), "done");
  assert.equal(bank.seen.length, 1);
});

test("of many at once, one reaches the service", async () => {
  answer = (response) => setTimeout(() => response.end("done"), 50);
  bank.seen.length = 0;
  const statuses = (await Promise.all(Array.from({ length: 20 }, () => pay("k3")))).map((got) => got.status);
  assert.equal(bank.seen.length, 1);
  assert.ok(statuses.includes(200) && statuses.every((status) => status === 200 || status === 409), statuses.join());
});

test("a client that goes away finds its answer when it comes back", async () => {
  answer = (response) => setTimeout(() => response.end("done"), 200);
  bank.seen.length = 0;
  const socket = net.connect(gateway.port, "127.0.0.1");
  const { authorization } = bearer({ sub: "ada" });
  socket.write(
    `POST /pay/1 HTTP/1.1\r\nHost: ${gateway.url.slice(7)}\r\nAuthorization: ${authorization}\r\nIdempotency-Key: k4\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: 5\r\n\r\n5 EUR`,
  );
  await until(() => bank.seen.length === 1, "the call");
  socket.resetAndDestroy();
  await sleep(400);
  const got = await pay("k4");
  assert.equal(got.headers.get("idempotent-replayed"), "true");
  assert.equal(await got.text(), "done");
  assert.equal(bank.seen.length, 1);
});

test("what gave no answer is not kept, and what is over is forgotten", async () => {
  answer = (response) => response.destroy();
  assert.equal((await pay("k5")).status, 502);
  answer = (response) => response.end("fine");
  assert.equal(await (await pay("k5")).text(), "fine");
  await sleep(2200);
  bank.seen.length = 0;
  assert.equal((await pay("k1", { body: "7 EUR" })).status, 200);
  assert.equal(bank.seen.length, 1);
});

test("a body that is too large to be kept is refused, one without a body is not", async () => {
  assert.equal((await pay("k6", { body: "x".repeat((1 << 20) + 1) })).status, 413);
  assert.equal((await pay("k7", { body: undefined })).status, 200);
  answer = (response) => response.end("x".repeat((1 << 20) + 1));
  assert.equal((await (await pay("k8")).text()).length, (1 << 20) + 1);
  assert.match(gateway.log(), /answer not kept/);
  assert.equal((await pay("k8")).status, 409);
});

test("204 stays 204", async () => {
  answer = (response) => response.writeHead(204).end();
  for (const replayed of [null, "true"]) {
    const got = await pay("k9");
    assert.deepEqual([got.status, got.headers.get("idempotent-replayed")], [204, replayed]);
  }
});

test("an answer that trickles is passed on, but not kept, and its request not made again", async () => {
  bank.seen.length = 0;
  answer = (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write("drop "), 100);
    setTimeout(() => (clearInterval(timer), response.end("end")), 1500);
  };
  const first = pay("k10");
  await until(() => bank.seen.length === 1, "the call");
  assert.equal((await pay("k10")).status, 409);
  assert.match(await (await first).text(), /^(drop )+end$/);
  const again = await pay("k10");
  assert.equal(again.status, 409);
  assert.match((await again.json()).type, /answer-lost$/);
  assert.equal(bank.seen.length, 1);
});
