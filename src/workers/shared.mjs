// What the entry and the built gateway share. They are two bundles, so it goes by a global.
import { env } from "cloudflare:workers";

export const shared = (globalThis.POSTERN = {
  /** Which of the environments of routes.json this is; undefined is none. */
  environment: env?.POSTERN_ENVIRONMENT,
  /** Why the gateway does not start. */
  fault: "",
  /** Whether the Wasm has panicked, and is to begin anew. */
  hasPanicked: false,
  /** The number of the Wasm instance: one more with each panic. */
  instance: 0,
  /** How often the entry called the Wasm: what that begins meanwhile is of one turn. */
  turn: 0,
  /** How the Wasm is told what came of what it waits for. */
  wasm: undefined,
  /** What waits for the Wasm: each is told when that panics. */
  underWay: new Set(),
  /** Ends all that waits for the Wasm, which stops. */
  panicked() {
    shared.hasPanicked = true;
    shared.instance += 1;
    for (const waiting of shared.underWay) waiting.panicked();
  },
  /** The body of the answer that those requests then get. */
  panicBody: "",
});
