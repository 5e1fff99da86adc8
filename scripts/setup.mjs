// Brings what the project needs onto a machine that has Rust (by rustup) and Node: the Wasm target,
// the npm packages, and worker-build and wasm-bindgen in their pinned versions.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { Fault, at, fromNpm, isMain, main, output, run, say } from "./run.mjs";

const TARGET = "wasm32-unknown-unknown";
const OLDEST_RUST = [1, 95];

/** Does all set-up that is not done yet. */
export async function setUp() {
  await npmPackages();
  await wasmTarget();
  await buildTools();
}

/** Installs the npm packages, if they are not those of the lock file. */
export async function npmPackages() {
  const lock = readFileSync(at("package-lock.json"), "utf8");
  const stamp = at("node_modules", ".postern-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  say("Installing the npm packages (wrangler, workerd, binaryen, esbuild); some 500 MB on disk");
  await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(stamp, lock);
}

/** Fails unless Rust is there, and new enough. */
export function rust() {
  const version = output("rustc", ["--version"]);
  if (version === null) {
    throw new Fault("Rust is missing. Install it from https://rustup.rs and open a new terminal.");
  }
  const [major, minor] = version.split(" ")[1].split(".").map(Number);
  if (major < OLDEST_RUST[0] || (major === OLDEST_RUST[0] && minor < OLDEST_RUST[1])) {
    throw new Fault(`Rust ${OLDEST_RUST.join(".")} or later is needed, this is ${version}. Run: rustup update stable`);
  }
}

async function wasmTarget() {
  rust();
  const library = path.join(output("rustc", ["--print", "sysroot"]), "lib", "rustlib", TARGET);
  if (existsSync(library)) return;
  if (output("rustup", ["--version"]) === null) {
    throw new Fault(`Rust's ${TARGET} target is missing, and so is rustup. Install Rust from https://rustup.rs.`);
  }
  say(`Adding Rust's ${TARGET} target`);
  await run("rustup", ["target", "add", TARGET]);
}

/** Adds Rust's formatter and linter, which a minimal installation lacks. */
export async function rustLinters() {
  if (output("cargo", ["fmt", "--version"]) !== null && output("cargo", ["clippy", "--version"]) !== null) return;
  say("Adding Rust's formatter and linter");
  await run("rustup", ["component", "add", "rustfmt", "clippy"]);
}

/** A folder for tools of a version, shared by all clones of this user. */
export function cacheFolder(name) {
  return path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache"), "postern", name);
}

const toolsFolder = () => cacheFolder(`worker-build-${pinned("worker-build")}-wasm-bindgen-${wasmBindgenVersion()}`);

/** The version of a tool that is no npm package. */
export const pinned = (tool) => JSON.parse(readFileSync(at("package.json"), "utf8")).config[tool];

/** The command-line tool must be of the library's version, so that is where it is read. */
function wasmBindgenVersion() {
  const lock = readFileSync(at("Cargo.lock"), "utf8");
  return /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(lock)[1];
}

async function buildTools() {
  const folder = toolsFolder();
  // Without its lock file, which names a crate version that not every registry serves.
  await cargoInstall(folder, "wasm-bindgen-cli", wasmBindgenVersion(), "wasm-bindgen", []);
  await cargoInstall(folder, "worker-build", pinned("worker-build"), "worker-build", ["--locked"]);
}

/** They run for a second; building them fast matters more. */
const FAST_TO_BUILD = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "1",
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
  CARGO_PROFILE_RELEASE_DEBUG: "0",
};

/** Builds a program of a crate into a folder, unless it is there. */
export async function cargoInstall(folder, crate, version, program, flags, profile = FAST_TO_BUILD) {
  if (existsSync(path.join(folder, "bin", program))) return;
  say(`Building ${crate} ${version}, once for this machine; about two minutes on two cores`);
  mkdirSync(folder, { recursive: true });
  await run("cargo", ["install", crate, "--version", version, "--bin", program, "--root", folder, ...flags], {
    env: { ...process.env, CARGO_TARGET_DIR: at("target", "tools"), ...profile },
  });
}

/** worker-build, and the environment by which it finds its helpers instead of downloading them. */
export function workerBuild() {
  const bin = (program) => path.join(toolsFolder(), "bin", program);
  return {
    program: bin("worker-build"),
    env: {
      ...process.env,
      WASM_BINDGEN_BIN: bin("wasm-bindgen"),
      WASM_OPT_BIN: fromNpm("wasm-opt"),
      ESBUILD_BIN: at("node_modules", "@esbuild", `${process.platform}-${process.arch}`, "bin", "esbuild"),
    },
  };
}

if (isMain(import.meta.url)) await main(setUp);
