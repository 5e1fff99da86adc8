// What is started here ends with this process, however that ends: by its end, a fault or a signal.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { say } from "../../scripts/run.mjs";

const children = new Set();
const folders = new Set();

// Nothing here waits: it is too late for that.
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Starts a program. `said` of it gives the end of what it wrote to its standard error. */
export function start(program, args, options = {}) {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], ...options });
  children.add(child);
  let tail = "";
  child.stderr?.on("data", (data) => (tail = (tail + data).slice(-2000)));
  child.said = () => tail.trim();
  child.ended = Promise.race([once(child, "exit"), once(child, "error")]).catch((error) => (tail += error.message));
  child.ended.then(() => children.delete(child));
  return child;
}

/** Tells of a process that ends although nobody here asked it to: what is measured then breaks, and this is why. */
export function watch(child, name) {
  child.ended.then(() => {
    if (!child.isToEnd) say(`${name} has ended by itself, with ${child.signalCode ?? child.exitCode}: ${child.said()}`);
  });
}

/** Ends what was started, at once. */
export async function end(child) {
  child.isToEnd = true;
  child.kill("SIGKILL");
  await child.ended;
}

/** A folder of its own, and what removes it. */
export function temporaryFolder() {
  const folder = mkdtempSync(path.join(tmpdir(), "postern-bench-"));
  folders.add(folder);
  const remove = () => {
    rmSync(folder, { recursive: true, force: true });
    folders.delete(folder);
  };
  return { folder, remove };
}
