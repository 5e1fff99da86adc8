// A batch in real workerd: what its entries send and get, byte for byte, and that nothing goes on once the
// client is gone.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { CUSTOMER, bearer, bodyOf, json, sleep, startGateway, startUpstream, until } from "./harness.mjs";

let answer = (request, response) => json(response, 1);
const site = await startUpstream(async (request, response, entry) => {
  const body = await bodyOf(request);
  if (body === undefined) return;
  entry.body = body;
  answer(request, response, entry);
});
const gateway = await startGateway({
  timeout: "3s",
  services: { site: { url: site.url, retry: {} } },
  auth: { customer: CUSTOMER },
  limits: { few: { rate: "2/day" } },
  routes: [
    { path: "/batch", auth: "public", batch: { max_body: "8KiB", max_answer: "1MiB" } },
    { path: "/mine", auth: "customer", request_headers: { set: { "x-user": "{jwt.sub}" } }, forward: "site" },
    { path: "/limited", auth: "public", limit: "few", forward: "site" },
    { prefix: "/site", auth: "public", forward: "site" },
    { path: "/bounded", auth: "public", max_body: "4B", forward: "site" },
    { path: "/pay", auth: "public", idempotency: {}, forward: "site" },
    { path: "/all", auth: "public", aggregate: { a: { get: "site:/a" }, b: { get: "site:/b" } } },
    { path: "/health", auth: "public", reply: { body: { status: "ok" } } },
  ],
});

function post(list, headers = {}) {
  site.seen.length = 0;
  const body = typeof list === "string" ? list : JSON.stringify(list);
  return fetch(`${gateway.url}/batch`, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
}

async function batch(list, headers) {
  const got = await post(list, headers);
  assert.equal(got.status, 200, await got.clone().text());
  return got.json();
}

/** A client that sends a list and can reset its connection. */
async function leaving(list) {
  site.seen.length = 0;
  const body = JSON.stringify(list);
  const socket = net.connect(gateway.port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(`POST /batch HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  return socket;
}

test("what an entry sends is what the service gets", async () => {
  answer = (request, response, { body }) => json(response, { method: request.method, body });
  const text = "ä\0\n\"";
  const got = await batch(
    [
      { id: 1, method: "POST", path: "/site/a?x=%20&y=1", body: { big: "JSON", n: 1.5 } },
      { id: 2, method: "PUT", path: "/site/b", headers: { "Content-Type": "text/plain", "X-Own": " 1 " }, body: text },
      { id: 3, method: "POST", path: "/site/c" },
      { id: 4, method: "DELETE", path: "/mine", headers: { cookie: "b=2" } },
      { id: 5, method: "POST", path: "/site/e", headers: { "content-type": "text/plain" }, body: "" },
      { id: 6, method: "HEAD", path: "/site/f" },
      { id: 7, method: "OPTIONS", path: "/site/g" },
    ],
    { ...bearer({ sub: "ada" }), cookie: "a=1", "accept-language": "de", origin: "https://h", range: "bytes=0-1", "x-high": "\xff" },
  );
  assert.deepEqual(got.map(({ id, status, body }) => [id, status, body]), [
    [1, 200, { method: "POST", body: '{"big":"JSON","n":1.5}' }],
    [2, 200, { method: "PUT", body: text }],
    [3, 200, { method: "POST", body: "" }],
    [4, 200, { method: "DELETE", body: "" }],
    [5, 200, { method: "POST", body: "" }],
    [6, 200, undefined],
    [7, 200, { method: "OPTIONS", body: "" }],
  ]);
  const seen = (target) => site.seen.find((entry) => entry.target === target).headers;
  const headers = seen("/site/a?x=%20&y=1");
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers["content-length"], "22");
  assert.deepEqual([headers.cookie, headers["accept-language"], headers.origin, headers.range], ["a=1", "de", undefined, undefined]);
  assert.equal(seen("/site/b")["x-own"], "1");
  assert.equal(seen("/site/b")["content-type"], "text/plain");
  assert.equal(seen("/mine")["x-user"], "ada");
  assert.equal(seen("/mine").cookie, "b=2");
  assert.equal(seen("/mine")["content-type"], undefined);
  const ids = got.map(({ headers }) => headers["x-request-id"]);
  ids.forEach((id, at) => assert.match(id, new RegExp(`^[0-9a-f-]{36}\\.${at + 1}$`)));
  assert.equal(headers["x-request-id"], ids[0]);
  for (const id of ids) assert.match(gateway.log(), new RegExp(`"request_id":"${id}"`));
});

test("what a service answers stands in the list: cookies, text, bytes, encodings, numbers", async () => {
  const bytes = randomBytes(5000);
  const big = JSON.stringify({ text: "x".repeat(100_000) });
  const answers = {
    "/site/cookies": [200, { "content-type": "application/json", "set-cookie": ["a=1; Path=/", "b=2"], etag: '"7"', server: "x" }, ' {"n": 12345678901234567890, "n": 1.50} '],
    "/site/bytes": [200, { "content-type": "image/png" }, bytes],
    "/site/gzip": [200, { "content-type": "application/json", "content-encoding": "gzip" }, gzipSync(big)],
    "/site/br": [200, { "content-type": "application/json", "content-encoding": "br" }, brotliCompressSync(big)],
    "/site/deflate": [200, { "content-type": "application/json", "content-encoding": "deflate" }, deflateSync(big)],
    "/site/none": [204, {}, ""],
    // The length of what it stands for: more than an answer may have.
    "/site/not-modified": [304, { etag: '"1"', "content-length": 5_000_000 }, ""],
    "/site/text": [404, { "content-type": "text/plain" }, "n\u00f6"],
    "/site/empty": [200, {}, ""],
  };
  answer = (request, response) => {
    const [status, headers, body] = answers[request.url];
    response.writeHead(status, headers);
    response.end(body);
  };
  const got = await post(Object.keys(answers).map((path) => ({ path })));
  const text = await got.text();
  assert.equal(got.headers.get("content-type"), "application/json");
  assert.equal(got.headers.get("cache-control"), "no-store");
  assert.deepEqual(got.headers.getSetCookie(), []);
  // Spliced as it came.
  assert.ok(text.includes('"body":{"n": 12345678901234567890, "n": 1.50}}'), text.slice(0, 400));
  const [cookies, image, gzip, br, deflate, none, unmodified, plain, empty] = JSON.parse(text);
  assert.deepEqual(cookies.headers["set-cookie"], ["a=1; Path=/", "b=2"]);
  assert.equal(cookies.headers.etag, '"7"');
  assert.equal(cookies.headers.server, undefined);
  assert.equal(image.encoding, "base64");
  assert.deepEqual(Buffer.from(image.body, "base64"), bytes);
  for (const decoded of [gzip, br]) {
    assert.deepEqual(decoded.body, JSON.parse(big));
    assert.equal(decoded.headers["content-encoding"], undefined);
  }
  // What the runtime does not decode is as it came, and says so.
  assert.equal(deflate.headers["content-encoding"], "deflate");
  assert.deepEqual(Buffer.from(deflate.body, "base64"), deflateSync(big));
  assert.deepEqual([none.status, "body" in none], [204, false]);
  assert.deepEqual([unmodified.status, unmodified.headers.etag, "body" in unmodified], [304, '"1"', false]);
  assert.deepEqual([plain.status, plain.body, plain.encoding], [404, "nö", undefined]);
  assert.deepEqual([empty.status, "body" in empty], [200, false]);
});

test("limits, aggregates, first answers and bounds are those of each entry's route", async () => {
  answer = (request, response) => json(response, request.url);
  const got = await batch([
    { path: "/limited" },
    { path: "/limited" },
    { path: "/limited" },
    { path: "/all" },
    { method: "POST", path: "/bounded", body: 12345 },
    { method: "POST", path: "/bounded", body: 1234 },
    { method: "POST", path: "/batch", body: [{ path: "/health" }] },
    { path: "/health" },
    { path: "/nowhere" },
    { path: "/mine" },
  ]);
  assert.deepEqual(got.slice(0, 3).map(({ status }) => status).sort(), [200, 200, 429]);
  assert.deepEqual(got.slice(3).map(({ status }) => status), [200, 413, 200, 400, 200, 404, 401]);
  assert.deepEqual(got[3].body, { a: "/a", b: "/b" });
  assert.equal(got[6].body.type, "urn:postern:problem:batch-in-batch");
  const pay = { method: "POST", path: "/pay", headers: { "idempotency-key": "k1" }, body: 5 };
  assert.equal((await batch([pay]))[0].headers["idempotent-replayed"], undefined);
  const [again] = await batch([pay]);
  assert.deepEqual([again.status, again.headers["idempotent-replayed"], again.body], [200, "true", "/pay"]);
  assert.equal(site.seen.length, 0);
  assert.equal((await batch([{ ...pay, body: 6 }]))[0].status, 422);
});

test("all entries have the time of one request; a body that never ends has it too", async () => {
  answer = (request, response) => {
    if (request.url === "/site/stalls") return;
    response.writeHead(200, { "content-type": "application/json" });
    response.write("[");
  };
  const begun = Date.now();
  const list = [..."1234567"].map((at) => ({ path: at === "3" ? "/site/stalls" : "/site/drips" }));
  const got = await batch([{ path: "/health" }, ...list, { path: "/health" }]);
  assert.deepEqual(got.map(({ status }) => status), [200, 504, 504, 504, 504, 504, 504, 504, 504]);
  assert.ok(Date.now() - begun < 4500);
  await until(() => site.seen.every(({ gone }) => gone), "the end of the calls");
});

test("a client that goes away ends all of it: calls, bodies that are read, and what was not begun", async () => {
  answer = (request, response) => {
    if (!request.url.endsWith("drips")) return;
    response.writeHead(200, { "content-type": "text/plain", ...(request.url.endsWith("/known/drips") && { "content-length": "1000" }) });
    response.write("x");
  };
  const paths = ["/site/1", "/site/2", "/all", "/site/drips", "/site/known/drips", "/site/3", "/site/later", "/site/later"];
  const socket = await leaving(paths.map((path) => ({ path })));
  await until(() => site.seen.length === 7, "six entries, one of which makes two calls");
  await sleep(100);
  assert.ok(site.seen.every(({ gone }) => !gone));
  socket.resetAndDestroy();
  await until(() => site.seen.every(({ gone }) => gone), "the end of all calls", 2000);
  await sleep(200);
  assert.equal(site.seen.filter(({ target }) => target === "/site/later").length, 0);
});

test("a list that does not come whole is not waited for without end", async () => {
  const socket = net.connect(gateway.port, "127.0.0.1");
  let text = "";
  socket.on("data", (data) => (text += data));
  socket.on("error", () => {});
  socket.write("POST /batch HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[");
  await until(() => text.includes("\r\n\r\n"), "an answer", 6000);
  assert.match(text, /^HTTP\/1.1 408 /);
  socket.destroy();
});

test("a list in chunks is read, and not past its bound", async () => {
  const send = async (chunks) => {
    const request = http.request(`${gateway.url}/batch`, { method: "POST", headers: { "content-type": "application/json" } });
    request.on("error", () => {});
    for (const chunk of chunks) request.write(chunk);
    request.end();
    const [response] = await once(request, "response");
    response.resume();
    return response.statusCode;
  };
  assert.equal(await send(["[{", '"path":"/health"', "}]"]), 200);
  assert.equal(await send(["[", " ".repeat(9000), '{"path":"/health"}]']), 413);
});

test("hostile lists are refused, and the gateway goes on", async () => {
  const paths = ["//evil.test/", "http://evil.test/", "\\\\evil", "", "/site/#x", "/site/?a#b", "/site/\u0000", "/site/ x", "/\ud800"];
  const names = ["host", "Connection", "transfer-encoding", "content-length", "upgrade", "x-forwarded-for", "cf-connecting-ip", "x_user_id", ":path", "a b", ""];
  const lists = [
    ...paths.map((path) => [{ path }]),
    ...names.map((name) => [{ path: "/health", headers: { [name]: "1" } }]),
    ...["a\r\nb: c", "\0", "ä", "\ud83d\ude00", 1, null, ["a"]].map((value) => [{ path: "/health", headers: { "x-a": value } }]),
    ...["CONNECT", "TRACE", "TRACK", "get", "G ET", "", 1].map((method) => [{ path: "/health", method }]),
    [{ path: "/health", body: 1 }],
    [{ path: "/health", method: "HEAD", body: null }],
    [{ path: "/health", url: "http://evil.test" }],
    "", "[", "{}", "[[]]", "[null]", "[]", "\ufeff[]", `[${"[".repeat(3000)}`, `[{"path":"/health","id":${"[".repeat(200)}${"]".repeat(200)}}]`,
    '[{"path":"/health","path":"/mine"}]', '[{"\\u0070ath":"/health","path":"/mine"}]', `[${'{"path":"/health"},'.repeat(10)}{"path":"/health"}]`,
  ];
  for (const list of lists) {
    const got = await post(list);
    const said = await got.json();
    assert.equal(got.status, 400, JSON.stringify(list));
    assert.ok(said.errors.length > 0 && said.errors.every(({ pointer, detail }) => pointer.startsWith("#") && detail), JSON.stringify(said));
    assert.equal(site.seen.length, 0);
  }
  const [dots, encoded, websocket] = await batch([{ path: "/site/../mine" }, { path: "/site/%2e%2e/mine" }, { path: "/site/x;y" }], {
    "x-user": "root",
  });
  assert.deepEqual([dots.status, encoded.status, websocket.status], [401, 401, 400]);
  assert.equal((await gateway.get("/health")).status, 200);
});
