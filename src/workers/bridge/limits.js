// The places that count: objects (`limiter.mjs`), and the rate limits that the runtime has.
import { inTime } from "./runtime.js";

/** The object that counts for `key`; one whose key begins with `@` and a region is made there. */
function limiter(env, key) {
  const locationHint = key[0] === "@" ? key.slice(1, key.indexOf("\n")) : undefined;
  return env.LIMITER.get(env.LIMITER.idFromName(key), { locationHint });
}

/** Does something in the object that counts for `key`, as `limiter.rs` of the core has it. Brings the answer. */
export function count(visit, number, key, asked, ms) {
  visit.begin(number, ms, { outlivesClient: true }, async (call) => call.said(await limiter(visit.env, key).act(asked)));
}

/** Whether a call of a key is within the rate limit of a binding, which counts it. */
export function isWithinRate({ env }, binding, key, ms) {
  return inTime(ms, async () => (await env[binding].limit({ key })).success);
}
