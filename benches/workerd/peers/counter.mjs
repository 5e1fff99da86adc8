// Counts calls in a Durable Object, as @hono-rate-limiter/cloudflare does: a number and the end of its window in storage.
// Other than there, calls beyond the limit are not written: nobody needs to know how many they were.
import { DurableObject, env } from "cloudflare:workers";

/** How many calls there may be in a window, and how long that is; by the name that Postern's file has for it. */
export const LIMITS = {
  exact: { calls: 1_000_000, window: 60_000 },
  leased: { calls: 1_000_000, window: 60_000 },
  spent: { calls: 1, window: 3_600_000 },
};

export class Counter extends DurableObject {
  /** Counts one more; gives how many there were in this window, and when it ends. */
  async increment({ calls, window }) {
    const kept = await this.ctx.storage.get("value");
    const counted = kept === undefined || kept.resetTime <= Date.now() ? { totalHits: 0, resetTime: Date.now() + window } : kept;
    counted.totalHits += 1;
    // The answer leaves only once this is on disk (the runtime's output gate).
    if (counted.totalHits <= calls) this.ctx.storage.put("value", counted);
    return counted;
  }
}

/** Counts a call of a caller. */
export const count = (limit, caller) => env.COUNTER.get(env.COUNTER.idFromName(`${limit} ${caller}`)).increment(LIMITS[limit]);
