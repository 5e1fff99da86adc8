// Checks a routes.json with the gateway's own compiler, which the build has. Needs no Rust.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { Fault, at, isMain, main, node } from "./run.mjs";

/**
 * Compiles a file, and puts the Wasm that has it into `target`, if that is given. Fails with every fault of the file, if it
 * has any.
 */
export function compile(file, target) {
  const name = path.relative(process.cwd(), file);
  if (!existsSync(file)) throw new Fault(`${name} does not exist`);
  if (!existsSync(at("build", "sources.sha256"))) throw new Fault("There is no build yet. Run: npm run build");
  const { status, stdout, stderr } = spawnSync(node(), [at("scripts", "compile-routes.mjs"), file, ...(target ? [target] : [])], { encoding: "utf8" });
  if (status === 0) {
    if (stdout) process.stderr.write(`${name} may not say what you mean:\n  ${stdout.trim().replaceAll("\n", "\n  ")}\n`);
    return;
  }
  if (status !== 2) throw new Fault(`${name} could not be checked:\n${stderr}`);
  const lines = stdout.trim().split("\n");
  const faults = lines.length === 1 ? "one fault" : `${lines.length} faults`;
  throw new Fault(`${name} is refused, for ${faults}:\n  ${lines.join("\n  ")}`);
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const file = process.argv[2] ?? at("routes.json");
    compile(file);
    console.log(`${path.relative(process.cwd(), file)} is fine`);
  });
}
