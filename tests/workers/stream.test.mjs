// An answer that is written as its parts arrive: that the client has each part before the next is there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { json, startGateway, startUpstream, until } from "./harness.mjs";

/** The calls that the upstream has not answered yet, with what lets it. */
const held = [];
const upstream = await startUpstream(async (request, response) => {
  if (request.url.startsWith("/held/")) await new Promise((letGo) => held.push({ target: request.url, letGo }));
  if (request.url.includes("broken")) return response.destroy();
  json(response, request.url.endsWith("/large") ? "x".repeat(1e6) : { of: request.url });
});

/** Lets the upstream answer a call, once it is there. */
async function letGo(target) {
  const at = () => held.findIndex((call) => call.target === target);
  await until(() => at() !== -1, `a call to ${target}`);
  held.splice(at(), 1)[0].letGo();
}

const part = (name, more = {}) => ({ get: `s:/${name}`, ...more });
const route = (path, aggregate) => ({ path, auth: "public", aggregate, answer: { stream: ["ndjson", "sse"] } });
const gateway = await startGateway({
  services: { s: { url: upstream.url } },
  routes: [
    route("/two", { slow: part("held/two"), fast: part("now") }),
    route("/gone", { slow: part("held/gone"), fast: part("now"), next: part("held/next") }),
    route("/broken", { slow: part("held/broken"), fast: part("now") }),
    route("/large", { a: part("large"), b: part("held/large") }),
  ],
});

const stream = (path, accept = "application/x-ndjson", signal) =>
  fetch(gateway.url + path, { headers: { accept }, signal });

/** Reads pieces of a body; gives the text that came until it has what is looked for. */
async function readUntil(reader, text) {
  let read = "";
  while (!read.includes(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the body ended: ${read}`);
    read += new TextDecoder().decode(value);
  }
  return read;
}

test("the client has a part before the next one is there", async () => {
  const answer = await stream("/two");
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "application/x-ndjson");
  const reader = answer.body.getReader();
  assert.equal(await readUntil(reader, "\n"), '{"part":"fast","value":{"of":"/now"}}\n');
  await letGo("/held/two");
  assert.equal(await readUntil(reader, "complete"), '{"part":"slow","value":{"of":"/held/two"}}\n{"complete":true}\n');
  assert.ok((await reader.read()).done);
  await until(() => gateway.log().includes('"route":"/two"'), "its line in the log");
});

test("server-sent events come one by one", async () => {
  const answer = await stream("/two", "text/event-stream");
  assert.equal(answer.headers.get("content-type"), "text/event-stream");
  const reader = answer.body.getReader();
  assert.match(await readUntil(reader, "\n\n"), /^event: part\ndata: \{"part":"fast".*\n\n$/);
  await letGo("/held/two");
  assert.match(await readUntil(reader, "event: end"), /data: \{"complete":true\}\n\n$/);
});

test("what fails in the middle ends the answer with a problem", async () => {
  const answer = await stream("/broken");
  assert.equal(answer.status, 200);
  const reader = answer.body.getReader();
  const first = await readUntil(reader, "\n");
  await letGo("/held/broken");
  const lines = (first + (await readUntil(reader, "problem"))).trimEnd().split("\n").map(JSON.parse);
  assert.equal(lines.length, 2);
  assert.equal(lines[1].problem.status, 502);
});

test("a client that goes away in the middle is noticed at the next part, and aborts what is left", async () => {
  const controller = new AbortController();
  const answer = await stream("/gone", "application/x-ndjson", controller.signal);
  await answer.body.getReader().read();
  await until(() => held.some(({ target }) => target === "/held/gone"), "the call that is left");
  controller.abort();
  await letGo("/held/next");
  await until(() => upstream.seen.find(({ target }) => target === "/held/gone").gone, "it is aborted");
  await until(() => gateway.log().includes('"route":"/gone"'), "its line in the log");
  assert.match(gateway.log(), /"route":"\/gone".*the client went away/);
});

test("a part of any size is whole, and one who does not read holds nobody up", async () => {
  const idle = await stream("/large");
  const answer = await stream("/large");
  await letGo("/held/large");
  await letGo("/held/large");
  const lines = (await answer.text()).trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => line.value?.length ?? line.complete), [1e6, 1e6, true]);
  assert.equal((await idle.text()).length, 2e6 + 66);
});
