// A forwarded route: what the client sent is what the service gets, and the other way round.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { CUSTOMER, bearer, json, raw, sleep, startGateway, startUpstream, until } from "./harness.mjs";

const orders = await startUpstream();
const dead = await startUpstream();
dead.stop();
const routes = {
  services: { orders: { url: orders.url + "/base", timeout: "500ms" }, dead: { url: dead.url } },
  auth: { customer: CUSTOMER },
  routes: [
    { path: ["/orders", "/orders/{*rest}"], auth: "public", forward: "orders" },
    { path: "/mine/{id}", auth: "customer", forward: "orders:/users/{jwt.sub}/orders/{id}" },
    { path: "/late", auth: "public", forward: { to: "orders", timeout: "200ms" } },
    { path: "/patient", auth: "public", forward: { to: "orders", timeout: "20s" } },
    { path: "/held", auth: "public", forward: { to: "orders", timeout: "1500ms" } },
    { path: "/dead", auth: "public", forward: "dead" },
    { path: "/health", auth: "public", reply: { body: { status: "ok" } } },
  ],
};
const gateway = await startGateway(routes, { probe: true });

function answering(handle) {
  orders.seen.length = 0;
  orders.handle = handle;
}

/** An upstream's handler that reads the body, keeps it, and answers with `status`. */
const keepBody = (status = 200) => async (request, response, entry) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  entry.body = Buffer.concat(chunks).toString();
  response.writeHead(status, { "content-type": "text/plain", "x-own": "kept" });
  response.end("answer");
};

for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
  test(`${method} goes on as ${method}, with target, fields and body`, async () => {
    answering(keepBody(201));
    const body = ["GET", "OPTIONS"].includes(method) ? undefined : "the body";
    const headers = { "content-type": "text/x-test", "x-custom": "1", cookie: "a=b", authorization: "Basic eA==" };
    const answer = await fetch(`${gateway.url}/orders/7%20a?q=a+b&q=%C3%A9&empty`, { method, headers, body });
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get("x-own"), "kept");
    assert.equal(await answer.text(), "answer");
    const [seen] = orders.seen;
    assert.equal(seen.method, method);
    assert.equal(seen.target, "/base/orders/7%20a?q=a+b&q=%C3%A9&empty");
    assert.equal(seen.body, body ?? "");
    for (const [name, value] of Object.entries(headers)) assert.equal(seen.headers[name], value, name);
    assert.equal(seen.headers.host, new URL(orders.url).host);
  });
}

test("what a client may not say does not arrive", async () => {
  answering(keepBody());
  await raw(
    gateway.port,
    [
      "GET /orders HTTP/1.1",
      "Host: public.test",
      "Connection: close, x-hop, authorization",
      "X-Hop: 1",
      "Authorization: Bearer mine",
      "X-User-Id: admin",
      "X-Forwarded-For: 6.6.6.6",
      "X-Forwarded-Host: evil",
      "Forwarded: for=6.6.6.6",
      "CF-Connecting-IP: 6.6.6.6",
      "X-Real-IP: 6.6.6.6",
      "X-Original-URL: /admin",
      "X-HTTP-Method-Override: DELETE",
      "X-Request-Id: forged",
      "X_User_Id: admin",
      "X_Forwarded_For: 6.6.6.6",
      "Remote-User: admin",
      "Proxy-Authorization: x",
      "",
      "",
    ].join("\r\n"),
  );
  const { headers } = orders.seen[0];
  for (const name of [
    ...["x-hop", "authorization", "x-user-id", "forwarded", "cf-connecting-ip", "x-real-ip", "x-original-url"],
    ...["x-http-method-override", "proxy-authorization", "x_user_id", "x_forwarded_for", "remote-user"],
  ]) {
    assert.equal(headers[name], undefined, name);
  }
  assert.equal(headers["x-forwarded-for"], "127.0.0.1");
  assert.equal(headers["x-forwarded-host"], "public.test");
  assert.notEqual(headers["x-request-id"], "forged");
});

test("a service is told an address of IPv4 as such, also where workerd listens for both at once", async () => {
  const file = { services: { orders: { url: orders.url } }, routes: [{ path: "/orders", auth: "public", forward: "orders" }] };
  const listening = await startGateway(file, { listens: "*" });
  const hasIpv6 = Object.values(os.networkInterfaces()).flat().some(({ address }) => address === "::1");
  for (const [host, address] of [["127.0.0.1", "127.0.0.1"], ...(hasIpv6 ? [["[::1]", "::1"]] : [])]) {
    answering(keepBody());
    assert.equal((await fetch(`http://${host}:${listening.port}/orders`)).status, 200, host);
    assert.equal(orders.seen[0].headers["x-forwarded-for"], address);
  }
});

test("what tells of the inside does not come out; the rest does", async () => {
  answering((request, response) => {
    response.writeHead(200, {
      server: "nginx/1.2",
      "x-powered-by": "Express",
      etag: '"1"',
      "set-cookie": ["a=1", "b=2"],
      "x-request-id": "of the inside",
    });
    response.end("x");
  });
  const answer = await gateway.get("/orders");
  assert.equal(answer.headers.get("server"), null);
  assert.equal(answer.headers.get("x-powered-by"), null);
  assert.equal(answer.headers.get("etag"), '"1"');
  assert.deepEqual(answer.headers.getSetCookie(), ["a=1", "b=2"]);
  assert.match(answer.headers.get("x-request-id"), /^[0-9a-f-]{36}$/);
});

for (const status of [204, 301, 302, 304, 307, 400, 401, 404, 418, 429, 500, 503]) {
  test(`status ${status} is kept`, async () => {
    answering((request, response) => response.writeHead(status, { location: "/elsewhere" }).end());
    const answer = await gateway.get("/orders");
    assert.equal(answer.status, status);
    assert.equal(answer.headers.get("location"), "/elsewhere");
    assert.equal(orders.seen.length, 1);
  });
}

test("a status that is none is 502, with the id of the request", async () => {
  answering((request, response) => response.socket.end("HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok"));
  const answer = await gateway.get("/orders");
  assert.equal(answer.status, 502);
  assert.equal((await answer.json()).request_id, answer.headers.get("x-request-id"));
});

test("a path is rewritten by its template", async () => {
  answering(keepBody());
  await gateway.get("/mine/7?a=1", bearer({ sub: "a|b" }));
  assert.equal(orders.seen[0].target, "/base/users/a%7Cb/orders/7?a=1");
});

test("a compressed answer passes as it is", async () => {
  const zipped = gzipSync("x".repeat(10_000));
  answering((request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(zipped));
  const { headers, body } = await new Promise((resolve) => {
    http.get(`${gateway.url}/orders`, { headers: { "accept-encoding": "gzip" } }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ headers: response.headers, body: Buffer.concat(chunks) });
    });
  });
  assert.equal(headers["content-encoding"], "gzip");
  assert.ok(body.equals(zipped));
});

test("a body comes through as it is written, not when it ends", async () => {
  let goOn;
  answering(async (request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: first\n\n");
    await new Promise((resolve) => (goOn = resolve));
    response.end("data: last\n\n");
  });
  const answer = await gateway.get("/orders");
  const reader = answer.body.getReader();
  assert.equal(Buffer.from((await reader.read()).value).toString(), "data: first\n\n");
  await sleep(700); // longer than the service's time limit, which is for the head
  goOn();
  assert.equal(Buffer.from((await reader.read()).value).toString(), "data: last\n\n");
});

test("answers that are handed on at once leave nothing behind", async () => {
  answering((_, response) => response.end("{}"));
  for (const log of ["none", "all"]) {
    const file = { log, services: { orders: { url: orders.url } }, routes: [{ path: "/x", auth: "public", forward: "orders" }] };
    const probed = await startGateway(file, { probe: true });
    const probe = async () => (await fetch(`${probed.url}/probe`)).json();
    const load = async (calls) => {
      for (let call = 0; call < calls; call += 20) {
        await Promise.all(Array.from({ length: 20 }, async () => (await fetch(`${probed.url}/x`)).arrayBuffer()));
      }
    };
    // The Wasm lets go of sixteen at once.
    await load(1600);
    const before = await probe();
    await load(3200);
    const after = await probe();
    const entries = (name) => after.names[name] - before.names[name];
    assert.equal(entries(log === "none" ? "forget" : "handedOn"), 3200);
    assert.ok(after.memory - before.memory < 3200 * 60, `${before.memory} before, ${after.memory} after`);
  }
});

test("a status line that the runtime cannot write shuts no service out", async (context) => {
  let phrase = "a\tb";
  const upstream = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => socket.write(`HTTP/1.1 200 ${phrase}\r\nContent-Length: 4\r\n\r\nbody`));
  });
  await new Promise((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  context.after(() => upstream.close().unref());
  const odd = { url: `http://127.0.0.1:${upstream.address().port}`, breaker: {} };
  const guarded = await startGateway({ services: { odd }, routes: [{ path: "/x", auth: "public", forward: "odd" }] });
  for (let call = 0; call < 30; call += 1) assert.equal((await guarded.get("/x")).status, 500);
  phrase = "OK";
  assert.equal((await guarded.get("/x")).status, 200);
});

test("5 MB go up and come down without passing through the Wasm memory", async () => {
  const probe = async () => (await gateway.get("/probe")).json();
  const digest = (data) => createHash("sha256").update(data).digest("hex");
  const payload = randomBytes(5 << 20);
  answering(async (request, response, entry) => {
    const hash = createHash("sha256");
    for await (const chunk of request) hash.update(chunk);
    entry.body = hash.digest("hex");
    response.end(payload);
  });
  await gateway.get("/orders").then((answer) => answer.arrayBuffer());
  const before = await probe();
  const answer = await fetch(`${gateway.url}/orders`, { method: "POST", body: payload });
  const received = Buffer.from(await answer.arrayBuffer());
  const after = await probe();
  assert.equal(orders.seen[1].body, digest(payload));
  assert.equal(digest(received), digest(payload));
  assert.ok(after.memory - before.memory < 1 << 20, `the memory grew by ${after.memory - before.memory}`);
});

test("a service that is not there is 502, one that is late 504", async () => {
  const nowhere = await gateway.get("/dead");
  assert.equal(nowhere.status, 502);
  assert.doesNotMatch(await nowhere.text(), /127\.0\.0\.1|dead|ECONN/);
  answering(() => {});
  const late = await gateway.get("/late");
  assert.equal(late.status, 504);
  await until(() => orders.seen[0].gone, "the abort of the late call");
});

test("a client that goes away aborts the forwarded call", async () => {
  answering(() => {});
  const client = net.connect(gateway.port, "127.0.0.1");
  client.write("GET /patient HTTP/1.1\r\nHost: g\r\n\r\n");
  await until(() => orders.seen.length === 1, "the call");
  client.resetAndDestroy();
  await until(() => orders.seen[0].gone, "the abort of the call");
});

test("without a line in the log, clients that go away leave nothing behind: the next request ends what they began", async () => {
  answering((request, response) => request.url.endsWith("/held") || response.end());
  const quiet = await startGateway({ ...routes, log: "none" }, { probe: true });
  const ended = async () => (await (await quiet.get("/probe")).json()).names.failed ?? 0;
  const clients = Array.from({ length: 5 }, () => net.connect(quiet.port, "127.0.0.1"));
  for (const client of clients.slice(1)) client.write("GET /held HTTP/1.1\r\nHost: g\r\n\r\n");
  clients[0].write("POST /held HTTP/1.1\r\nHost: g\r\nContent-Length: 0\r\n\r\n");
  await until(() => orders.seen.length === clients.length, "the calls");
  for (const client of clients) client.resetAndDestroy();
  await until(() => orders.seen.every(({ gone }) => gone), "the abort of the calls");
  assert.equal(await ended(), 0);
  // Once their time is over they are overdue; who still is a time later, in which a timer may be late, was cut off.
  for (const [waits, count] of [[1600, 0], [2700, clients.length], [0, clients.length]]) {
    await sleep(waits);
    assert.equal((await quiet.get("/orders/1")).status, 200);
    assert.equal(await ended(), count);
  }
  assert.equal(quiet.log(), "");
});

test("without a line in the log, no more than 256 can leave something behind: of more, it is noticed", async () => {
  answering(() => {});
  const quiet = await startGateway({ ...routes, log: "none" }, { probe: true });
  const clients = Array.from({ length: 260 }, () => net.connect(quiet.port, "127.0.0.1"));
  for (const client of clients) client.write("GET /patient HTTP/1.1\r\nHost: g\r\n\r\n");
  await until(() => orders.seen.length === clients.length, "the calls");
  for (const client of clients) client.resetAndDestroy();
  await until(() => orders.seen.every(({ gone }) => gone), "the abort of the calls");
  const { names } = await (await quiet.get("/probe")).json();
  assert.equal(names.failed, 4);
});

test("without a line in the log, a client that stays gets its answer, however late", async () => {
  answering(() => {});
  const quiet = await startGateway({ ...routes, log: "none" });
  const answers = await Promise.all(Array.from({ length: 5 }, () => quiet.get("/late")));
  for (const { status } of answers) assert.equal(status, 504);
});

test("the gateway's own routes ask no service", async () => {
  answering(keepBody());
  const answer = await gateway.get("/health");
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { status: "ok" });
  assert.equal(orders.seen.length, 0);
});

test("no route is 404, another method 405 with Allow", async () => {
  const nothing = await gateway.get("/nothing");
  assert.equal(nothing.status, 404);
  assert.equal(nothing.headers.get("content-type"), "application/problem+json");
  const other = await fetch(`${gateway.url}/health`, { method: "POST" });
  assert.equal(other.status, 405);
  assert.equal(other.headers.get("allow"), "GET, HEAD, OPTIONS");
});

test("a token that lacks a claim of the path is 403, one that cannot stand there 400", async () => {
  answering((request, response) => json(response, {}));
  for (const sub of [undefined, "", ["a"]]) {
    assert.equal((await gateway.get("/mine/7", bearer({ sub }))).status, 403);
  }
  for (const sub of ["..", ".", "a/b", "../admin"]) {
    assert.equal((await gateway.get("/mine/7", bearer({ sub }))).status, 400, `sub ${sub}`);
  }
  assert.equal(orders.seen.length, 0);
});
