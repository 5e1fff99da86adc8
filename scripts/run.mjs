// How the scripts run other programs, and how they fail: with one line that says what to do.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import path from "node:path";

/** The folder of the project. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

/** A file or folder of the project. */
export const at = (...parts) => path.join(root, ...parts);

/** A program that an npm package brought. */
export const fromNpm = (name) => at("node_modules", ".bin", name);

/** The Node that wrangler and the tests run on: the one of the packages, which is new enough. */
export const node = () => (existsSync(fromNpm("node")) ? fromNpm("node") : process.execPath);

/** Something the user can mend; shown without a stack. */
export class Fault extends Error {}

/** Says what is being done. */
export const say = (text) => process.stderr.write(`\x1b[1m▸ ${text}\x1b[0m\n`);

/** Runs a program whose output the user sees. Rejects with a Fault if it fails. */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], ...options });
    child.on("error", (error) => reject(new Fault(`${program} cannot be run: ${error.message}`)));
    child.on("exit", (code, signal) =>
      code === 0 ? resolve() : reject(new Fault(`${[program, ...args].join(" ")} ended with ${signal ?? code}`)),
    );
  });
}

/** What a program prints, or null if it is not there or fails. */
export function output(program, args) {
  const { status, stdout } = spawnSync(program, args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/** Runs a script's main function; a Fault becomes one line and exit status 1, after `cleanUp`. */
export async function main(body, cleanUp = async () => {}) {
  try {
    await body();
  } catch (error) {
    process.stderr.write(error instanceof Fault ? `\x1b[31m✗ ${error.message}\x1b[0m\n` : `${error.stack}\n`);
    await cleanUp();
    process.exit(1);
  }
}

/** Whether this module was started, not imported. */
export const isMain = (url) => process.argv[1] !== undefined && fileURLToPath(url) === path.resolve(process.argv[1]);
