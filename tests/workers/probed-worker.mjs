// The gateway with a probe: `/probe` gives the counts, everything else is the gateway's.
import { counts } from "./probe.mjs";
import gateway, { FirstAnswer, Limiter } from "./worker.mjs";

export { FirstAnswer, Limiter };
export default {
  fetch(request, env, context) {
    if (new URL(request.url).pathname === "/probe") return Response.json(counts());
    return gateway.fetch(request, env, context);
  },
};
