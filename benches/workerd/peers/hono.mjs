// The same with Hono.
import { Hono } from "hono";
import { jwt } from "hono/jwt";
import { rateLimiter } from "hono-rate-limiter";
import { answers } from "./answers.mjs";
import { Counter, LIMIT, WINDOW, counterOf } from "./counter.mjs";

const app = new Hono();
for (const [path, answer] of Object.entries(answers)) {
  app.get(path, async (context) => {
    const get = async (path) => (await fetch(context.env.UPSTREAM + path)).json();
    return context.json(await answer(get));
  });
}

const token = (context, next) =>
  jwt({ secret: context.env.JWT_SECRET, alg: "HS256", verification: { iss: "https://id.example/", aud: "shop" } })(context, next);
for (const path of ["/token", "/tokens"]) app.get(path, token, (context) => context.json({ ok: true }));

const limited = (context, next) =>
  rateLimiter({ windowMs: WINDOW, limit: LIMIT, keyGenerator: () => "address", store: store(context.env.COUNTER) })(context, next);
/** Where calls are counted. */
const store = (namespace) => ({
  init() {},
  async increment(key) {
    const { totalHits, resetTime } = await counterOf(namespace, key).increment();
    return { totalHits, resetTime: new Date(resetTime) };
  },
  async decrement() {},
  async resetKey() {},
});
for (const path of ["/limit", "/lease"]) app.get(path, limited, (context) => context.json({ ok: true }));
app.get("/open", (context) => context.json({ ok: true }));

export { Counter };
export default app;
