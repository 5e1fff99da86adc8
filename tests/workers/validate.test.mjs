// Validation in real workerd: what was checked is what the service gets, byte for byte.
import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { bodyOf, json, raw, sleep, startGateway, startUpstream } from "./harness.mjs";

const orders = await startUpstream(async (request, response, entry) => {
  entry.body = await bodyOf(request);
  json(response, { body: entry.body });
});
const order = {
  type: "object",
  required: ["items"],
  properties: { items: { type: "array", maxItems: 50_000, items: { type: "integer" } } },
};
/** A schema that looks at each level of a value through several others. */
const deep = (more) =>
  more > 0
    ? { allOf: [deep(more - 1)] }
    : { type: ["object", "integer"], properties: { a: { $ref: "#" } }, additionalProperties: { $ref: "#" }, minProperties: 1 };
const gateway = await startGateway({
  timeout: "1s",
  services: { orders: { url: orders.url, retry: {} } },
  schemas: { order },
  routes: [
    { path: "/orders", auth: "public", validate: { body: "order" }, forward: "orders" },
    { path: "/small", auth: "public", validate: { body: "order" }, max_body: "100B", forward: "orders" },
    { path: "/once", auth: "public", validate: { body: "order" }, max_body: "4MiB", idempotency: {}, forward: "orders" },
    { path: "/batch", auth: "public", batch: {} },
    {
      path: "/hard",
      auth: "public",
      validate: { body: { type: "array", anyOf: [{ items: { $ref: "#" } }, { items: { $ref: "#" }, maxItems: 9 }] } },
      forward: "orders",
    },
    { path: "/deep", auth: "public", validate: { body: deep(4) }, forward: "orders" },
    { path: "/strings", auth: "public", validate: { body: { type: "array", items: { pattern: "^([a-z]|[0-9])+$" } } }, forward: "orders" },
  ],
});

function send(body, { path = "/orders", method = "POST", headers = {}, ...more } = {}) {
  orders.seen.length = 0;
  return fetch(`${gateway.url}${path}`, { method, body, headers: { "content-type": "application/json", ...headers }, ...more });
}

/** A body whose length is not said. */
const inPieces = (text) => ({ duplex: "half", body: new Blob([text]).stream() });

test("what was checked is sent on byte by byte", async () => {
  const body = ' {"items" : [1, 2.0,\t1e2], "n\\u0061me":"\\u00e4\u{1f600}", "big": 12345678901234567890.10 } \n';
  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    const got = await send(body, { method });
    assert.equal(got.status, 200);
    assert.equal((await got.json()).body, body);
    assert.equal(orders.seen[0].method, method);
    assert.equal(orders.seen[0].headers["content-length"], String(Buffer.byteLength(body)));
    assert.equal(orders.seen[0].headers["content-type"], "application/json");
  }
  const large = JSON.stringify({ items: Array.from({ length: 50_000 }, (_, at) => at) });
  assert.equal((await (await send(large)).json()).body, large);
  const { body: stream, duplex } = inPieces(large);
  assert.equal((await (await send(stream, { duplex })).json()).body, large);
});

test("what is not as it must be reaches no service", async () => {
  const got = await send('{"items":[1,"2",3.5]}');
  assert.equal(got.status, 422);
  assert.equal(got.headers.get("content-type"), "application/problem+json");
  assert.deepEqual((await got.json()).errors, [
    { pointer: "#/items/1", detail: "must be an integer" },
    { pointer: "#/items/2", detail: "must be an integer" },
  ]);
  const { body: stream, duplex } = inPieces('{"items":[');
  for (const [body, status, options] of [
    ['{"items":[1],"items":["x"]}', 422],
    [undefined, 422],
    ["", 422, { headers: { "content-type": "text/plain" }, status: 415 }],
    ["[", 400],
    [stream, 400, { duplex }],
    ["\xff", 400],
    [Buffer.from([0x22, 0xff, 0x22]), 400],
    [gzipSync('{"items":[]}'), 415, { headers: { "content-encoding": "gzip" } }],
    [`{"items":[${"1,".repeat(600_000)}1]}`, 413],
    [`{"items":[${"1,".repeat(200_000)}1]}`, 422],
    [`{"items":[1],"note":"${"x".repeat(80)}"}`, 413, { path: "/small" }],
  ]) {
    const got = await send(body, options);
    assert.equal(got.status, options?.status ?? status, String(body).slice(0, 40));
    assert.equal(orders.seen.length, 0);
  }
});

test("a request whose length is not said is held to the bound", async () => {
  const text = JSON.stringify({ items: [], note: "x".repeat(200) });
  const { body, duplex } = inPieces(text);
  assert.equal((await send(body, { path: "/small", duplex })).status, 413);
  assert.equal(orders.seen.length, 0);
});

test("a GET with a body does not get past", async () => {
  orders.seen.length = 0;
  for (const [method, fields] of [["GET", "Content-Length: 2"], ["GET", "Transfer-Encoding: chunked"]]) {
    const body = fields.includes("chunked") ? "2\r\n{}\r\n0\r\n\r\n" : "{}";
    const answer = await raw(
      gateway.port,
      `${method} /orders HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n${fields}\r\nConnection: close\r\n\r\n${body}`,
    );
    assert.match(answer, /^HTTP\/1.1 (422|400|501)/, answer);
  }
  assert.equal(orders.seen.length, 0);
  assert.equal((await fetch(`${gateway.url}/orders`)).status, 200);
  assert.equal((await fetch(`${gateway.url}/orders`, { method: "DELETE" })).status, 200);
});

test("a body that does not come is not waited for", async () => {
  orders.seen.length = 0;
  const socket = net.connect(gateway.port, "127.0.0.1");
  let answer = "";
  socket.on("data", (piece) => (answer += piece)).on("error", () => {});
  socket.write("POST /orders HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
  await sleep(1500);
  socket.destroy();
  assert.match(answer, /^HTTP\/1.1 408/);
  assert.equal(orders.seen.length, 0);
});

test("once, in a batch and alone it is the same", async () => {
  const headers = { "idempotency-key": "k1" };
  const body = '{"items": [1]}';
  assert.equal((await (await send(body, { path: "/once", headers })).json()).body, body);
  const again = await send(body, { path: "/once", headers });
  assert.equal(again.headers.get("idempotent-replayed"), "true");
  assert.equal(orders.seen.length, 0);
  // More than is kept of a request that is done once, less than is checked.
  const { body: stream, duplex } = inPieces(JSON.stringify({ items: [], note: "x".repeat(2_000_000) }));
  assert.equal((await send(stream, { path: "/once", headers: { "idempotency-key": "k2" }, duplex })).status, 413);
  assert.equal(orders.seen.length, 0);

  const list = `[{"method":"POST","path":"/orders","body":{"items" : [1.0]}},{"method":"POST","path":"/orders","body":{"items":1}}]`;
  const [fine, wrong] = await (await send(list, { path: "/batch" })).json();
  assert.equal(fine.body.body, '{"items" : [1.0]}');
  assert.equal(wrong.status, 422);
  assert.deepEqual(wrong.body.errors, [{ pointer: "#/items", detail: "must be an array" }]);
  assert.equal(orders.seen.length, 1);
});

test("hard work has an end", async () => {
  for (const [path, body] of [
    ["/hard", "[".repeat(60) + "1" + "]".repeat(60)],
    ["/deep", '{"a":'.repeat(60) + "1" + "}".repeat(60)],
    ["/deep", '{"b":'.repeat(64) + "1" + "}".repeat(64)],
    ["/strings", JSON.stringify(["a0".repeat(400_000)])],
  ]) {
    const begun = performance.now();
    const got = await send(body, { path });
    const took = performance.now() - begun;
    assert.ok([200, 422].includes(got.status));
    assert.ok(took < 3000, `${took} ms`);
  }
});
