// The same with Hono and what there is for it.
import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { etag } from "hono/etag";
import { jwt } from "hono/jwt";
import { rateLimiter } from "hono-rate-limiter";
import { PROBLEM, dashboard, forEveryone, notAccepted, notModified, tooMany } from "./answers.mjs";
import { Counter, LIMITS, count } from "./counter.mjs";
import { AUDIENCE, ISSUER } from "./token.mjs";

const app = new Hono();

const get = async (path) => (await fetch(env.UPSTREAM + path)).json();
const reply = (context) => context.json({ ok: true });
// The body goes on as a stream.
const forward = (context) => fetch(env.UPSTREAM + context.req.path, context.req.raw);
const showDashboard = async (context) => context.json(await dashboard(get, context.get("jwtPayload").sub));
const customer = jwt({ secret: env.JWT_SECRET, alg: "HS256", verification: { iss: ISSUER, aud: AUDIENCE } });

const limited = (limit) =>
  rateLimiter({
    windowMs: LIMITS[limit].window,
    limit: LIMITS[limit].calls,
    keyGenerator: (context) => context.get("jwtPayload").sub,
    handler: (context) => context.body(tooMany(limit), 429, PROBLEM),
    store: store(limit),
  });

/** Where calls are counted. */
const store = (limit) => ({
  init() {},
  async increment(key) {
    const { totalHits, resetTime } = await count(limit, key);
    return { totalHits, resetTime: new Date(resetTime) };
  },
  async decrement() {},
  async resetKey() {},
});

app.get("/reply", reply);
app.get("/forward-1k", forward);
app.get("/forward-1m", forward);
app.get("/forward-jwt", customer, forward);
app.get("/dashboard-exact", customer, limited("exact"), showDashboard);
app.get("/dashboard-leased", customer, limited("leased"), showDashboard);
for (const [path, answer] of Object.entries(forEveryone)) app.get(path, async (context) => context.json(await answer(get)));
app.get("/not-modified", etag(), async (context) => context.json(await notModified(get)));
for (const path of ["/token", "/tokens", "/bad-token", "/bad-tokens"]) app.get(path, customer, reply);
app.get("/limit", customer, limited("exact"), reply);
app.get("/lease", customer, limited("leased"), reply);
app.get("/over-limit", customer, limited("spent"), reply);

app.onError((error, context) => {
  if (error.status !== 401) throw error;
  const { headers } = error.getResponse();
  return context.body(notAccepted(), 401, { ...PROBLEM, "www-authenticate": headers.get("www-authenticate") });
});

export { Counter };
export default app;
