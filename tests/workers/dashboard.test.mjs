// The main job: one call in, three calls out at once, one answer.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import net from "node:net";
import { test } from "node:test";
import { CUSTOMER, bearer, json, sleep, startGateway, startUpstream, until } from "./harness.mjs";

const users = await startUpstream((request, response) => json(response, { id: "ada", name: "Ada" }));
const orders = await startUpstream((request, response) => json(response, [{ id: 1 }, { id: 2 }]));
const unread = await startUpstream((request, response) => json(response, { count: 3 }));
const routes = (timeout) => ({
  services: {
    "user-svc": { url: users.url, timeout },
    "order-svc": { url: orders.url, timeout, max_answer: "64KiB" },
    "notif-svc": { url: unread.url, timeout },
  },
  auth: { customer: CUSTOMER },
  limits: { "per-user": { rate: "1000/min" } },
  routes: [
    {
      path: "/dashboard",
      auth: "customer",
      limit: "per-user",
      aggregate: {
        user: { get: "user-svc:/users/{jwt.sub}" },
        orders: { get: "order-svc:/orders?user={jwt.sub}", else: [] },
        unread: { get: "notif-svc:/unread?user={jwt.sub}", else: null },
      },
    },
  ],
});
const gateway = await startGateway(routes("700ms"));
/** For what must happen long before any time limit could make it happen. */
const patient = await startGateway(routes("20s"));

const well = { users: users.handle, orders: orders.handle, unread: unread.handle };
function allWell() {
  users.handle = well.users;
  orders.handle = well.orders;
  unread.handle = well.unread;
  for (const upstream of [users, orders, unread]) upstream.seen.length = 0;
}
const dashboard = (headers = bearer()) => gateway.get("/dashboard", headers);

test("three services become one answer", async () => {
  allWell();
  const answer = await dashboard();
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "application/json");
  assert.equal(answer.headers.get("x-postern-complete"), "true");
  assert.equal(answer.headers.get("x-postern-stand-ins"), null);
  assert.equal(
    await answer.text(),
    '{"user":{"id":"ada","name":"Ada"},"orders":[{"id":1},{"id":2}],"unread":{"count":3}}',
  );
  assert.equal(users.seen[0].target, "/users/ada");
  assert.equal(orders.seen[0].target, "/orders?user=ada");
  assert.equal(unread.seen[0].target, "/unread?user=ada");
});

test("a service gets no token of the client's, and learns where the request came from", async () => {
  allWell();
  await dashboard({ ...bearer(), cookie: "a=b", "x-user-id": "eve" });
  const { headers } = users.seen[0];
  assert.equal(headers.authorization, undefined);
  assert.equal(headers.cookie, undefined);
  assert.equal(headers["x-user-id"], undefined);
  assert.equal(headers["x-forwarded-for"], "127.0.0.1");
  assert.match(headers["x-request-id"], /^[0-9a-f-]{36}$/);
});

test("three services of 300 ms are answered in well under 600", async () => {
  allWell();
  const slow = (answer) => async (request, response) => {
    await sleep(300);
    answer(request, response);
  };
  users.handle = slow(well.users);
  orders.handle = slow(well.orders);
  unread.handle = slow(well.unread);
  const start = performance.now();
  const answer = await patient.get("/dashboard", bearer());
  await answer.text();
  const took = performance.now() - start;
  assert.equal(answer.headers.get("x-postern-complete"), "true");
  assert.ok(took < 600, `took ${took} ms`);
});

const nothingOfTheInside = (text) => assert.doesNotMatch(text, /127\.0\.0\.1|svc|workerd|ECONN|\.rs/);

for (const [what, lie] of [
  ["fails", (request, response) => json(response, { secret: "stack" }, 500)],
  ["is missing", (request, response) => json(response, {}, 404)],
  ["sends a page", (request, response) => response.end("<html>")],
  ["sends half a body", (request, response) => response.end('{"a":')],
  ["sends broken UTF-8", (request, response) => response.end(Buffer.from([0x22, 0xff, 0x22]))],
  ["redirects", (request, response) => response.writeHead(302, { location: users.url + "/users/ada" }).end()],
  ["sends too much", (request, response) => json(response, "x".repeat(70_000))],
  ["hangs up", (request, response) => response.destroy()],
  [
    "hangs up in the middle",
    (request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("[1,");
      setTimeout(() => response.destroy(), 20);
    },
  ],
  ["never answers", () => {}],
  [
    "never ends its answer",
    (request, response) => {
      response.write("[1,");
    },
  ],
]) {
  test(`an optional service that ${what} is stood in for`, async () => {
    allWell();
    orders.handle = lie;
    const answer = await dashboard();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("x-postern-complete"), "false");
    assert.equal(answer.headers.get("x-postern-stand-ins"), "orders");
    const text = await answer.text();
    assert.deepEqual(JSON.parse(text), { user: { id: "ada", name: "Ada" }, orders: [], unread: { count: 3 } });
    nothingOfTheInside(text);
  });

  test(`a required service that ${what} fails the whole`, async () => {
    allWell();
    users.handle = what === "sends too much" ? (request, response) => json(response, "x".repeat(1 << 20)) : lie;
    if (what === "redirects") users.handle = (request, response) => response.writeHead(302, { location: orders.url }).end();
    const answer = await dashboard();
    assert.equal(answer.status, what.startsWith("never") ? 504 : what === "is missing" ? 404 : 502);
    assert.equal(answer.headers.get("content-type"), "application/problem+json");
    assert.equal(answer.headers.get("cache-control"), "no-store");
    const text = await answer.text();
    assert.equal(JSON.parse(text).request_id, answer.headers.get("x-request-id"));
    nothingOfTheInside(text);
  });
}

test("a required failure does not wait for the slowest, and aborts it", async () => {
  allWell();
  users.handle = (request, response) => json(response, {}, 500);
  orders.handle = () => {};
  const answer = await patient.get("/dashboard", bearer());
  assert.equal(answer.status, 502);
  await until(() => orders.seen[0]?.gone, "the abort of the slow call");
});

test("a part that timed out is aborted", async () => {
  allWell();
  unread.handle = () => {};
  const answer = await dashboard();
  assert.equal(answer.headers.get("x-postern-stand-ins"), "unread");
  await until(() => unread.seen[0]?.gone, "the abort of the late call");
});

// A reset, as from a browser that closes a connection with an answer under way. The end of a
// connection alone (FIN) tells workerd nothing: a client may end its side and still read.
test("a client that goes away aborts the calls", async () => {
  allWell();
  for (const upstream of [users, orders]) upstream.handle = () => {};
  const client = net.connect(patient.port, "127.0.0.1");
  client.write(`GET /dashboard HTTP/1.1\r\nHost: g\r\nAuthorization: ${bearer().authorization}\r\n\r\n`);
  await until(() => users.seen.length + orders.seen.length === 2, "the calls");
  client.resetAndDestroy();
  await until(() => users.seen[0].gone && orders.seen[0].gone, "the abort of the calls");
  await until(() => patient.log().includes('"status":499'), "the log line");
});

test("values stay as the service wrote them", async () => {
  allWell();
  const odd = ' {"z": 12345678901234567890123456789, "a":1.50e+2 ,"z":"\\u00e9\\/"}\n';
  users.handle = (request, response) => response.end(odd);
  const text = await (await dashboard()).text();
  assert.ok(text.startsWith(`{"user":${odd.trim()},"orders":`), text);
});

test("a compressed answer is read", async () => {
  allWell();
  const { gzipSync } = await import("node:zlib");
  users.handle = (request, response) => {
    response.writeHead(200, { "content-encoding": "gzip" });
    response.end(gzipSync('{"id":"zipped"}'));
  };
  assert.equal(JSON.parse(await (await dashboard()).text()).user.id, "zipped");
});

for (const length of [1, 16_383, 16_384, 16_385, 40_000, 65_536]) {
  test(`an answer of ${length} bytes of unknown length is whole`, async () => {
    allWell();
    const text = `"${"x".repeat(length - 1)}`.slice(0, length - 1) + (length > 1 ? '"' : "7");
    orders.handle = (request, response) => {
      for (let at = 0; at < length; at += 7000) response.write(text.slice(at, at + 7000));
      response.end();
    };
    const answer = await dashboard();
    assert.equal(answer.headers.get("x-postern-complete"), "true");
    assert.ok((await answer.text()).includes(`"orders":${text},`));
  });
}

test("an answer in very many pieces takes the memory of its bytes, not of its pieces", async () => {
  allWell();
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, "utf8"))[1]) * 1024;
  users.handle = async (request, response) => {
    response.socket.setNoDelay(true);
    response.write('"');
    for (let piece = 0; piece < 20_000; piece += 1) {
      if (!response.write("x")) await new Promise((resolve) => response.once("drain", resolve));
      if (piece % 50 === 0) await new Promise(setImmediate);
    }
    response.end('"');
  };
  const before = memory();
  const answer = await dashboard();
  assert.equal(answer.status, 200);
  await answer.text();
  const grown = memory() - before;
  assert.ok(grown < 60 << 20, `${grown >> 20} MiB`);
});

test("no content is null", async () => {
  allWell();
  unread.handle = (request, response) => response.writeHead(204).end();
  const answer = await dashboard();
  assert.equal(answer.headers.get("x-postern-complete"), "true");
  assert.equal(JSON.parse(await answer.text()).unread, null);
});

test("HEAD is answered like GET, without the body", async () => {
  allWell();
  const answer = await fetch(`${gateway.url}/dashboard`, { method: "HEAD", headers: bearer() });
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), "");
});
