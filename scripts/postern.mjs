// `npm run postern -- COMMAND`: the native tool, built first if it is not of these sources.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { Fault, at, isMain, main, say } from "./run.mjs";
import { rust } from "./setup.mjs";

/** Runs the tool, here; gives its exit status. */
function postern(args) {
  rust();
  const built = path.join(process.env.CARGO_TARGET_DIR ?? at("target"), "debug");
  if (!["postern", "postern.exe"].some((name) => existsSync(path.join(built, name)))) {
    say("Building the tool, once; about a minute on two cores");
  }
  const flags = ["--quiet", "--manifest-path", at("Cargo.toml"), "--bin", "postern"];
  const { status, error } = spawnSync("cargo", ["run", ...flags, "--", ...args], { stdio: "inherit" });
  if (error) throw new Fault(`cargo cannot be run: ${error.message}`);
  return status ?? 1;
}

if (isMain(import.meta.url)) await main(async () => process.exit(postern(process.argv.slice(2))));
