// What a process costs the machine, its children included; as Linux tells it, and null elsewhere.
import { readFileSync } from "node:fs";
import { Fault, output } from "../../scripts/run.mjs";

/** The milliseconds of processor time that it has had. */
export const processorTime = (pid) => sum(pid, (each) => {
  // The name of the program, in brackets, may have spaces.
  const fields = told(each, "stat").split(") ").at(-1).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tick();
});

/** The bytes of memory that it has. */
export const memory = (pid) => sum(pid, (each) => 1024 * Number(/VmRSS:\s+(\d+)/.exec(told(each, "status"))[1]));

function sum(pid, of) {
  if (process.platform !== "linux") return null;
  const children = told(pid, `task/${pid}/children`).split(" ").filter(Boolean);
  return children.reduce((all, child) => all + sum(child, of), of(pid));
}

/** What the kernel tells of a process. */
function told(pid, what) {
  try {
    return readFileSync(`/proc/${pid}/${what}`, "utf8");
  } catch (error) {
    throw new Fault(`A process that is measured has ended: ${error.message}`);
  }
}

let ofTick;
/** The milliseconds in which the kernel counts. */
const tick = () => (ofTick ??= 1000 / Number(output("getconf", ["CLK_TCK"]) ?? 100));
