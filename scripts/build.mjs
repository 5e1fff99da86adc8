// Makes build/: the Wasm and its JavaScript, the Worker's entry, and routes.json. Builds the Rust
// only if it changed since; takes routes.json over only if the gateway accepts it, so that build/
// never holds a faulty one. wrangler runs this before `dev` and `deploy`.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { check } from "./check.mjs";
import { at, fromNpm, isMain, main, run, say } from "./run.mjs";
import { npmPackages, setUp, workerBuild } from "./setup.mjs";

const ENTRY = ["worker.mjs", "shared.mjs", "limiter.mjs", "first-answer.mjs"];

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

/** Brings build/ up to date. */
export async function build() {
  await buildWasm("build");
  try {
    check(at("routes.json"));
  } catch (fault) {
    if (!process.env.POSTERN_KEEP_LAST_GOOD || !existsSync(at("build", "routes.json"))) throw fault;
    process.stderr.write(`✗ ${fault.message}\nThe gateway goes on with the routes that it has.\n`);
    return;
  }
  copyIfChanged(at("routes.json"), at("build", "routes.json"));
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
    const flags = [...(optimise ? [] : ["--no-opt"]), ...(features.length ? ["--features", features.join()] : [])];
    rmSync(stamp, { force: true });
    await run(program, ["--release", "--out-dir", folder, ...flags], { env: { ...env, RUST_BACKTRACE: "0" } });
    if (optimise) {
      // worker-build keeps the names of functions, a tenth of the gzipped Wasm. A panic tells its file and
      // line without them.
      const wasm = at(folder, "index_bg.wasm");
      const features = WASM_FEATURES.map((feature) => `--enable-${feature}`);
      await run(fromNpm("wasm-opt"), ["--strip-debug", ...features, wasm, "-o", wasm]);
    }
    writeFileSync(stamp, sources);
  }
  for (const file of ENTRY) copyIfChanged(at("src", "workers", file), at(folder, file));
}

/** A digest of everything that the Wasm is built from. */
function fingerprint(settings) {
  const digest = createHash("sha256").update(settings.join("\0"));
  const rust = filesIn("src").filter((file) => !ENTRY.includes(path.basename(file)));
  const files = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "package-lock.json", ...rust];
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
