// Starts the built Worker in Node with a routes.json, as the runtime would. Prints the file's
// faults and exits with 2 if it does not start; prints what may not be meant in it if it does. Run by
// check.mjs, on the project's own Node.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { at } from "./run.mjs";

const RUNTIME = "cloudflare:workers";
const routes = readFileSync(process.argv[2], "utf8");

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === RUNTIME) return { url: RUNTIME, shortCircuit: true };
    if (specifier === "./routes.json") return { url: "routes:text", shortCircuit: true };
    return next(specifier, context);
  },
  load(url, context, next) {
    if (url === RUNTIME) return module("export class DurableObject {}; export class WorkerEntrypoint {}; export const env = {};");
    if (url === "routes:text") return module(`export default ${JSON.stringify(routes)};`);
    if (!url.endsWith(".wasm")) return next(url, context);
    return module(`import { readFileSync } from "node:fs";
      export default new WebAssembly.Module(readFileSync(new URL(${JSON.stringify(url)})));`);
  },
});

const module = (source) => ({ format: "module", source, shortCircuit: true });

globalThis.addEventListener ??= () => {};
try {
  await import(at("build", "worker.mjs"));
} catch (error) {
  const faults = globalThis.POSTERN?.faults;
  if (!faults) throw error;
  process.stdout.write(`${faults}\n`);
  process.exit(2);
}
process.stdout.write(globalThis.POSTERN.warnings);
