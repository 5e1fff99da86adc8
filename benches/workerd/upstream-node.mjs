// The services behind all contenders, in a process of their own: every answer is there beforehand.
import http from "node:http";
import { cases } from "./cases.mjs";

const upstreams = Object.values(cases).flatMap(({ upstream }) => Object.entries(upstream));
const bodies = new Map(upstreams.map(([path, value]) => [path, Buffer.from(JSON.stringify(value))]));

const server = http.createServer((request, response) => {
  const body = bodies.get(request.url);
  response.writeHead(body ? 200 : 404, { "content-type": "application/json", "content-length": body?.length ?? 0 });
  response.end(body);
});
// No connection is closed while somebody is about to use it.
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => process.send(server.address().port));
process.on("disconnect", () => process.exit());
