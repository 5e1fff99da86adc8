// Makes build/: the Wasm, with routes.json compiled into it, its JavaScript, and the Worker's entry. Builds the Rust
// only if it changed since; takes routes.json over only if it has no fault, so that build/ never holds
// a faulty one. wrangler runs this before `dev` and `deploy`.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { compile } from "./check.mjs";
import { COMPILE, COMPILER } from "./compiler.mjs";
import { at, fromNpm, isMain, main, run, say } from "./run.mjs";
import { npmPackages, setUp, workerBuild } from "./setup.mjs";
import { withFunctionOf, withoutExports } from "./wasm-file.mjs";

/** Our own files that are deployed as they are. */
export const ENTRY = ["worker.mjs", "shared.mjs", "visit.mjs", "call.mjs", "limiter.mjs", "first-answer.mjs"];

/** What makes the Wasm, beside worker-build. */
const SCRIPTS = ["build.mjs", "compiler.mjs", "wasm-file.mjs"].map((name) => `scripts/${name}`);

/** What worker-build lets the Wasm use. */
const WASM_FEATURES = [
  "mutable-globals",
  "sign-ext",
  "nontrapping-float-to-int",
  "bulk-memory",
  "multivalue",
  "reference-types",
  "exception-handling",
];

/** The Wasm that index.js takes. */
const DEPLOYED = "index_bg.wasm";

/** The exports that nobody calls in a gateway: what compiles routes.json, and classes that `worker` has for others. */
const NOT_OF_GATEWAY = new RegExp(`^(${COMPILE}|write_f64|(__wbg_)?(get_|set_)?(containerstartupoptions|intounderlying[a-z]+|minifyconfig|r2range)_.*)$`);

/** The standard library's way to write a floating point number, and the function in its place, with their parameters. */
const NUMBERS = [/^<f64 as core(\[\w+\])?::fmt::Display>::fmt/, "write_f64", 2];

/**
 * Functions that are called in one place stay functions: all that a request can ask for in one takes the runtime some 20 ms
 * to compile before it can answer the first, and makes the Wasm larger. The stack is first in memory, so that nothing
 * is ever next to address 0.
 */
const OPTIMISATIONS = ["-O3", "--one-caller-inline-max-function-size=20", "--low-memory-unused"];

/** Brings build/ up to date. */
export async function build() {
  await buildWasm("build");
  const [routes, lastGood] = [at("routes.json"), at("build", "routes.json")];
  try {
    compile(routes, at("build", DEPLOYED));
    copyIfChanged(routes, lastGood);
  } catch (fault) {
    if (!process.env.POSTERN_KEEP_LAST_GOOD || !existsSync(lastGood)) throw fault;
    process.stderr.write(`✗ ${fault.message}\nThe gateway goes on with the routes that it has.\n`);
    compile(lastGood, at("build", DEPLOYED));
  }
}

/** Builds the Wasm into a folder, unless what is there is of these sources. */
export async function buildWasm(folder, { features = [], optimise = true } = {}) {
  await npmPackages();
  const stamp = at(folder, "sources.sha256");
  const sources = fingerprint([features.join(), String(optimise)]);
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== sources) {
    await setUp();
    say(`Building the gateway into ${folder}/`);
    const { program, env } = workerBuild();
    const flags = features.length ? ["--features", features.join()] : [];
    for (const file of [stamp, at(folder, DEPLOYED)]) rmSync(file, { force: true });
    await run(program, ["--release", "--no-opt", "--out-dir", folder, ...flags], { env: { ...env, RUST_BACKTRACE: "0" } });
    await splitWasm(folder, optimise);
    writeFileSync(stamp, sources);
  }
  for (const file of ENTRY) copyIfChanged(at("src", "workers", file), at(folder, file));
}

/** Makes the compiler of routes.json, and the gateway without it, of what worker-build made. */
async function splitWasm(folder, optimise) {
  const [compiler, gateway] = [at(folder, COMPILER), at(folder, "gateway.wasm")];
  renameSync(at(folder, DEPLOYED), compiler);
  // worker-build keeps the names of functions, a tenth of the gzipped Wasm. A panic tells its file and line without them.
  if (optimise) await makeGateway(compiler, gateway, ["--strip-debug", "--strip-producers"]);
  else writeFileSync(gateway, withoutExports(readFileSync(compiler), NOT_OF_GATEWAY));
}

/** Makes the gateway of the compiler: what is exported no more is needed no more, and neither is what only that called. */
export async function makeGateway(compiler, gateway, flags) {
  writeFileSync(gateway, withoutExports(withFunctionOf(readFileSync(compiler), ...NUMBERS), NOT_OF_GATEWAY));
  const features = WASM_FEATURES.map((feature) => `--enable-${feature}`);
  await run(fromNpm("wasm-opt"), [...features, ...OPTIMISATIONS, ...flags, gateway, "-o", gateway]);
}

/** A digest of everything that the Wasm is built from. */
function fingerprint(settings) {
  const digest = createHash("sha256").update(settings.join("\0"));
  const rust = ["src", "crates"].flatMap(filesIn).filter((file) => !ENTRY.includes(path.basename(file)));
  const files = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "package-lock.json", ...SCRIPTS, ...rust];
  for (const file of files.sort()) {
    const content = readFileSync(at(file));
    digest.update(`${file}\0${content.length}\0`).update(content);
  }
  return digest.digest("hex");
}

function filesIn(folder) {
  return readdirSync(at(folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? filesIn(file) : [file];
  });
}

function copyIfChanged(from, to) {
  if (!existsSync(to) || !readFileSync(to).equals(readFileSync(from))) copyFileSync(from, to);
}

if (isMain(import.meta.url)) await main(build);
