// The services by Node, where there is no nginx: `node upstream-node.mjs FOLDER PORT`. Every file of the folder
// is in memory beforehand.
import { readFileSync, readdirSync } from "node:fs";
import http from "node:http";
import path from "node:path";

const [folder, port] = process.argv.slice(2);
const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const bodies = new Map(
  files.map((entry) => {
    const file = path.join(entry.parentPath, entry.name);
    return [`/${path.relative(folder, file)}`, readFileSync(file)];
  }),
);

const server = http.createServer((request, response) => {
  const body = bodies.get(request.url);
  response.writeHead(body ? 200 : 404, { "content-type": "application/json", "content-length": body?.length ?? 0 });
  response.end(body);
});
// No connection is closed while somebody is about to use it.
server.keepAliveTimeout = 600_000;
server.listen(Number(port), "127.0.0.1");
