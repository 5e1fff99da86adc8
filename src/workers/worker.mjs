// The entry of the Worker, put beside the built Wasm: routes.json first, as text, then the gateway,
// which compiles it while it starts. With a faulty file the Worker does not start, so no platform
// takes the deployment, and none ever serves half a file.
import { shared } from "./shared.mjs";
import Entrypoint, { FirstAnswer } from "./index.js";
import { Limiter } from "./limiter.mjs";

if (shared.faults) throw new Error(`routes.json is refused:\n${shared.faults}`);

/** As `workers.rs` has it; worker-build puts what it exports there. Its own way there costs two proxies. */
const { serve } = Entrypoint.prototype;

async function fetch(request, env, context) {
  try {
    // To construct it has the Wasm begin anew, if it has panicked.
    if (shared.hasPanicked) new Entrypoint(context, env);
    shared.hasPanicked = false;
    const answer = serve(request, env, context);
    return answer instanceof Response ? answer : await orPanic(answer, context);
  } catch (error) {
    // A panic has told of itself, and rejects with nothing.
    if (error !== undefined) console.error(error);
    if (error instanceof WebAssembly.RuntimeError) {
      // So that the Wasm begins anew, whatever stopped it.
      reportError(error);
      shared.hasPanicked = true;
    }
    const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
    return new Response(shared.panicBody, { status: 500, headers });
  }
}

/**
 * A panic ends the Wasm instance, and with it every request that is under way there: their promises
 * would stay pending. They are answered here; the next request gets a new instance.
 */
async function orPanic(answer, context) {
  let panicked;
  const panic = new Promise((_, reject) => (panicked = reject));
  shared.underWay.add(panicked);
  try {
    // To its end even if the client goes away: a request that is cut off would leave its state in
    // the Wasm for ever. Its calls are aborted by the request's signal.
    context.waitUntil(answer.catch(() => {}));
    return await Promise.race([answer, panic]);
  } finally {
    shared.underWay.delete(panicked);
  }
}

export { FirstAnswer, Limiter };
export default { fetch };
