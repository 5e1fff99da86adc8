// Compiles a routes.json with the build, and puts the Wasm that has it where it is told: FILE [WASM]. Prints the faults
// of the file and exits with 2 if there are any; else prints what may not be meant in it. Run by check.mjs and build.mjs, on
// the project's own Node.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { compiled } from "./compiler.mjs";
import { at } from "./run.mjs";

const [file, target] = process.argv.slice(2);
const { faults, warnings, wasm } = compiled(at("build"), readFileSync(file, "utf8"));
if (wasm === undefined) {
  process.stdout.write(`${faults.join("\n")}\n`);
  process.exit(2);
}
if (target !== undefined && !(existsSync(target) && readFileSync(target).equals(wasm))) {
  // In one step: who watches it never sees a part.
  writeFileSync(`${target}.new`, wasm);
  renameSync(`${target}.new`, target);
}
process.stdout.write(warnings.join("\n"));
