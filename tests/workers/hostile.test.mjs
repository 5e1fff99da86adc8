// Requests that are made to be read in two ways, byte for byte as an attacker writes them, and what
// the service saw of each. Paths alone are in paths.test.mjs.
import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { CUSTOMER, bearer, bodyOf, raw, sleep, startGateway, startUpstream, until } from "./harness.mjs";

const upstream = await startUpstream(async (request, response, entry) => {
  const body = await bodyOf(request);
  if (body === undefined) return;
  entry.body = body;
  response.end("{}");
});
const gateway = await startGateway({
  max_url: "2KiB",
  max_headers: "8KiB",
  services: { site: { url: upstream.url } },
  auth: { customer: CUSTOMER },
  routes: [
    { prefix: "/public", auth: "public", max_body: "1KiB", forward: "site" },
    { path: "/free", auth: "public", forward: "site" },
    { prefix: "/admin", auth: "customer", request_headers: { set: { "x-user-id": "{jwt.sub}" } }, forward: "site" },
    { host: "internal.test", prefix: "/", auth: "customer", forward: "site" },
    { path: "/v", auth: "public", header: { "x-v": "2" }, reply: { body: 2 } },
  ],
});

const GET = (lines, target = "/public/x") => `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${lines}\r\n`;
const POST = (lines, body) => `POST /public/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${lines}\r\n${body}`;
const refused = (status) => ({ status, calls: 0 });
/** What the service must have got: `null` is a field that it must not have got. */
const passed = (headers, more = {}) => ({ status: 200, calls: 1, headers, ...more });

const { authorization } = bearer({ sub: "ada" });
const table = [
  // Who is calling: fields by which a client claims to be somebody.
  ["X-User-Id", GET("X-User-Id: root\r\n"), passed({ "x-user-id": null })],
  ["X_User_Id, an underscore for a hyphen", GET("X_User_Id: root\r\n"), passed({ x_user_id: null })],
  ["X-User-Id beside the gateway's own", GET(`Authorization: ${authorization}\r\nX-User-Id: root\r\n`, "/admin"), passed({ "x-user-id": "ada" })],
  ["X-User-Id twice", GET(`Authorization: ${authorization}\r\nX-User-Id: a\r\nX-USER-ID: b\r\n`, "/admin"), passed({ "x-user-id": "ada" })],
  ["X-Remote-User", GET("X-Remote-User: root\r\n"), passed({ "x-remote-user": null })],
  ["Remote-User", GET("Remote-User: root\r\n"), passed({ "remote-user": null })],
  ["X-Auth-Request-Email", GET("X-Auth-Request-Email: root@h\r\n"), passed({ "x-auth-request-email": null })],
  ["X-Client-Cert", GET("X-Client-Cert: MIIB\r\n"), passed({ "x-client-cert": null })],
  ["X-Postern-Complete", GET("X-Postern-Complete: true\r\n"), passed({ "x-postern-complete": null })],
  // Where it comes from.
  ["X-Forwarded-For", GET("X-Forwarded-For: 10.0.0.1\r\n"), passed({ "x-forwarded-for": "127.0.0.1" })],
  ["X-Forwarded-Host", GET("X-Forwarded-Host: internal.test\r\n"), passed({ "x-forwarded-host": "h" })],
  ["X-Forwarded-Proto", GET("X-Forwarded-Proto: https\r\n"), passed({ "x-forwarded-proto": "http" })],
  ["X-Forwarded-Prefix", GET("X-Forwarded-Prefix: /admin\r\n"), passed({ "x-forwarded-prefix": null })],
  ["Forwarded", GET("Forwarded: for=10.0.0.1;host=internal.test\r\n"), passed({ forwarded: null })],
  ["X-Real-IP", GET("X-Real-IP: 10.0.0.1\r\n"), passed({ "x-real-ip": null })],
  ["True-Client-IP", GET("True-Client-IP: 10.0.0.1\r\n"), passed({ "true-client-ip": null })],
  ["CF-Connecting-IP", GET("CF-Connecting-IP: 10.0.0.1\r\n"), passed({ "cf-connecting-ip": null, "x-forwarded-for": "127.0.0.1" })],
  ["Via", GET("Via: 1.1 trusted\r\n"), passed({ via: null })],
  ["X-Request-Id", GET("X-Request-Id: forged\r\n"), (seen) => assert.match(seen.headers["x-request-id"], /^[0-9a-f-]{36}$/)],
  // Another path or method than the one that was checked.
  ["X-Original-URL", GET("X-Original-URL: /admin\r\n"), passed({ "x-original-url": null })],
  ["X-Rewrite-URL", GET("X-Rewrite-URL: /admin\r\n"), passed({ "x-rewrite-url": null })],
  ["X-HTTP-Method-Override", GET("X-HTTP-Method-Override: DELETE\r\n"), passed({ "x-http-method-override": null })],
  // Hop by hop: what the client would have the gateway drop, and what is for one hop alone.
  ["Connection: authorization", GET(`Connection: authorization\r\nAuthorization: ${authorization}\r\n`), passed({ authorization: null })],
  ["Connection names what the gateway sets", GET(`Connection: close, x-user-id\r\nAuthorization: ${authorization}\r\n`, "/admin"), passed({ "x-user-id": "ada" })],
  ["Connection names X-Forwarded-For", GET("Connection: close, x-forwarded-for\r\n"), passed({ "x-forwarded-for": "127.0.0.1" })],
  ["Keep-Alive, TE, Proxy-Authorization", GET("Keep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: Basic eA==\r\n"), passed({ "keep-alive": null, te: null, "proxy-authorization": null })],
  ["Upgrade: h2c", GET("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"), passed({ upgrade: null, "http2-settings": null })],
  ["Expect", POST("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"), passed({ expect: null }, { body: "abc" })],
  // Which host: the one of the request's, once, and never another's routes.
  ["another Host", `GET /public/x HTTP/1.1\r\nHost: INTERNAL.test.:80\r\nConnection: close\r\n\r\n`, refused(401)],
  ["two hosts", `GET /public/x HTTP/1.1\r\nHost: h\r\nHost: internal.test\r\nConnection: close\r\n\r\n`, refused(400)],
  ["a Host with a path", `GET /admin HTTP/1.1\r\nHost: h/public/x?\r\nConnection: close\r\n\r\n`, refused(400)],
  ["a Host with a user", `GET /public/x HTTP/1.1\r\nHost: internal.test@h\r\nConnection: close\r\n\r\n`, refused(400)],
  ["a Host with a space", `GET /public/x HTTP/1.1\r\nHost: h internal.test\r\nConnection: close\r\n\r\n`, refused(400)],
  // workerd goes by Host alone, and so does all that follows.
  ["an absolute target", `GET http://internal.test/public/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`, passed({ "x-forwarded-host": "h" })],
  ["an authority for a target", `CONNECT internal.test:80 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`, refused(500)],
  ["a target without a slash", `GET public/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`, refused([400, 404])],
  ["an asterisk", `OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`, refused([400, 404])],
  // Where the message ends: one length or none.
  ["two lengths", POST("Content-Length: 3\r\nContent-Length: 30\r\n", "abc"), refused(400)],
  ["a list of lengths", POST("Content-Length: 3, 30\r\n", "abc"), refused(400)],
  ["a length that is no number", POST("Content-Length: 3x\r\n", "abc"), refused(400)],
  ["a negative length", POST("Content-Length: -3\r\n", "abc"), refused(400)],
  ["a transfer coding that nobody knows", POST("Transfer-Encoding: xchunked\r\n", "3\r\nabc\r\n0\r\n\r\n"), refused([400, 501])],
  ["a coding behind a control character", POST("Transfer-Encoding: \x0bchunked\r\nContent-Length: 3\r\n", "abc"), refused([400, 501])],
  ["a chunk that lies about its size", POST("Transfer-Encoding: chunked\r\n", "zz\r\nabc\r\n0\r\n\r\n"), (seen) => assert.ok(!seen?.body?.includes("abc"))],
  ["a header line that is folded", GET("X-A: b\r\n X-User-Id: root\r\n"), (seen) => assert.equal(seen?.headers["x-user-id"], undefined)],
  ["a header name with a space", GET("X-User-Id : root\r\n"), (seen) => assert.equal(seen?.headers["x-user-id"], undefined)],
  ["a header line without a colon", GET("nonsense\r\n"), refused(400)],
  ["a NUL in a header", GET("X-A: a\x00b\r\n"), refused(400)],
  // Too much.
  ["a long URL", GET("", `/public/${"x".repeat(3000)}`), refused(414)],
  ["a long query", GET("", `/public/x?${"x".repeat(3000)}`), refused(414)],
  ["large header fields", GET(`X-A: ${"x".repeat(9000)}\r\n`), refused(431)],
  ["a large body", POST("Content-Length: 2000\r\n", "x".repeat(2000)), refused(413)],
  ["a large body in chunks", POST("Transfer-Encoding: chunked\r\n", `7d0\r\n${"x".repeat(2000)}\r\n0\r\n\r\n`), refused(413)],
  ["a large body, its end in a chunk of its own", POST("Transfer-Encoding: chunked\r\n", `3e8\r\n${"x".repeat(1000)}\r\n64\r\n${"x".repeat(100)}\r\n0\r\n\r\n`), (seen) => assert.equal(seen?.body ?? null, null)],
  ["a GET with a body", `GET /public/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`, { status: 200, calls: 1 }],
  ["a body in chunks that fits", POST("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"), passed({}, { body: "abc" })],
  // Conditions are on what was sent, and nothing near it.
  ["a condition by another case", GET("x-V: 2\r\n", "/v"), { status: 200, calls: 0 }],
  ["a condition met twice over", GET("X-V: 2\r\nX-V: 2\r\n", "/v"), refused(404)],
  ["a condition with more behind it", GET("X-V: 2, 3\r\n", "/v"), refused(404)],
  ["a condition by a name with an underscore", GET("X_V: 2\r\n", "/v"), refused(404)],
];

for (const [what, request, expected] of table) {
  test(what, async () => {
    upstream.seen.length = 0;
    const answer = await raw(gateway.port, request);
    await sleep(5);
    const [seen] = upstream.seen;
    if (typeof expected === "function") return expected(seen);
    // Behind the 100 of one that expects it.
    const status = Number(answer.replace(/^HTTP\/1.1 100 Continue\r\n\r\n/, "").split(" ")[1]);
    assert.ok([expected.status].flat().includes(status), `${expected.status} expected: ${answer}`);
    if (expected.calls !== undefined) assert.equal(upstream.seen.length, expected.calls, "calls to the service");
    for (const [name, value] of Object.entries(expected.headers ?? {})) assert.equal(seen.headers[name] ?? null, value, name);
    if (expected.body !== undefined) assert.equal(seen.body, expected.body);
  });
}

// A body that breaks off must not look like a whole one: half an order is not an order.
for (const [what, path] of [
  ["counted", "/public/x"],
  ["not counted", "/free"],
]) {
  for (const [how, end] of [
    ["the client leaves", ""],
    ["a chunk is none", "zz\r\nabc\r\n"],
    ["a chunk is half there", "5\r\nab"],
  ]) {
    test(`a body in chunks, ${what}, breaks off: ${how}`, async () => {
      upstream.seen.length = 0;
      const socket = net.connect(gateway.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(`POST ${path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
      await until(() => upstream.seen.length === 1, "the call to the service");
      socket.end(end);
      await until(() => upstream.seen[0].gone || upstream.seen[0].body !== null, "an end of it");
      assert.equal(upstream.seen[0].body, null, "the service took it for whole");
      socket.destroy();
    });
  }
}
