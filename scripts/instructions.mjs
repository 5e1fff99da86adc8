// `npm run instructions`: counts the instructions of each work of benches/instructions.rs with valgrind, and compares
// them with tests/costs.md. Not part of `npm test`: it needs valgrind, and an optimised build.
import { spawnSync } from "node:child_process";
import { compared } from "./costs.mjs";
import { Fault, main, output, root, say } from "./run.mjs";

/** By how much a count may differ: hash tables are seeded anew in each run, and compilers differ a little. */
const TOLERANCE = 0.02;

const CALLGRIND = [
  "--tool=callgrind",
  "--callgrind-out-file=/dev/null",
  "--collect-atstart=no",
  "--toggle-collect=*counted_work*",
];

await main(async () => {
  if (output("valgrind", ["--version"]) === null) {
    console.log("valgrind is not installed: no instructions are counted");
    return;
  }
  say("Building the works, optimised as the gateway is; about three minutes the first time");
  const program = build();
  const works = output(program, []).split("\n");
  const counts = works.map((work) => {
    const instructions = count(program, work);
    console.log(`${work}: ${instructions}`);
    return instructions;
  });
  if (process.arch !== "x64") return console.log("The kept numbers are of x86-64: these are not compared");
  const ways = { tolerance: TOLERANCE, command: "npm run instructions" };
  const changed = works.map((work, at) => compared(work, "instructions", counts[at], ways));
  const said = changed.filter((line) => line !== null);
  if (said.length > 0) throw new Fault(said.join("\n"));
});

/**
 * Builds the works; gives the program. Benches are built to unwind whatever the profile says, and the tool beside them
 * as the profile says: of the library, which has one file for both, that would make two.
 */
function build() {
  const unwinding = ["--config", 'profile.release.panic="unwind"'];
  const args = ["bench", "--bench", "instructions", "--no-run", "--message-format=json-render-diagnostics"];
  const { status, stdout } = spawnSync("cargo", [...args, ...unwinding], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Fault("the works cannot be built");
  const messages = stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  return messages.find(({ target, executable }) => executable && target.name === "instructions").executable;
}

/** The instructions of a work, each time that it is done. */
function count(program, work) {
  const { status, stdout, stderr } = spawnSync("valgrind", [...CALLGRIND, program, work], { cwd: root, encoding: "utf8" });
  const collected = /Collected\s*:\s*(\d+)/.exec(stderr)?.[1];
  if (status !== 0 || !(collected > 0)) throw new Fault(`valgrind cannot count ${work}:\n${stderr}`);
  return Math.round(collected / Number(stdout));
}
