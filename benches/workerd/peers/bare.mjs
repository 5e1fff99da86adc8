// A worker of bare JavaScript: nothing but what the answer needs.
import { answers } from "./answers.mjs";
import { Counter, LIMIT, counterOf } from "./counter.mjs";
import { hasToken } from "./token.mjs";

export { Counter };

export default {
  async fetch(request, { UPSTREAM, JWT_SECRET, COUNTER }) {
    const { pathname } = new URL(request.url);
    if (pathname === "/open") return Response.json({ ok: true });
    if (pathname === "/limit" || pathname === "/lease") {
      const { totalHits } = await counterOf(COUNTER, "address").increment();
      return totalHits <= LIMIT ? Response.json({ ok: true }) : new Response(null, { status: 429 });
    }
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
