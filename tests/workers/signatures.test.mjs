// Signed requests (RFC 9421), made by another implementation: what only the runtime has, which is bodies, its own check of
// public keys, and the object that remembers what was used.
import assert from "node:assert/strict";
import { createHash, createHmac, generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { SECRET, bodyOf, json, raw, sleep, startGateway, startUpstream } from "./harness.mjs";

const ed = generateKeyPairSync("ed25519");
const upstream = await startUpstream(async (request, response) => json(response, { body: await bodyOf(request) }));
const keys = [
  { keyid: "acme", alg: "hmac-sha256", secret: "{env.JWT_SECRET}", owner: "acme" },
  { keyid: "ed", alg: "ed25519", jwk: ed.publicKey.export({ format: "jwk" }), owner: "ed" },
];
const gateway = await startGateway({
  services: { s: { url: upstream.url } },
  auth: {
    partner: { signature: { keys, max_body: "10KiB" } },
    once: { signature: { keys, once: true } },
    brief: { signature: { keys, once: true, max_age: "1s", leeway: "1s" } },
  },
  routes: [
    { path: "/x", auth: "partner", request_headers: { set: { "x-owner": "{jwt.sub}" } }, forward: "s" },
    { path: "/small", auth: "partner", max_body: "1KiB", forward: "s" },
    { path: "/once", auth: "once", reply: {} },
    { path: "/brief", method: "POST", auth: "brief", reply: {} },
  ],
});
const { host } = new URL(gateway.url);
const signers = {
  acme: (base) => createHmac("sha256", SECRET).update(base).digest("base64"),
  ed: (base) => sign(null, Buffer.from(base), ed.privateKey).toString("base64"),
};

/** The header fields of a signed request. */
function signed(method, target, body, { keyid = "acme", nonce = "" } = {}) {
  const [path, query = ""] = target.split("?");
  const digest = `sha-256=:${createHash("sha256").update(body ?? "").digest("base64")}:`;
  const over = { "@method": method, "@authority": host, "@path": path, "@query": `?${query}` };
  if (body !== undefined) over["content-digest"] = digest;
  const names = Object.keys(over).map((name) => `"${name}"`).join(" ");
  const params = `(${names});created=${Math.floor(Date.now() / 1000)};keyid="${keyid}"${nonce && `;nonce="${nonce}"`}`;
  const lines = Object.entries(over).map(([name, value]) => `"${name}": ${value}\n`);
  const signature = signers[keyid](`${lines.join("")}"@signature-params": ${params}`);
  const fields = { "signature-input": `sig=${params}`, signature: `sig=:${signature}:` };
  return body === undefined ? fields : { ...fields, "content-digest": digest };
}

const send = (method, target, headers, body) =>
  fetch(gateway.url + target, { method, headers, body, duplex: "half", signal: AbortSignal.timeout(5000) });
/** A body whose length nobody says. */
const inChunks = (text) => new Blob([text]).stream();

test("a signed request goes on as it came, its body too", async () => {
  for (const keyid of ["acme", "ed"]) {
    assert.equal((await send("GET", "/x?a=b%20c", signed("GET", "/x?a=b%20c", undefined, { keyid }))).status, 200);
    const body = `{"n": 1.0, "é": "${keyid}"}`;
    for (const sent of [body, inChunks(body)]) {
      const answer = await send("POST", "/x", signed("POST", "/x", body, { keyid }), sent);
      assert.equal(answer.status, 200);
      assert.equal((await answer.json()).body, body);
      assert.equal(upstream.seen.at(-1).headers["x-owner"], keyid);
    }
  }
});

test("another body, or one that is not signed, goes nowhere", async () => {
  const count = upstream.seen.length;
  for (const [of, body] of [
    ["one", "other"],
    [undefined, "other"],
    ["one", inChunks("other")],
    [undefined, inChunks("other")],
    ["x".repeat(20_000), "x".repeat(20_000)],
  ]) {
    assert.equal((await send("POST", "/x", signed("POST", "/x", of), body)).status, 401);
  }
  assert.equal((await send("GET", "/x", { ...signed("GET", "/x"), "content-digest": "sha-256=:AA==:" })).status, 200);
  assert.equal((await send("GET", "/x?more", signed("GET", "/x"))).status, 401);
  assert.equal(upstream.seen.length, count + 1);
});

test("what counts once counts once, however many come at once", async () => {
  const fields = signed("GET", "/once");
  const answers = await Promise.all(Array.from({ length: 10 }, () => send("GET", "/once", fields)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(9).fill(401)]);
  assert.equal((await send("GET", "/once", signed("GET", "/once", undefined, { nonce: "2" }))).status, 200);
});

test("a GET with a body that nobody signed goes nowhere", async () => {
  const count = upstream.seen.length;
  const fields = Object.entries(signed("GET", "/x")).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `GET /x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${fields.join("")}`;
  for (const body of ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"]) {
    assert.match(await raw(gateway.port, head + body), /^HTTP\/1.1 401 /);
  }
  assert.equal(upstream.seen.length, count);
});

test("what counts once does so while its body is still to come", async () => {
  await sleep(1000 - (Date.now() % 1000));
  const began = Date.now();
  const fields = Object.entries(signed("POST", "/brief", "hello")).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST /brief HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: 5\r\n${fields.join("")}\r\n`;
  assert.match(await raw(gateway.port, `${head}hello`), /^HTTP\/1.1 200 /);
  // Again, of its time by its head, and whole once the signature counts no more.
  await sleep(began + 1700 - Date.now());
  const socket = net.connect(gateway.port, "127.0.0.1");
  let answer = "";
  socket.on("data", (data) => (answer += data));
  socket.write(`${head}h`);
  await sleep(began + 3400 - Date.now());
  socket.write("ello");
  await once(socket, "close");
  assert.match(answer, /^HTTP\/1.1 401 /);
});

test("a body that is read to be checked is of the size that its route allows", async () => {
  const body = "x".repeat(5000);
  for (const sent of [body, inChunks(body)]) {
    assert.equal((await send("POST", "/small", signed("POST", "/small", body), sent)).status, 413);
  }
});
