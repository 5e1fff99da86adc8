// What the end-to-end tests stand on: the built gateway in plain workerd, upstreams that do as they
// are told and remember what they got, tokens, and requests as raw as a test wants them.
import { createHmac } from "node:crypto";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after } from "node:test";
import { ENTRY } from "../../scripts/build.mjs";
import { compiled } from "../../scripts/compiler.mjs";
import { at, fromNpm } from "../../scripts/run.mjs";

export const SECRET = "a-secret-of-the-tests-of-32-bytes";

/** The auth rule that `token` mints for. */
export const CUSTOMER = {
  jwt: { issuer: "https://id.test/", audience: "shop", keys: [{ alg: "HS256", secret: "{env.JWT_SECRET}" }] },
};

const GATEWAY_FILES = [...ENTRY, "index.js"];
/** What wraps the gateway in a probe; the first is then the entry. */
const PROBE_FILES = ["probed-worker.mjs", "probe.mjs"];

/**
 * Starts plain `workerd serve` with a build of the gateway and a routes.json. Ends with the tests.
 *
 * `build` is the folder of the build, `wasm` a file of it to run in place of the Wasm with the routes. `probe` puts a
 * counter of crossings around the Wasm. `services` and `bindings` are lines of workerd's configuration, beside those
 * that are there, `http` options of its socket, `listens` the address of that, `flags` the compatibility flags in place of
 * the project's.
 */
export async function startGateway(routes, options = {}) {
  const gateway = await launch(routes, options);
  if (gateway.failed) throw new Error(`workerd did not start:\n${gateway.log()}`);
  return gateway;
}

/**
 * Puts a gateway into `build/` below a folder: the files of a build, and the Wasm with a routes.json, which is a text or a
 * value. Gives the faults of that, a line each; with any there is no gateway.
 */
export function putGateway(folder, routes, build = "build") {
  mkdirSync(path.join(folder, "build"), { recursive: true });
  const { faults, wasm } = compiled(at(build), typeof routes === "string" ? routes : JSON.stringify(routes));
  if (wasm !== undefined) writeFileSync(path.join(folder, "build", "index_bg.wasm"), wasm);
  for (const file of GATEWAY_FILES) copyFileSync(at(build, file), path.join(folder, "build", file));
  return faults;
}

/** As `startGateway`, but gives back what workerd said if it did not start. */
export async function launch(routes, options = {}) {
  const { build = "build", wasm, probe = false, env = { JWT_SECRET: SECRET }, services = "", bindings = "", http = "", listens = "127.0.0.1", flags } = options;
  const folder = mkdtempSync(path.join(tmpdir(), "postern-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const faults = putGateway(folder, routes, build);
  if (faults.length > 0) throw new Error(`routes.json is refused:\n${faults.join("\n")}`);
  if (wasm !== undefined) copyFileSync(at(build, wasm), path.join(folder, "build", "index_bg.wasm"));
  mkdirSync(path.join(folder, ".limits"));
  for (const file of PROBE_FILES) copyFileSync(at("tests", "workers", file), path.join(folder, "build", file));
  const port = await freePort();
  writeFileSync(path.join(folder, "workerd.capnp"), config(port, { probe, services, bindings, http, listens, flags }));

  const gateway = { url: `http://127.0.0.1:${port}`, port };
  let log = "";
  gateway.log = () => log;
  gateway.get = (target, headers = {}) => fetch(gateway.url + target, { headers, redirect: "manual" });

  let child;
  gateway.start = async () => {
    child = spawn(fromNpm("workerd"), ["serve", "workerd.capnp"], { cwd: folder, env });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (log += data));
    gateway.pid = child.pid;
    gateway.ended = once(child, "exit");
    gateway.failed = await Promise.race([gateway.ended.then(() => true), answering(port, child).then(() => false)]);
  };
  gateway.stop = async () => {
    child.kill("SIGKILL");
    await gateway.ended;
  };
  after(() => gateway.stop());
  await gateway.start();
  return gateway;
}

/** The project's own configuration, on another port, maybe with the probe in front and more to reach. */
function config(port, { probe, services, bindings, http, listens, flags }) {
  const modules = probe ? PROBE_FILES.map((name) => `(name = "${name}", esModule = embed "build/${name}"),`) : [];
  return readFileSync(at("workerd.capnp"), "utf8")
    .replace('"*:8787"', `"${listens}:${port}"`)
    .replace("http = ()", `http = (${http})`)
    .replace("services = [", `services = [ ${services}`)
    .replace("bindings = [", `bindings = [ ${bindings}`)
    .replace(/compatibilityFlags = \[.*\]/, (given) => (flags === undefined ? given : `compatibilityFlags = [${flags}]`))
    .replace("modules = [", `modules = [ ${modules.join(" ")}`);
}

/**
 * Starts an HTTP server that answers with `handle(request, response)` and keeps what it got:
 * `seen` has the method, target, header fields (as a plain object), body and whether the peer
 * went away before it was answered.
 */
export async function startUpstream(handle = (request, response) => response.end("{}")) {
  const upstream = { seen: [], handle };
  const server = http.createServer(async (request, response) => {
    const entry = { method: request.method, target: request.url, headers: request.headers, gone: false, body: null };
    upstream.seen.push(entry);
    response.on("close", () => (entry.gone = !response.writableFinished));
    request.on("error", () => {});
    upstream.handle(request, response, entry);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  upstream.url = `http://127.0.0.1:${server.address().port}`;
  upstream.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return upstream;
}

/** The body of a request, as text; undefined where the client broke off. */
export async function bodyOf(request) {
  const chunks = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString();
}

/** Answers with JSON. */
export function json(response, value, status = 200) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

/** A token for `CUSTOMER`, with these claims over the usual ones. */
export function token(claims = {}, { secret = SECRET, header = {} } = {}) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const usual = { iss: "https://id.test/", aud: "shop", sub: "ada", iat: now, exp: now + 300 };
  const signed = `${encode({ alg: "HS256", typ: "JWT", ...header })}.${encode({ ...usual, ...claims })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** The `Authorization` header of a token. */
export const bearer = (...of) => ({ authorization: `Bearer ${token(...of)}` });

/** Sends text as it is, gives back what comes until the connection ends. */
export async function raw(port, text) {
  const socket = net.connect(port, "127.0.0.1");
  let answer = "";
  socket.on("data", (data) => (answer += data));
  socket.on("error", () => {});
  socket.write(text);
  await once(socket, "close");
  return answer;
}

/** Asks for a target exactly as written; gives status and body. */
export async function rawGet(port, target, headers = "") {
  const answer = await raw(port, `GET ${target} HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n${headers}\r\n`);
  return { status: Number(answer.split(" ")[1]), text: answer };
}

/** Waits until a condition holds; fails after a while. */
export async function until(condition, what, ms = 5000) {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never happened: ${what}`);
    await sleep(10);
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A port that nothing listens on. */
export async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves once something answers HTTP on a port, or never if the process meant to do so ends. */
export async function answering(port, child, ms = 20_000) {
  const end = Date.now() + ms;
  while (Date.now() < end && child.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    await answer?.arrayBuffer();
    if (answer !== null) return;
    await sleep(20);
  }
  if (child.exitCode === null) throw new Error(`nothing answers on port ${port}`);
  await new Promise(() => {});
}
