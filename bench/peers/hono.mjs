// The same with Hono.
import { Hono } from "hono";
import { answers } from "./answers.mjs";

const app = new Hono();
for (const [path, answer] of Object.entries(answers)) {
  app.get(path, async (context) => {
    const get = async (path) => (await fetch(context.env.UPSTREAM + path)).json();
    return context.json(await answer(get));
  });
}

export default app;
