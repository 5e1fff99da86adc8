// `npm start`: sets up what is missing, builds, starts the demo's three services and `wrangler dev`,
// and prints calls to copy. Ctrl-C ends all of it.
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { build } from "./build.mjs";
import { Fault, at, fromNpm, main, node, say } from "./run.mjs";
import { npmPackages } from "./setup.mjs";
import { mint, secret } from "./token.mjs";

const DEMO = ["user-svc", "order-svc", "notif-svc"];
const READY_WITHIN_MS = 60_000;

const children = [];
let stopping = null;

await main(async () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(0));
  const port = portOfGateway();
  // Told before a set-up of minutes; a file that cannot be read is for the build to refuse.
  await portsAreFree({ ...portsOfServices(), "the gateway": port });
  await npmPackages();
  await build();
  const services = portsOfServices();
  secret();
  if (Object.keys(services).length > 0) say(`Starting the services ${Object.keys(services).join(", ")}`);
  await Promise.all(Object.entries(services).map(startService));
  say("Starting the gateway in wrangler dev");
  startGateway(port);
  await ready(port);
  process.stdout.write(calls(`http://localhost:${port}`, mint("ada"), services));
}, stopChildren);

/** The port of `wrangler dev`, said in wrangler.toml. */
function portOfGateway() {
  return Number(/^\[dev\][^[]*^port\s*=\s*(\d+)/m.exec(readFileSync(at("wrangler.toml"), "utf8"))?.[1] ?? 8787);
}

/** The demo's services that routes.json has on this machine, and their ports there. */
function portsOfServices() {
  let services;
  try {
    services = JSON.parse(readFileSync(at("routes.json"), "utf8")).services;
  } catch {
    return {};
  }
  const ports = DEMO.map((name) => [name, /^http:\/\/(?:127\.0\.0\.1|localhost):(\d+)/.exec(services?.[name]?.url)?.[1]]);
  return Object.fromEntries(ports.filter(([, port]) => port).map(([name, port]) => [name, Number(port)]));
}

async function startService([name, port]) {
  const child = fork(at("demo", `${name}.mjs`), [String(port)], { execPath: node(), stdio: ["ignore", "inherit", "inherit", "ipc"] });
  watch(child, name, child.pid);
  await once(child, "message");
}

function startGateway(port) {
  const flags = ["dev", "--port", String(port), "--ip", "127.0.0.1", "--show-interactive-dev-session=false"];
  const child = spawn(node(), [fromNpm("wrangler"), ...flags], {
    cwd: at(),
    // A group of its own: wrangler starts processes that must end with it.
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
    // The file was fine at the start; one that is saved with a fault must not stop what runs.
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", POSTERN_KEEP_LAST_GOOD: "1" },
  });
  watch(child, "wrangler dev", -child.pid);
  child.stdout.pipe(process.stdout);
}

/** Keeps a child to be ended; `target` is what signals go to: its process or, negative, its group. */
function watch(child, name, target) {
  children.push({ child, target });
  child.on("exit", (code, signal) => {
    if (stopping) return;
    process.stderr.write(`\x1b[31m✗ ${name} ended (${signal ?? code}); stopping the rest\x1b[0m\n`);
    stop(1);
  });
}

/** Ends every child, and then this process. */
function stop(code) {
  stopping ??= stopChildren().then(() => process.exit(code));
  return stopping;
}

function stopChildren() {
  return Promise.all(children.map(end));
}

async function end({ child, target }) {
  const send = (signal) => {
    try {
      process.kill(target, signal);
    } catch {
      // It is gone already.
    }
  };
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, "exit");
    send("SIGTERM");
    const patience = setTimeout(send, 3000, "SIGKILL");
    await gone;
    clearTimeout(patience);
  }
  // A group may outlive the process that led it.
  if (target < 0) send("SIGKILL");
}

async function portsAreFree(ports) {
  for (const [name, port] of Object.entries(ports)) {
    const server = net.createServer().listen(port, "127.0.0.1");
    const free = await new Promise((resolve) => {
      server.once("listening", () => resolve(true));
      server.once("error", () => resolve(false));
    });
    server.close();
    if (!free) throw new Fault(`Port ${port}, which ${name} needs, is in use. Stop what listens there and start again.`);
  }
}

async function ready(port) {
  const end = Date.now() + READY_WITHIN_MS;
  while (Date.now() < end) {
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null);
    if (answer !== null) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Fault(`The gateway does not answer on port ${port}. What wrangler said is above.`);
}

function calls(url, token, services) {
  if (Object.keys(services).length < DEMO.length) return `\nThe gateway is at ${url}. Ctrl-C ends it.\n\n`;
  const bearer = `-H "Authorization: Bearer ${token}"`;
  return `
The gateway is at ${url}. Copy a line into another terminal:

  one call, three services, one answer
    curl -i ${url}/dashboard ${bearer}

  one service, its answer handed on
    curl -i ${url}/orders/1001 ${bearer}

  refused: there is no token
    curl -i ${url}/dashboard

  25 calls in a row: the caller's limit is 20 at once
    for i in $(seq 25); do curl -s -o /dev/null -w '%{http_code} ' ${url}/dashboard ${bearer}; done; echo

Change routes.json and save it: the gateway takes it over. Ctrl-C ends everything.

`;
}
