// The place that counts for one key of a limit: a Durable Object, which does one thing at a time. It keeps texts, and
// has no rule: what they say, and what becomes of them, is asked of the Wasm.
import { DurableObject } from "cloudflare:workers";
import Entrypoint from "./index.js";
import { shared } from "./shared.mjs";

/** As `workers/limiter.rs` has it; worker-build puts what it exports there. */
const { count, recover } = Entrypoint.prototype;

/** The lines that are kept, each under its name in storage, and what asks for nothing but its end. */
const LOOKS = { taken: "look", slots: "look_at_slots" };

/** For how long what says nothing any more is kept, in ms: who calls often would have it written and forgotten each time. */
const IDLE = 10_000;

export class Limiter extends DurableObject {
  /** What storage holds, once it was read. */
  #kept = {};
  /** Whether an alarm is known to be set. */
  #hasAlarm = false;

  /** Does what is asked, as `limiter.rs` of the core has it; gives the answer. */
  async act(asked) {
    const name = asked.includes("slot") ? "slots" : "taken";
    const before = await this.#line(name);
    // From here until the write has begun nothing is awaited: no other call comes between.
    const { kept, until, answer } = counted(before, asked);
    if (kept !== before) {
      this.#kept[name] = kept;
      // The answer leaves only once this is on disk (the runtime's output gate).
      this.ctx.storage.put(name, kept);
      if (!this.#hasAlarm) {
        this.#hasAlarm = true;
        // Begun in one turn, the two are written together or not at all.
        this.ctx.storage.setAlarm(until + IDLE);
      }
    }
    return answer;
  }

  /** Forgets what says nothing any more, so that a key seen once leaves nothing behind. */
  async alarm() {
    const ends = [];
    for (const [name, look] of Object.entries(LOOKS)) ends.push(counted(await this.#line(name), look).until);
    const idle = Math.max(...ends) + IDLE;
    if (idle > Date.now()) {
      await this.ctx.storage.setAlarm(idle);
    } else {
      this.#kept = { taken: "", slots: "" };
      this.#hasAlarm = false;
      await this.ctx.storage.deleteAll();
    }
  }

  /** The line of a name, `""` if there is none. */
  async #line(name) {
    if (this.#kept[name] === undefined) {
      const line = await this.ctx.storage.get(name);
      // It may have been read, and changed, meanwhile.
      this.#kept[name] ??= line ?? "";
    }
    return this.#kept[name];
  }
}

function counted(before, asked) {
  // One that has panicked begins anew before it is passed anything: texts are put into the memory of the one that is there.
  if (shared.hasPanicked) recover();
  const [kept, until, answer] = count(before, asked, Date.now()).split("\n");
  if (answer === undefined) throw new Error("nobody can ask so");
  return { kept, until: Number(until), answer };
}
