// Whether a contestant grows: its memory after some requests, and after many more.
import { say } from "../../scripts/run.mjs";
import { answerAlike } from "./alike.mjs";
import { startContestants } from "./contestants.mjs";
import { memory } from "./costs.mjs";
import { load } from "./load.mjs";

/** The case whose requests these are: what it takes in is most of what a gateway does. */
export const CASE = "dashboard-exact";
const BEFORE = 10_000;

/** Gives by contestant the bytes `before` and `after` so many requests. */
export async function memoryGrowth({ oha, requests }) {
  const { contestants, stop } = await startContestants();
  try {
    const targets = await answerAlike(contestants, CASE);
    const results = new Map();
    for (const [contestant, { pid }] of Object.entries(contestants)) {
      say(`memory: ${requests.toLocaleString("en")} requests to ${contestant}`);
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
