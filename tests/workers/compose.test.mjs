// Aggregates that depend on each other, read the client's body, write and give header fields back: what
// only the runtime can show of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, json, sleep, startGateway, startUpstream, until } from "./harness.mjs";

const bodies = [];
const brokenOff = [];
let open = 0;
let most = 0;
const upstream = await startUpstream(async (request, response) => {
  const { pathname } = new URL(request.url, "http://s");
  const [, what, id] = pathname.split("/");
  const answers = {
    list: () => json(response, Array.from({ length: 15 }, (_, at) => ({ id: at }))),
    item: async () => {
      most = Math.max(most, (open += 1));
      await sleep(20);
      open -= 1;
      json(response, { n: Number(id) });
    },
    write: async () => {
      bodies.push([request.method, request.headers["content-type"], await bodyOf(request)]);
      response.writeHead(201, { location: "/orders/7", "set-cookie": ["a=1; Path=/", "b=2"] });
      response.end();
    },
    cookie: () => {
      response.setHeader("set-cookie", "c=3");
      json(response, 1);
    },
    kept: () => {
      response.setHeader("cache-control", "max-age=60");
      json(response, { v: 1 });
    },
    stalls: () => {},
    late: () => {
      response.on("close", () => response.writableFinished || brokenOff.push(id));
      if (id === "answered") setTimeout(() => json(response, { v: 1 }), 600);
    },
  };
  return answers[what]();
});

const aggregate = (path, parts, more = {}) => ({ path, auth: "public", method: ["GET", "POST"], aggregate: parts, ...more });
const gateway = await startGateway({
  services: { s: { url: upstream.url } },
  routes: [
    aggregate("/each", { list: { get: "s:/list", hidden: true }, items: { get: "s:/item/{item.id}", for_each: "{parts.list}" } }),
    aggregate(
      "/write",
      { made: { post: "s:/write", body: { all: "{body}", note: "é" }, hidden: true }, at: { get: "s:/cookie", headers: { "x-at": "{reply.made.location}" } } },
      { answer: { headers: { "set-cookie": "append" }, max_body: "1KiB" } },
    ),
    aggregate("/kept", { a: { get: "s:/kept" }, b: { get: "s:/kept" } }),
    aggregate("/late", {
      brief: { get: "s:/late/brief", timeout: "100ms", else: "late" },
      long: { get: "s:/late/long", timeout: "800ms", else: "late" },
      answered: { get: "s:/late/answered", timeout: "5s" },
      next: { get: "s:/late/next", query: { after: "{parts.brief}" }, timeout: "300ms", else: "late" },
    }),
    aggregate("/stalls", { list: { get: "s:/list", hidden: true }, items: { get: "s:/stalls/{item.id}", for_each: "{parts.list}" } }),
  ],
});

test("a call for each element, at most six at once, in order", async () => {
  const answer = await gateway.get("/each");
  assert.deepEqual((await answer.json()).items, Array.from({ length: 15 }, (_, n) => ({ n })));
  assert.ok(most <= 6, `${most} at once`);
  assert.equal(upstream.seen.filter(({ target }) => target.startsWith("/item/")).length, 15);
});

const post = (body) =>
  fetch(`${gateway.url}/write`, { method: "POST", body, headers: { "content-type": "application/json" } });

test("the client's body goes into a call's, and header fields come back", async () => {
  const answer = await post('{"big":12345678901234567890123,"s":"\\ud83d\\ude00"}');
  assert.equal(answer.status, 200);
  assert.deepEqual(bodies, [["POST", "application/json", '{"all":{"big":12345678901234567890123,"s":"\\ud83d\\ude00"},"note":"é"}']]);
  assert.deepEqual(answer.headers.getSetCookie(), ["a=1; Path=/", "b=2", "c=3"]);
  assert.equal(upstream.seen.findLast(({ target }) => target === "/cookie").headers["x-at"], "/orders/7");
  assert.equal(answer.headers.get("cache-control"), "no-store");
});

for (const [what, body, status] of [
  ["no JSON", "{", 400],
  ["nothing", "", 400],
  ["too much", `"${"x".repeat(2000)}"`, 413],
  ["broken UTF-8", Buffer.from([0x22, 0xff, 0x22]), 400],
]) {
  test(`a body that is ${what} is refused, and nothing is called`, async () => {
    const before = upstream.seen.length;
    const answer = await post(body);
    assert.equal(answer.status, status);
    assert.equal(answer.headers.get("content-type"), "application/problem+json");
    assert.equal(upstream.seen.length, before);
  });
}

test("who has the answer gets 304", async () => {
  const first = await gateway.get("/kept");
  const etag = first.headers.get("etag");
  assert.equal(await first.text(), '{"a":{"v":1},"b":{"v":1}}');
  assert.match(etag, /^"[0-9a-f]{32}"$/);
  const again = await gateway.get("/kept", { "if-none-match": etag });
  assert.equal(again.status, 304);
  assert.equal(again.headers.get("etag"), etag);
  assert.equal(await again.text(), "");
});

test("each call has its own time, whenever it began", async () => {
  const answer = await gateway.get("/late");
  assert.deepEqual(await answer.json(), { brief: "late", long: "late", answered: { v: 1 }, next: "late" });
  await until(() => brokenOff.length === 3, "three calls broken off");
  assert.deepEqual(brokenOff, ["brief", "next", "long"]);
});

test("a client that goes away aborts the calls, and what waits is not called", async () => {
  const controller = new AbortController();
  const before = upstream.seen.length;
  const asked = fetch(`${gateway.url}/stalls`, { signal: controller.signal }).catch(() => {});
  const stalled = () => upstream.seen.slice(before).filter(({ target }) => target.startsWith("/stalls/"));
  await until(() => stalled().length === 6, "six calls");
  controller.abort();
  await asked;
  await sleep(200);
  assert.equal(stalled().length, 6);
});
