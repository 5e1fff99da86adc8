// The same with Hono.
import { Hono } from "hono";
import { jwt } from "hono/jwt";
import { answers } from "./answers.mjs";

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

export default app;
