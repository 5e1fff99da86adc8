// What the demo's services have in common: JSON over HTTP on localhost, after a little latency.
import { createServer } from "node:http";

/**
 * Serves on the port that the command line names. `routes` is a list of [method, pattern, answer]:
 * `answer` gets what the pattern captured, the query and the body, and gives what becomes JSON;
 * `undefined` is 404.
 */
export function serve(name, latency, routes) {
  const port = Number(process.argv[2]);
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://localhost");
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    await new Promise((resolve) => setTimeout(resolve, latency * (0.5 + Math.random())));
    let value;
    for (const [method, pattern, answer] of routes) {
      const captured = method === request.method && pattern.exec(url.pathname);
      if (captured) value = answer({ captured, query: url.searchParams, body: Buffer.concat(chunks).toString() });
    }
    response.writeHead(value === undefined ? 404 : 200, { "content-type": "application/json", server: name });
    response.end(JSON.stringify(value ?? { error: "not found" }));
  });
  server.listen(port, "127.0.0.1", () => process.send?.("listening"));
  process.on("disconnect", () => process.exit());
}
