// A worker of bare JavaScript: nothing but what the answer needs.
import { answers } from "./answers.mjs";

export default {
  async fetch(request, { UPSTREAM }) {
    const answer = answers[new URL(request.url).pathname];
    if (answer === undefined) return new Response(null, { status: 404 });
    const get = async (path) => (await fetch(UPSTREAM + path)).json();
    return new Response(JSON.stringify(await answer(get)), { headers: { "content-type": "application/json" } });
  },
};
