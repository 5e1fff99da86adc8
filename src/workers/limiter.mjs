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

/**
 * For how long what is written ahead is to be enough, in ms; and once nobody has called for as long, what is written is what
 * was taken.
 */
const AHEAD = 1_000;

/** The most units that are written ahead. */
const MOST_AHEAD = 100_000;

export class Limiter extends DurableObject {
  /** The lines by name, once storage was read. */
  #lines = {};
  /** Whether an alarm is known to be set. */
  #hasAlarm = false;
  /** Whether what is written will be compared with what was taken. */
  #willSettle = false;
  #called = 0;

  /** Does what is asked, as `limiter.rs` of the core has it; gives the answer. */
  act(asked) {
    const name = asked.includes("slot") ? "slots" : "taken";
    const line = this.#lines[name];
    // A promise costs as much as to count.
    return line === undefined ? this.#line(name).then((line) => this.#act(line, asked)) : this.#act(line, asked);
  }

  #act(line, asked) {
    // From here until the write has begun nothing is awaited: no other call comes between.
    const now = (this.#called = Date.now());
    // Who calls often has more and more written ahead, until that is enough.
    const ahead = now - line.writtenAt < AHEAD ? Math.min(2 * line.ahead + 1, MOST_AHEAD) : line.ahead >> 1;
    const { kept, written, granted, until, answer } = counted(line, ahead, asked, now);
    line.kept = kept;
    if (written !== line.written) {
      line.ahead = granted;
      line.writtenAt = now;
      // The answer leaves only once this is on disk (the runtime's output gate).
      this.#write(line, written);
      if (!this.#hasAlarm) {
        this.#hasAlarm = true;
        // Begun in one turn, the two are written together or not at all.
        this.ctx.storage.setAlarm(until + IDLE);
      }
    }
    // Not only what was written ahead: what is given back is not written at once either.
    if (line.written !== line.kept) this.#settleLater();
    return answer;
  }

  #write(line, text, options) {
    line.written = text;
    this.ctx.storage.put(line.name, text, options);
  }

  /** Has what was taken written, and no more, once nobody calls any more: the memory may be lost then. */
  #settleLater() {
    if (this.#willSettle) return;
    this.#willSettle = true;
    setTimeout(() => {
      this.#willSettle = false;
      if (Date.now() - this.#called < AHEAD) return this.#settleLater();
      for (const line of Object.values(this.#lines)) {
        // Nobody waits for less to be written.
        if (line.written !== line.kept) this.#write(line, line.kept, { allowUnconfirmed: true });
      }
    }, AHEAD);
  }

  /** Forgets what says nothing any more, so that a key seen once leaves nothing behind. */
  async alarm() {
    const ends = [];
    for (const [name, look] of Object.entries(LOOKS)) ends.push(counted(await this.#line(name), 0, look, Date.now()).until);
    const idle = Math.max(...ends) + IDLE;
    if (idle > Date.now()) {
      await this.ctx.storage.setAlarm(idle);
    } else {
      this.#lines = Object.fromEntries(Object.keys(LOOKS).map((name) => [name, newLine(name, "")]));
      this.#hasAlarm = false;
      await this.ctx.storage.deleteAll();
    }
  }

  /** The line of a name, `""` if there is none. */
  async #line(name) {
    const text = this.#lines[name] === undefined ? await this.ctx.storage.get(name) : undefined;
    // It may have been read, and changed, meanwhile.
    return (this.#lines[name] ??= newLine(name, text ?? ""));
  }
}

/** A line that was read, as which nothing is written ahead. */
function newLine(name, text) {
  return { name, kept: text, written: text, ahead: 0, writtenAt: 0 };
}

function counted(line, ahead, asked, now) {
  // One that has panicked begins anew before it is passed anything: texts are put into the memory of the one that is there.
  if (shared.hasPanicked) recover();
  const lines = count(line.kept, line.written, ahead, asked, now).split("\n");
  if (lines.length < 5) throw new Error("nobody can ask so");
  const [kept, written, granted, until, answer] = lines;
  return { kept, written, granted: Number(granted), until: Number(until), answer };
}
