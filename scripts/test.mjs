// `npm test`: sets up what is missing, then runs every check and every test. Goes on after a failure,
// and ends with one line that counts them all.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { build, buildWasm } from "./build.mjs";
import { at, main, node, root, say } from "./run.mjs";
import { rustLinters, setUp } from "./setup.mjs";

const WASM = ["--lib", "--target", "wasm32-unknown-unknown"];
const DENY_WARNINGS = ["--", "-D", "warnings"];

const results = { passed: 0, failed: 0 };

await main(async () => {
  await setUp();
  await rustLinters();

  await passes("The formatter", "cargo", ["fmt", "--all", "--check"]);
  await passes("The linter, native", "cargo", ["clippy", "--workspace", "--all-targets", ...DENY_WARNINGS]);
  await passes("The linter, Wasm", "cargo", ["clippy", ...WASM, ...DENY_WARNINGS]);
  await passes("The documentation", "cargo", ["doc", "--workspace", "--no-deps", "--document-private-items"], {
    RUSTDOCFLAGS: "-D warnings",
  });
  await tests("The core: units, laws, scenarios, simulation", "cargo", ["test", "--workspace"], /test result: \w+\. (\d+) passed; (\d+) failed/g);
  await attempt("The build", build);
  await attempt("The build with drills", () => buildWasm("target/drill", { features: ["drill"], optimise: false }));
  const files = readdirSync(at("tests", "workers")).filter((file) => file.endsWith(".test.mjs"));
  await tests(
    "End to end, in workerd and wrangler dev",
    node(),
    ["--test", "--test-reporter=spec", "--test-timeout=120000", ...files.map((file) => at("tests", "workers", file))],
    /^ℹ pass (\d+)[\s\S]*?^ℹ fail (\d+)/gm,
  );

  console.log(`${results.passed} passed, ${results.failed} failed`);
  process.exit(results.failed === 0 ? 0 : 1);
});

/** A program that passes by exiting with 0. */
async function passes(what, program, args, env = {}) {
  say(what);
  count(what, (await shown(program, args, env)).code === 0);
}

/** A step of our own that passes by not throwing. */
async function attempt(what, step) {
  say(what);
  const passed = await step().then(
    () => true,
    (error) => {
      console.error(error.message);
      return false;
    },
  );
  count(what, passed);
}

/** A test runner, whose own counts are taken over; it failing without any counts as one. */
async function tests(what, program, args, pattern) {
  say(what);
  const { code, text } = await shown(program, args);
  let failed = 0;
  for (const [, passes, failures] of text.matchAll(pattern)) {
    results.passed += Number(passes);
    failed += Number(failures);
  }
  results.failed += code === 0 ? failed : Math.max(failed, 1);
}

function count(what, passed) {
  results[passed ? "passed" : "failed"] += 1;
  if (!passed) say(`${what}: failed`);
}

/** Runs a program, shows what it says, and keeps it. */
function shown(program, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    child.stdout.on("data", (data) => {
      text += data;
      process.stdout.write(data);
    });
    child.stderr.pipe(process.stderr, { end: false });
    child.on("error", (error) => resolve({ code: 127, text: String(error) }));
    child.on("close", (code) => resolve({ code, text }));
  });
}
