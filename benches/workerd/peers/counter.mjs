// Counts calls in a Durable Object, as @hono-rate-limiter/cloudflare does: a number and the end of its window in storage.
import { DurableObject } from "cloudflare:workers";

/** How many calls there may be in a window, and how long that is. */
export const LIMIT = 1_000_000;
export const WINDOW = 60_000;

export class Counter extends DurableObject {
  /** Counts one more; gives how many there were in this window, and when it ends. */
  async increment() {
    const kept = await this.ctx.storage.get("value");
    const counted = kept === undefined || kept.resetTime <= Date.now() ? { totalHits: 0, resetTime: Date.now() + WINDOW } : kept;
    counted.totalHits += 1;
    await this.ctx.storage.put("value", counted);
    return counted;
  }
}

/** The object of a caller. */
export const counterOf = (namespace, caller) => namespace.get(namespace.idFromName(caller));
