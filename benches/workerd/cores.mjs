// Who runs on which core: what is measured has one for itself, and all else the others, so that the two
// never wait for each other. By taskset, which Linux has.
import { output } from "../../scripts/run.mjs";

/** The core of what is measured; undefined while nothing is pinned. */
let measured;

/** Moves this process, and with it what it starts from now on, off the first core. Says what was done. */
export function shareCores() {
  if (output("taskset", ["--version"]) === null) return "not pinned to cores: there is no taskset";
  const [first, ...others] = allowed();
  if (others.length === 0) return "not pinned to cores: there is one alone";
  if (output("taskset", ["-acp", others.join(), String(process.pid)]) === null) return "not pinned to cores: taskset may not";
  measured = String(first);
  return `each contestant on core ${first}; upstream and load on ${others.join()}`;
}

/** A program and its arguments, as to start it on the core of what is measured. */
export const onItsCore = (program, args) => (measured === undefined ? [program, args] : ["taskset", ["-c", measured, program, ...args]]);

/** The cores that this process may use. */
function allowed() {
  const list = output("taskset", ["-cp", String(process.pid)]).split(": ").at(-1);
  return list.split(",").flatMap((range) => {
    const [from, to = from] = range.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, step) => from + step);
  });
}
