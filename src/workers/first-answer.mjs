// The place that keeps what is known of one client's `Idempotency-Key`: a Durable Object, which does one thing at a
// time. It keeps a text and an answer, and has no rule: what becomes of them is asked of the Wasm, into which the body
// of an answer never goes.
import { DurableObject } from "cloudflare:workers";
import Entrypoint from "./index.js";
import { shared } from "./shared.mjs";

/** As `workers/first_answer.rs` has it; worker-build puts what it exports there. */
const { decideFirst, recover } = Entrypoint.prototype;

/** Where the text is kept, and of an answer its parts. */
const ENTRY = "entry";
const ANSWER = ["status", "fields", "body"];

export class FirstAnswer extends DurableObject {
  /** Claims to be the first for so many ms; gives what it found, as the core has it, and the answer if there is one. */
  async claim(fingerprint, ms) {
    const found = await this.#found(`claim ${fingerprint} ${ms}`);
    if (found !== "answered") return { found };
    return { found, answer: Object.fromEntries(await this.ctx.storage.get(ANSWER)) };
  }

  /** Keeps the answer of the first for so many ms; gives whether it did. */
  async keep(fingerprint, ms, answer) {
    return (await this.#found(`keep ${fingerprint} ${ms}`, answer)) === "running";
  }

  /** Keeps for so many ms that there was an answer. */
  async lose(fingerprint, ms) {
    await this.#found(`lose ${fingerprint} ${ms}`);
  }

  /** Gives up the claim. */
  async forget(fingerprint) {
    await this.#found(`forget ${fingerprint}`);
  }

  /** Forgets what is over. */
  async alarm() {
    await this.ctx.storage.deleteAll();
  }

  /** Does what is asked, as `policy/idempotency/first_answer.rs` has it; gives what it found. */
  async #found(asked, answer) {
    const before = await this.ctx.storage.get(ENTRY);
    // From here until the write has begun nothing is awaited; while storage reads, the runtime lets no other call in
    // (its input gate). So none comes between.
    // One that has panicked begins anew before it is passed anything: texts are put into the memory of the one that is there.
    if (shared.hasPanicked) recover();
    const [found, entry, until] = decideFirst(before ?? "", asked, Date.now()).split("\n");
    if (found === "") throw new Error("nobody can ask so");
    if (entry === "") {
      await this.ctx.storage.deleteAll();
    } else if (entry !== undefined) {
      const written = this.ctx.storage.put({ ...answer, [ENTRY]: entry });
      // Begun in one turn, the two are written together or not at all.
      await Promise.all([written, this.ctx.storage.setAlarm(Number(until))]);
    }
    return found;
  }
}
