// What the entry and the built gateway share. They are two bundles, so it goes by a global.
import { env } from "cloudflare:workers";
import routes from "./routes.json";

export const shared = (globalThis.POSTERN = {
  /** The text of routes.json, for the gateway to compile when it starts. */
  routes,
  /** Which of its environments this is; undefined is none. */
  environment: env?.POSTERN_ENVIRONMENT,
  /** The faults of that text and what may not be meant in it, a line each. */
  faults: "",
  warnings: "",
  /** Whether the Wasm has panicked, and is to begin anew. */
  hasPanicked: false,
  /** A function for each request under way, to call when the Wasm panics. */
  underWay: new Set(),
  /** The body of the answer that those requests then get. */
  panicBody: "",
});
