// Whether a contestant grows: its memory after some requests, and after many more.
import { say } from "../../scripts/run.mjs";
import { answerAlike } from "./alike.mjs";
import { startContestants } from "./contestants.mjs";
import { memory } from "./costs.mjs";
import { load } from "./load.mjs";

/**
 * The cases whose requests these are: bodies that pass through, and callers of whom each comes once. None with a limit
 * that is counted exactly: it would wait for the disk most of the time.
 */
const CASES = ["forward-jwt", "tokens"];
const BEFORE = 10_000;

/** Gives for each case, by contestant, the bytes `before` and `after` so many requests. */
export async function memoryGrowth({ oha, requests }) {
  const results = new Map();
  for (const name of CASES) results.set(name, await growthIn(name, oha, requests));
  return results;
}

/** In processes of their own, that nothing was asked of before. */
async function growthIn(name, oha, requests) {
  const { contestants, stop } = await startContestants();
  try {
    const targets = await answerAlike(contestants, name);
    const results = new Map();
    for (const [contestant, { pid }] of Object.entries(contestants)) {
      say(`memory: ${requests.toLocaleString("en")} requests of ${name} to ${contestant}`);
      await load(oha, targets[contestant], { requests: BEFORE });
      const before = memory(pid);
      await load(oha, targets[contestant], { requests });
      results.set(contestant, { before, after: memory(pid) });
    }
    return results;
  } finally {
    await stop();
  }
}
