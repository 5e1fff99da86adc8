// The entry of the Worker, put beside the built Wasm, in which routes.json is already compiled. Where that is not so, or the
// environment is not one of its, the Worker does not start, so no platform takes the deployment.
import { shared } from "./shared.mjs";
import Entrypoint from "./index.js";
import { FirstAnswer } from "./first-answer.mjs";
import { Limiter } from "./limiter.mjs";
import { Visit, internalError } from "./visit.mjs";

// Without it, nobody would tell when a client leaves, and its request would stay in the Wasm for ever.
if (globalThis.Cloudflare?.compatibilityFlags?.enable_request_signal === false) {
  shared.fault ||= "it needs the compatibility flag enable_request_signal";
}
if (shared.fault) throw new Error(`The gateway does not start: ${shared.fault}`);

// As `workers.rs` has them; worker-build puts what it exports there. Its own way there costs two proxies.
const { serve, recover } = Entrypoint.prototype;

function fetch(request, env, context) {
  try {
    // To construct it has the Wasm begin anew, if it has panicked.
    if (shared.hasPanicked) new Entrypoint(context, env);
    shared.hasPanicked = false;
    shared.turn += 1;
    const visit = new Visit(request, env, context);
    const answer = serve(visit, visit.head());
    // Null where something has to be waited for.
    return answer === null ? visit.answer() : (answer ?? internalError());
  } catch (error) {
    trapped(error);
    return internalError();
  }
}

/** Goes on with what waits in the Wasm, by the functions of `tasks.rs`. */
shared.wasm = Object.fromEntries(["resume", "failed", "said", "replied", "read", "handedOn", "forget"].map((name) => [name, guarded(Entrypoint.prototype[name])]));

function guarded(call) {
  return (...values) => {
    shared.turn += 1;
    try {
      call(...values);
    } catch (error) {
      trapped(error);
    }
  };
}

/** Takes what was thrown out of the Wasm. */
function trapped(error) {
  // A panic has told of itself, and throws nothing.
  if (error !== undefined) console.error(error);
  if (error instanceof WebAssembly.RuntimeError) {
    // So that the Wasm begins anew, whatever stopped it.
    reportError(error);
    shared.panicked();
  } else if (!shared.hasPanicked) {
    recover();
  }
}

export { FirstAnswer, Limiter };
export default { fetch };
