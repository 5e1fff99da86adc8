// In the place of the built Wasm and its glue (`index.js`): the calls of the bridge that it makes for a forward and for a refused
// token, told as constants what it says there. What Postern costs beyond this, its Wasm costs.
import { respondText } from "../../src/workers/bridge/answers.js";
import { forward, setNeverForClients } from "../../src/workers/bridge/calls.js";

const ID = "00000000-0000-4000-8000-000000000000";
const TOWARDS_SERVICE = `-connection\n-host\n+x-forwarded-host:127.0.0.1:8787\n+x-forwarded-proto:http\n+x-forwarded-for:127.0.0.1\n+x-request-id:${ID}\n`;
const LOOKED_AT = "location,content-location,set-cookie";
const TOWARDS_CLIENT = `+x-request-id:${ID}\n`;
const REFUSAL = `content-type:application/problem+json\ncache-control:no-store\nwww-authenticate:Bearer realm="api", error="invalid_token", error_description="The token is not accepted here"\nx-request-id:${ID}\n`;
const WHY =
  `{"type":"urn:postern:problem:token-not-accepted","title":"The token is not accepted here","detail":"Get a token that was issued for this API.","status":401,"request_id":"${ID}"}`;
/** `WhenClientLeaves::EndsUnnoticed`. */
const ENDS_UNNOTICED = 3;

setNeverForClients("connection,keep-alive,transfer-encoding,server,x-powered-by,via", "x-postern-");

/** The requests whose call is under way, by its number. */
const waiting = new Map();
let calls = 0;

export default class {
  serve(visit, head) {
    const [, path] = /^\S+\nhttp:\/\/[^/]*(\S*)/.exec(head);
    if (!path.startsWith("/forward-")) return respondText(401, `${REFUSAL}\n${WHY}`);
    visit.address();
    calls += 1;
    waiting.set(calls, visit);
    // `UPSTREAM` is put here by `workers.mjs`.
    forward(visit, calls, `${UPSTREAM}${path}\n\n${LOOKED_AT}\n${TOWARDS_SERVICE}\n${TOWARDS_CLIENT}`, false, ENDS_UNNOTICED, 0, 10_000);
    return null;
  }

  forget(number) {
    waiting.delete(number);
  }

  failed(number, reason) {
    const visit = waiting.get(number);
    waiting.delete(number);
    visit.settle(new Response(reason, { status: 502 }));
  }

  recover() {}
  resume() {}
  said() {}
  replied() {}
  handedOn() {}
  read() {}
}
