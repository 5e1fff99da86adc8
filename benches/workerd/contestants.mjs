// The contestants, each in a process of its own, and the upstream behind them.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { Fault, fromNpm } from "../../scripts/run.mjs";
import { answering, freePort } from "../../tests/workers/harness.mjs";
import { onItsCore } from "./cores.mjs";
import { envoyIn } from "./envoy.mjs";
import { handsOn, nginxIn } from "./nginx.mjs";
import { end, start, temporaryFolder, watch } from "./processes.mjs";
import { SECRET } from "./tokens.mjs";
import { startUpstream } from "./upstream.mjs";
import { bareIn, honoIn, posternIn, sizes } from "./workers.mjs";

/** Those in workerd, and how their folder is made. */
export const WORKERS = { Postern: posternIn, bare: bareIn, Hono: honoIn };

/** Whom the others are compared with. */
export const BARE = "bare";
export const HONO = "Hono";
/** The bare one, deployed with Postern's Wasm, which it does not use. */
export const BESIDE_WASM = "bare beside the Wasm";

/** How the native ones get their configuration; gives the arguments that start them with it. */
const NATIVES = {
  Envoy: (folder, port, upstream) => envoyIn(folder, port, upstream),
  nginx: (folder, port, upstream) => nginxIn(folder, handsOn(port, upstream)),
};

/**
 * Starts the upstream and the contestants, with the routes of the cases or with so many (`routes`). `natives` has the
 * programs of those that take part beside the workers. Gives the `contestants` by name, each with a `port`, a `pid` and
 * what it `said`, and `stop`, which ends all.
 */
export async function startContestants({ routes, natives = {} } = {}) {
  const { folder, remove } = temporaryFolder();
  const children = [];
  const stop = async () => {
    for (const child of children) await end(child);
    remove();
  };
  const contestants = {};
  const takesPart = async (name, { port, child }, sizes) => {
    children.push(child);
    await up(name, port, child);
    contestants[name] = { port, pid: child.pid, said: () => child.said(), sizes };
  };
  try {
    const upstream = await startUpstream(path.join(folder, "upstream"));
    children.push(upstream.child);
    for (const [name, folderOf] of Object.entries(WORKERS)) {
      const made = await folderOf(path.join(folder, name), upstream.url, routes);
      await takesPart(name, await serve(made), sizes(made));
    }
    for (const [name, program] of Object.entries(natives)) {
      const port = await freePort();
      const args = NATIVES[name](path.join(folder, name), port, upstream.url);
      await takesPart(name, { port, child: start(...onItsCore(program, args)) });
    }
  } catch (fault) {
    await stop();
    throw fault;
  }
  return { contestants, stop };
}

/** Starts workerd in the folder of a worker. */
export async function serve({ folder, config }) {
  const port = await freePort();
  writeFileSync(path.join(folder, CONFIG), config(port));
  return { port, child: workerd(folder, ["serve", CONFIG]) };
}

/** Compiles workerd's configuration of a worker, with all that it embeds, for `serveCompiled`. */
export function compileConfig({ folder, config }) {
  writeFileSync(path.join(folder, CONFIG), config(0));
  const compiled = execFileSync(fromNpm("workerd"), ["compile", "--config-only", CONFIG], { cwd: folder, maxBuffer: 1 << 28 });
  writeFileSync(path.join(folder, COMPILED), compiled);
}

/** Starts workerd in the folder of a worker whose configuration is compiled. */
export async function serveCompiled({ folder }) {
  const port = await freePort();
  return { port, child: workerd(folder, ["serve", "--binary", COMPILED, "--socket-addr", `http=127.0.0.1:${port}`]) };
}

const CONFIG = "workerd.capnp";
const COMPILED = "workerd.bin";

function workerd(folder, args) {
  return start(...onItsCore(fromNpm("workerd"), args), { cwd: folder, env: { ...process.env, JWT_SECRET: SECRET } });
}

/** Waits until it answers. */
async function up(name, port, child) {
  const hasEnded = await Promise.race([child.ended.then(() => true), answering(port, child).then(() => false)]);
  if (hasEnded) throw new Fault(`${name} did not start: ${child.said()}`);
  watch(child, name);
}
