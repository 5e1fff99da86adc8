// Compiles a routes.json into the Wasm that is deployed. A build has two of them that are the same but for one function:
// `compiler.wasm`, which compiles, and `gateway.wasm`, which is without that and what it alone needs. The first runs here;
// the memory that it leaves behind is what the second begins with. So a deployed gateway neither has the code that reads
// its file nor the time to do so when it starts.
import { readFileSync } from "node:fs";
import path from "node:path";
import { withMemory } from "./wasm-file.mjs";

/** The file of the one that compiles, and the function that it exports for that. */
export const COMPILER = "compiler.wasm";
export const COMPILE = "compile";

const builds = new Map();

/**
 * Compiles the text of a routes.json with the build in a folder. Gives its `faults` and `warnings`, a line each, and
 * without faults the `wasm` that has it.
 */
export function compiled(folder, text) {
  const { compiler, gateway } = buildIn(folder);
  const { exports } = new WebAssembly.Instance(compiler, nothingIn(compiler));
  const references = exports.__wbindgen_externrefs.length;
  const lines = calledWithText(exports, COMPILE, text).split("\n");
  const of = (severity) => lines.filter((line) => line.startsWith(`${severity} `)).map((line) => line.slice(severity.length + 1));
  const [faults, warnings] = [of("error"), of("warning")];
  if (faults.length > 0) return { faults, warnings };
  // They are not in the memory.
  if (exports.__wbindgen_externrefs.length !== references) throw new Error("What was compiled has values of JavaScript's");
  return { faults, warnings, wasm: withMemory(gateway, new Uint8Array(exports.memory.buffer)) };
}

/** The two of a folder; a test makes many gateways of one. */
function buildIn(folder) {
  if (!builds.has(folder)) {
    const file = (name) => readFileSync(path.join(folder, name));
    builds.set(folder, { compiler: new WebAssembly.Module(file(COMPILER)), gateway: file("gateway.wasm") });
  }
  return builds.get(folder);
}

/** What a module imports: nothing of it is called. */
function nothingIn(module) {
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    const nothing = () => {
      throw new Error(`${name} is called while routes.json is compiled`);
    };
    (imports[from] ??= {})[name] = kind === "tag" ? WebAssembly.JSTag : nothing;
  }
  return imports;
}

/** Calls a function that takes a text and gives one, by the way in which wasm-bindgen passes them. */
function calledWithText(exports, name, text) {
  const bytes = new TextEncoder().encode(text);
  const place = exports.__wbindgen_malloc(bytes.length, 1) >>> 0;
  new Uint8Array(exports.memory.buffer).set(bytes, place);
  const [start, length] = exports[name](place, bytes.length).map((number) => number >>> 0);
  const said = new TextDecoder().decode(new Uint8Array(exports.memory.buffer, start, length));
  exports.__wbindgen_free(start, length, 1);
  return said;
}
