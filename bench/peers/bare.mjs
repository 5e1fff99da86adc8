// A worker of bare JavaScript: nothing but what the answer needs.
import { answers } from "./answers.mjs";
import { hasToken } from "./token.mjs";

export default {
  async fetch(request, { UPSTREAM, JWT_SECRET }) {
    const { pathname } = new URL(request.url);
    if (pathname === "/token" || pathname === "/tokens") {
      const isIn = await hasToken(request.headers.get("authorization"), JWT_SECRET);
      return isIn ? Response.json({ ok: true }) : new Response(null, { status: 401 });
    }
    const answer = answers[pathname];
    if (answer === undefined) return new Response(null, { status: 404 });
    const get = async (path) => (await fetch(UPSTREAM + path)).json();
    return new Response(JSON.stringify(await answer(get)), { headers: { "content-type": "application/json" } });
  },
};
