// The scenarios of the simulation, once more in real workerd: what the simulation says of the gateway is
// true of it. Left out are those in which time passes, something of the runtime's is down, lots are drawn,
// or a token has a number that JavaScript cannot write; and of the others, what only the simulation knows
// (its addresses, ids and log).
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { after, test } from "node:test";
import { at } from "../../scripts/run.mjs";
import { startGateway, until } from "./harness.mjs";

const SECRET = "a-secret-of-the-scenarios-32-bytes";
const METHODS = ["get", "head", "post", "put", "patch", "delete", "options"];
const OF_THE_SIMULATION = /"(at|certificate|sign|took|pieces|kv|firsts|limiter|rates|environment|binding|hash|weight|hedge|canary|max_headers)":|"stalls"|"status": ?999|"token": ?\{[^}]*\d{16}/;

const files = readdirSync(at("tests", "scenarios"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".json"))
  .map((file) => ({ file, text: readFileSync(at("tests", "scenarios", file), "utf8") }))
  .filter(({ text }) => !OF_THE_SIMULATION.test(text));
assert.ok(files.length >= 40, `only ${files.length} scenarios are left`);

/** The services of a scenario, each host of which is a server of its own. */
async function startServices(hosts, answers, seen) {
  const places = new Map();
  for (const host of hosts) {
    const server = http.createServer(async (request, response) => {
      const url = `http://${host}${request.url}`;
      for await (const _ of request);
      seen.push({ call: `${request.method} ${url}`, headers: request.headers });
      answer(response, answers(url));
    });
    server.on("error", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    after(() => server.closeAllConnections() ?? server.close());
    places.set(host, `127.0.0.1:${server.address().port}`);
  }
  return places;
}

function answer(response, written) {
  if (written === undefined || written === "breaks") return response.destroy();
  const body = written.text ?? (written.json === undefined ? "" : JSON.stringify(written.json));
  response.writeHead(written.status ?? 200, written.headers ?? {});
  response.end(body);
}

/** A token with these claims over the usual ones. */
function token(claims) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: "https://id.example/", aud: "shop", sub: "ada", exp: 300, ...claims };
  for (const name of ["exp", "nbf"]) if (typeof all[name] === "number") all[name] += now;
  for (const [name, value] of Object.entries(all)) if (value === null) delete all[name];
  const signed = `${encode({ alg: "HS256" })}.${encode(all)}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

/** Sends a request as it is written, whatever its path and Host; gives the answer whole. */
async function send(port, method, url, headers, body) {
  const [, authority, target] = /^https?:\/\/([^/?]*)(.*)$/.exec(url);
  const request = http.request({ port, host: "127.0.0.1", method, path: target || "/", headers: { host: authority, ...headers } });
  const [response] = await Promise.all([once(request, "response"), request.end(body)]).then(([answered]) => answered);
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() };
}

/** What only the simulation can say: the client's address, its ids, and that it speaks TLS. */
const isOfTheSimulation = (value) => /192\.0\.2\.7|request-\d|^https$/.test(value ?? "");

/** That a value has what is expected at least, however deep; null is nothing. */
function assertHas(actual, expected, where) {
  if (isOfTheSimulation(expected) || where.endsWith(" ratelimit")) return;
  if (expected === null || typeof expected !== "object") return assert.deepEqual(actual ?? null, expected, where);
  if (Array.isArray(expected)) assert.equal(actual?.length, expected.length, where);
  for (const [key, value] of Object.entries(expected)) assertHas(actual?.[key], value, `${where}, ${key}`);
}

for (const { file, text } of files) {
  test(file.split(path.sep).join("/"), async () => {
    const written = JSON.parse(text);
    const services = written.services ?? {};
    const named = Object.values(written.routes.services ?? {}).flatMap(({ url }) => [url].flat());
    const hosts = new Set(
      [...Object.keys(services), ...named.map((url) => url.url ?? url)].map((url) => url.split("/")[2]),
    );
    const [turns, seen] = [new Map(), []];
    const tokens = new Map();
    /** What is said twice is the same token twice, made when it is first sent. */
    const tokenOf = (claims) => {
      const said = JSON.stringify(claims);
      if (!tokens.has(said)) tokens.set(said, token(claims));
      return tokens.get(said);
    };
    const places = await startServices(hosts, (url) => {
      const all = services[url];
      if (!Array.isArray(all)) return placed(all);
      const turn = turns.get(url) ?? 0;
      turns.set(url, turn + 1);
      return placed(all[Math.min(turn, all.length - 1)]);
    }, seen);
    /** A part of the scenario with the addresses that its services really have. */
    function placed(part) {
      if (part === undefined) return undefined;
      const real = (_, host, end) => `http://${places.get(host) ?? host}${end}`;
      return JSON.parse(JSON.stringify(part).replace(/http:\/\/([^/"?\s]+)([/"?]|$)/g, real).replace("192.0.2.0/24", "127.0.0.0/8"));
    }
    const env = { JWT_SECRET: SECRET, ...written.secrets };
    const bindings = Object.keys(written.secrets ?? {})
      .filter((name) => name !== "JWT_SECRET")
      .map((name) => `(name = "${name}", fromEnvironment = "${name}"),`);
    // As it stands in the file: the order of keys counts.
    const gateway = await startGateway(placed(written.routes), { env, bindings: bindings.join(" ") });
    for (const [number, step] of written.requests.entries()) {
      const what = `request ${number}`;
      seen.length = 0;
      const method = METHODS.find((name) => name in step);
      // The runtime drops a fragment, so that the gateway cannot refuse it.
      if (step[method].includes("#")) continue;
      const length = Number(step.send?.["content-length"] ?? 0);
      const headers = { ...step.send };
      if (step.body !== undefined && typeof step.body !== "string") headers["content-type"] ??= "application/json";
      const written = typeof step.body === "string" ? step.body : JSON.stringify(step.body);
      const body = written ?? (length > 0 ? "x".repeat(length) : undefined);
      if (body !== undefined) headers["content-length"] ??= String(Buffer.byteLength(body));
      if (step.token) headers.authorization = `Bearer ${tokenOf(step.token)}`;
      const got = await send(gateway.port, method.toUpperCase(), step[method], headers, body);
      assert.equal(got.status, step.status, `${what}: ${got.text}`);
      const host = step[method].split("/")[2];
      for (const [name, value] of Object.entries(placed(step.headers ?? {}))) {
        if (isOfTheSimulation(value) || name === "ratelimit") continue;
        const actual = [got.headers[name] ?? null].flat().join("\n") || null;
        assert.equal(actual, value?.replace(`https://${host}/`, `http://${host}/`) ?? null, `${what}: ${name}`);
      }
      if (step.text !== undefined && method !== "head") assert.equal(got.text, placed(step.text), what);
      if (step.json !== undefined) {
        const json = JSON.parse(got.text);
        if (step.json === null || typeof step.json !== "object" || Array.isArray(step.json)) assert.deepEqual(json, step.json, what);
        else for (const [key, value] of Object.entries(step.json)) assert.deepEqual(json[key], value, `${what}: ${key}`);
      }
      if (step.batch !== undefined) assertHas(JSON.parse(got.text), placed(step.batch), `${what}: batch`);
      // A mirror's call comes after the answer.
      if (step.calls) await until(() => seen.length >= step.calls.length, `${what}: its calls`);
      if (step.calls) assert.deepEqual(seen.map(({ call }) => call).sort(), [...step.calls].sort(), what);
      for (const [name, value] of Object.entries(step.service_got ?? {})) {
        // Of the server's own, not of the request's.
        if (isOfTheSimulation(value) || ["host", "connection"].includes(name)) continue;
        assert.equal(seen[0]?.headers[name] ?? null, value, `${what}: the service's ${name}`);
      }
    }
    await gateway.stop();
  });
}
