// The entry of the Worker, put beside the built Wasm: routes.json first, as text, then the gateway,
// which compiles it while it starts. With a faulty file the Worker does not start, so no platform
// takes the deployment, and none ever serves half a file.
import { shared } from "./shared.mjs";
import Entrypoint, { FirstAnswer } from "./index.js";
import { Limiter } from "./limiter.mjs";

if (shared.faults) throw new Error(`routes.json is refused:\n${shared.faults}`);

/**
 * A panic ends the Wasm instance, and with it every request that is under way there: their promises
 * would stay pending. They are answered here; the next request gets a new instance.
 */
async function fetch(request, env, context) {
  let panicked;
  const panic = new Promise((_, reject) => (panicked = reject));
  shared.underWay.add(panicked);
  try {
    const answer = new Entrypoint(context, env).fetch(request);
    // To its end even if the client goes away: a request that is cut off would leave its state in
    // the Wasm for ever. Its calls are aborted by the request's signal.
    context.waitUntil(answer.catch(() => {}));
    return await Promise.race([answer, panic]);
  } catch (error) {
    // A panic has told of itself, and rejects with nothing.
    if (error !== undefined) console.error(error);
    const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
    return new Response(shared.panicBody, { status: 500, headers });
  } finally {
    shared.underWay.delete(panicked);
  }
}

export { FirstAnswer, Limiter };
export default { fetch };
