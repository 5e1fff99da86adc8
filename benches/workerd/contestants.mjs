// The contenders, each in a `workerd serve` of its own, and the upstream behind them.
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { tmpdir } from "node:os";
import path from "node:path";
import { Fault, at, fromNpm, node, run } from "../../scripts/run.mjs";
import { GATEWAY_FILES, answering, freePort } from "../../tests/workers/harness.mjs";
import { SECRET, cases, routes } from "./cases.mjs";

/** The contender that the others are compared with. */
export const YARDSTICK = "bare JavaScript";

const PEERS = { [YARDSTICK]: "bare.mjs", Hono: "hono.mjs" };

/** Starts the upstream and all contenders: by name, a `port` and a `pid`; and `stop`, which ends them. */
export async function startContenders() {
  const folder = mkdtempSync(path.join(tmpdir(), "postern-bench-"));
  const children = [];
  // Also where the process ends by a fault or a signal, so nothing here waits.
  const stop = () => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
    process.off("exit", stop);
  };
  process.on("exit", stop);
  const upstream = fork(at("benches", "workerd", "upstream-node.mjs"), { execPath: node() });
  children.push(upstream);
  const [upstreamPort] = await once(upstream, "message");
  const url = `http://127.0.0.1:${upstreamPort}`;

  const contenders = { Postern: await start(postern(path.join(folder, "postern"), url), children) };
  for (const [name, file] of Object.entries(PEERS)) {
    contenders[name] = await start(await peer(path.join(folder, name), at("benches", "workerd", "peers", file), url), children);
  }
  return { contenders, stop };
}

/** Fails unless all contenders give the same answer to a case, as JSON. */
export async function answerAlike(contenders, name) {
  const answers = [];
  for (const [contender, { port }] of Object.entries(contenders)) {
    const headers = cases[name].headers?.(0);
    const answer = await fetch(`http://127.0.0.1:${port}/${name}`, { headers });
    if (headers !== undefined && (await fetch(`http://127.0.0.1:${port}/${name}`)).status !== 401) {
      throw new Fault(`${contender} lets in who has no token, in ${name}`);
    }
    const text = await answer.text();
    if (answer.status !== 200) throw new Fault(`${contender} answers ${name} with ${answer.status}: ${text.slice(0, 200)}`);
    answers.push([contender, JSON.parse(text)]);
  }
  const [[first, expected], ...others] = answers;
  for (const [contender, value] of others) {
    if (!isDeepStrictEqual(value, expected)) throw new Fault(`${contender} answers ${name} otherwise than ${first}`);
  }
}

/** A folder with the built gateway and a configuration; gives both. */
function postern(folder, upstream) {
  mkdirSync(path.join(folder, "build"), { recursive: true });
  mkdirSync(path.join(folder, ".limits"));
  for (const file of GATEWAY_FILES) copyFileSync(at("build", file), path.join(folder, "build", file));
  writeFileSync(path.join(folder, "build", "routes.json"), JSON.stringify(routes(upstream)));
  return { folder, config: (port) => ours().replace('"*:8787"', `"127.0.0.1:${port}"`) };
}

/** The same with a peer, in one file. */
async function peer(folder, file, upstream) {
  const bundle = ["--bundle", "--format=esm", "--external:cloudflare:workers", "--log-level=warning"];
  await run(fromNpm("esbuild"), [file, ...bundle, `--outfile=${folder}/worker.mjs`]);
  mkdirSync(path.join(folder, ".counts"));
  const [date] = /compatibilityDate = "[^"]+"/.exec(ours());
  const config = (port) => `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [
        (name = "peer", worker = .peer),
        (name = "internet", network = (allow = ["public", "private"])),
        (name = "counts", disk = (path = ".counts", writable = true)),
      ],
      sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "peer")],
    );
    const peer :Workerd.Worker = (
      modules = [(name = "worker.mjs", esModule = embed "worker.mjs")],
      ${date},
      bindings = [
        (name = "UPSTREAM", text = "${upstream}"),
        (name = "JWT_SECRET", text = "${SECRET}"),
        (name = "COUNTER", durableObjectNamespace = "Counter"),
      ],
      durableObjectNamespaces = [(className = "Counter", uniqueKey = "counter", enableSql = true)],
      durableObjectStorage = (localDisk = "counts"),
    );`;
  return { folder, config };
}

const ours = () => readFileSync(at("workerd.capnp"), "utf8");

/** Starts workerd there; waits until it answers. */
async function start({ folder, config }, children) {
  const port = await freePort();
  writeFileSync(path.join(folder, "workerd.capnp"), config(port));
  const child = spawn(fromNpm("workerd"), ["serve", "workerd.capnp"], {
    cwd: folder,
    env: { ...process.env, JWT_SECRET: SECRET },
    stdio: ["ignore", "ignore", "pipe"],
  });
  children.push(child);
  let said = "";
  child.stderr.on("data", (data) => (said = (said + data).slice(-2000)));
  const ended = once(child, "exit").then(() => true);
  if (await Promise.race([ended, answering(port, child).then(() => false)])) {
    throw new Fault(`workerd did not start in ${path.basename(folder)}: ${said.trim()}`);
  }
  return { port, pid: child.pid };
}

