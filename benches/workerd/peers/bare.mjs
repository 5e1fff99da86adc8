// A worker of bare JavaScript: nothing but what the answer needs.
import { env } from "cloudflare:workers";
import { PROBLEM, dashboard, forEveryone, notAccepted, notModified, tooMany } from "./answers.mjs";
import { Counter, LIMITS, count } from "./counter.mjs";
import { subjectOf } from "./token.mjs";

export { Counter };

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/reply":
        return Response.json({ ok: true });
      case "/forward-1k":
      case "/forward-1m":
        return fetch(env.UPSTREAM + pathname, request);
      case "/not-modified":
        return revalidated(request, JSON.stringify(await notModified(get)));
      case "/forward-jwt":
      case "/token":
      case "/tokens":
      case "/bad-token":
      case "/bad-tokens":
      case "/limit":
      case "/lease":
      case "/over-limit":
      case "/dashboard-exact":
      case "/dashboard-leased":
        return forCustomers(pathname, request);
    }
    const answer = forEveryone[pathname];
    return answer === undefined ? new Response(null, { status: 404 }) : Response.json(await answer(get));
  },
};

async function forCustomers(pathname, request) {
  const sub = await subjectOf(request);
  if (sub === null) return new Response(notAccepted(), { status: 401, headers: { ...PROBLEM, "www-authenticate": "Bearer" } });
  switch (pathname) {
    case "/forward-jwt":
      return fetch(env.UPSTREAM + pathname, request);
    case "/limit":
      return limited("exact", sub, () => Response.json({ ok: true }));
    case "/lease":
      return limited("leased", sub, () => Response.json({ ok: true }));
    case "/over-limit":
      return limited("spent", sub, () => Response.json({ ok: true }));
    case "/dashboard-exact":
      return limited("exact", sub, async () => Response.json(await dashboard(get, sub)));
    case "/dashboard-leased":
      return limited("leased", sub, async () => Response.json(await dashboard(get, sub)));
    default:
      return Response.json({ ok: true });
  }
}

async function limited(limit, sub, answer) {
  const { totalHits, resetTime } = await count(limit, sub);
  if (totalHits <= LIMITS[limit].calls) return answer();
  const headers = { ...PROBLEM, "retry-after": String(Math.ceil((resetTime - Date.now()) / 1000)) };
  return new Response(tooMany(limit), { status: 429, headers });
}

/** An answer with an ETag, or that the client has it. */
async function revalidated(request, body) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", new TextEncoder().encode(body)));
  const etag = `"${digest.toHex()}"`;
  if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers: { etag } });
  return new Response(body, { headers: { "content-type": "application/json", etag } });
}

const get = async (path) => (await fetch(env.UPSTREAM + path)).json();
