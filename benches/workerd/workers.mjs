// The folders from which `workerd serve` runs the contestants: Postern's build, and peers in one file each.
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { Fault, at, fromNpm, run } from "../../scripts/run.mjs";
import { putGateway } from "../../tests/workers/harness.mjs";
import { routes } from "./cases.mjs";
import { bareWorker, honoWorker } from "./many-routes.mjs";
import { SECRET } from "./tokens.mjs";

const ours = () => readFileSync(at("workerd.capnp"), "utf8");

/** Postern with the routes of the cases, or with so many: the built gateway and the project's own configuration. */
export function posternIn(folder, upstream, count, settings = {}) {
  const faults = putGateway(folder, { ...routes(upstream, count), ...settings });
  if (faults.length > 0) throw new Fault(`The routes of the cases are refused:\n${faults.join("\n")}`);
  mkdirSync(path.join(folder, ".limits"), { recursive: true });
  return { folder, config: (port) => ours().replace('"*:8787"', `"127.0.0.1:${port}"`) };
}

/** Postern as it is, but for its Wasm, in whose place are constants. */
export async function constantsIn(folder, upstream) {
  const postern = posternIn(folder, upstream);
  const bundle = ["--bundle", "--minify", "--format=esm", "--log-level=warning", `--define:UPSTREAM=${JSON.stringify(upstream)}`];
  await run(fromNpm("esbuild"), [at("benches/workerd/constants.mjs"), ...bundle, "--allow-overwrite", `--outfile=${folder}/build/index.js`]);
  return postern;
}

export const bareIn = (folder, upstream, count) => peerIn(folder, upstream, count === undefined ? at("benches/workerd/peers/bare.mjs") : bareWorker(count));
export const honoIn = (folder, upstream, count) => peerIn(folder, upstream, count === undefined ? at("benches/workerd/peers/hono.mjs") : honoWorker(count));

/** The bare worker, deployed with Postern's Wasm, of which it makes nothing: what its mere size costs at a start. */
export async function bareBesideWasmIn(folder, upstream, count) {
  const bare = await bareIn(folder, upstream, count);
  posternIn(path.join(folder, "postern"), upstream, count);
  const wasm = '(name = "postern.wasm", wasm = embed "postern/build/index_bg.wasm")';
  return { folder, config: (port) => bare.config(port).replace('embed "worker.mjs")', `embed "worker.mjs"), ${wasm}`) };
}

/** A peer, bundled from a file, or from a source that is generated. */
async function peerIn(folder, upstream, source) {
  mkdirSync(path.join(folder, ".counts"), { recursive: true });
  const isFile = path.isAbsolute(source);
  const entry = isFile ? source : path.join(folder, "generated.mjs");
  if (!isFile) writeFileSync(entry, source);
  const bundle = ["--bundle", "--minify", "--format=esm", "--external:cloudflare:workers", "--log-level=warning"];
  // A generated one is not beside the packages.
  const env = { ...process.env, NODE_PATH: at("node_modules") };
  await run(fromNpm("esbuild"), [entry, ...bundle, `--outfile=${folder}/worker.mjs`], { env });
  return { folder, config: (port) => peerConfig(port, upstream, true) };
}

/** workerd's configuration of a worker in one file, which has the upstream's address and, if asked for, a counter. */
export function peerConfig(port, upstream, hasCounter) {
  const [date] = /compatibilityDate = "[^"]+"/.exec(ours());
  const counter = `durableObjectNamespaces = [(className = "Counter", uniqueKey = "counter", enableSql = true)],
      durableObjectStorage = (localDisk = "counts"),`;
  return `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [
        (name = "peer", worker = .peer),
        (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
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
        ${hasCounter ? '(name = "COUNTER", durableObjectNamespace = "Counter"),' : ""}
      ],
      ${hasCounter ? counter : ""}
    );`;
}

/** The gzipped bytes of a contestant's scripts, and of its Wasm; without routes. */
export function sizes({ folder }) {
  const files = readdirSync(folder, { recursive: true }).map((name) => path.join(folder, String(name)));
  const gzipped = (ending) =>
    files
      .filter((file) => statSync(file).isFile() && ending.test(file) && path.basename(file) !== "generated.mjs")
      .reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
  return { script: gzipped(/\.m?js$/), wasm: gzipped(/\.wasm$/) };
}
