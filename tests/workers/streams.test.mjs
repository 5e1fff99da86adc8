// What stays open: WebSockets and event streams, through the gateway as if it were not there.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { after, test } from "node:test";
import { CUSTOMER, bearer, json, startGateway, startUpstream } from "./harness.mjs";

/** A service that takes WebSockets (RFC 6455) and sends each short text message back in upper case. */
async function startEcho() {
  const seen = [];
  const server = http.createServer((request, response) => json(response, { upgrade: request.headers.upgrade ?? null }));
  server.on("upgrade", (request, socket) => {
    seen.push({ target: request.url, headers: request.headers });
    if (request.url === "/refused") return socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nServer: echo\r\n" +
        `Sec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`,
    );
    socket.on("error", () => {});
    socket.on("data", (frame) => {
      const [kind, length] = [frame[0] & 15, frame[1] & 127];
      if (kind === 8) return socket.end(Buffer.from([0x88, 0]));
      const mask = frame.subarray(2, 6);
      const text = Buffer.from(frame.subarray(6, 6 + length).map((byte, at) => byte ^ mask[at % 4])).toString();
      const answer = Buffer.from(text.toUpperCase());
      socket.write(Buffer.concat([Buffer.from([0x81, answer.length]), answer]));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.closeAllConnections() ?? server.close());
  return { url: `http://127.0.0.1:${server.address().port}`, seen };
}

const echo = await startEcho();
const events = await startUpstream();
const gateway = await startGateway({
  services: { echo: { url: echo.url }, events: { url: events.url } },
  auth: { customer: CUSTOMER },
  routes: [
    { path: ["/ws", "/refused"], auth: "public", request_headers: { set: { "x-tenant": "acme" } }, forward: "echo" },
    { path: "/mine", auth: "customer", forward: "echo:/ws" },
    { path: "/events", auth: "public", forward: "events" },
  ],
});
const socketTo = (path) => new WebSocket(gateway.url.replace("http", "ws") + path);

test("a WebSocket is passed through, both ways", async () => {
  const socket = socketTo("/ws?room=1");
  await once(socket, "open");
  for (const text of ["hello", "again"]) {
    socket.send(text);
    const [message] = await once(socket, "message");
    assert.equal(message.data, text.toUpperCase());
  }
  socket.close();
  await once(socket, "close");
  const [seen] = echo.seen;
  assert.equal(seen.target, "/ws?room=1");
  assert.equal(seen.headers["x-tenant"], "acme");
  assert.equal(seen.headers["x-forwarded-for"], "127.0.0.1");
});

test("a WebSocket needs the token that its route needs", async () => {
  echo.seen.length = 0;
  await once(socketTo("/mine"), "error");
  assert.equal(echo.seen.length, 0);
});

test("a service may refuse a WebSocket", async () => {
  await once(socketTo("/refused"), "error");
});

test("another upgrade does not pass", async () => {
  const answer = await fetch(`${gateway.url}/ws`);
  assert.deepEqual(await answer.json(), { upgrade: null });
  const h2c = await new Promise((resolve, reject) => {
    const headers = { connection: "upgrade, http2-settings", upgrade: "h2c", "http2-settings": "AAMAAABkAAQAAP__" };
    http.get(`${gateway.url}/ws`, { headers }, resolve).on("error", reject);
  });
  assert.equal(h2c.statusCode, 200);
  h2c.resume();
});

test("events come as they are sent", async () => {
  let send;
  events.handle = (request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    response.flushHeaders();
    send = (text) => (text === null ? response.end() : response.write(`data: ${text}\n\n`));
  };
  const answer = await fetch(`${gateway.url}/events`, { headers: { accept: "text/event-stream", ...bearer() } });
  assert.equal(answer.headers.get("content-type"), "text/event-stream");
  const reader = answer.body.getReader();
  // Each event is asked for before the next one is sent: none may wait for another.
  for (const text of ["one", "two", "three"]) {
    send(text);
    const { value } = await reader.read();
    assert.equal(Buffer.from(value).toString(), `data: ${text}\n\n`);
  }
  send(null);
  assert.equal((await reader.read()).done, true);
});
