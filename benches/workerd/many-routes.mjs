// So many routes, for each contestant in its own way: of the six shapes of benches/routing.rs, each handing
// on to a path of a service; but the one in the middle, which is asked for, answers by itself.
import { at } from "../../scripts/run.mjs";

/** The shapes, in the order in which Hono must have them: it goes by that, the others by what is narrower. */
const SHAPES = [
  { postern: "", hono: "", asked: "" },
  { postern: "/{id}:cancel", hono: "/:id{[^/]+:cancel}", asked: "/4711:cancel" },
  { postern: "/{id}/items", hono: "/:id/items", asked: "/4711/items" },
  { postern: "/{id}/items/{item}", hono: "/:id/items/:item", asked: "/4711/items/42" },
  { postern: "/{id}", hono: "/:id", asked: "/4711" },
  { postern: "/files/{*rest}", hono: "/files/*", asked: "/files/a/b/c.txt" },
];
const OWN = SHAPES.findIndex(({ asked }) => asked === "/4711");

const shape = (number) => number % SHAPES.length;
const resource = (number) => `/api/v${number % 3}/resource-${Math.floor(number / SHAPES.length)}`;
const numbers = (count) => Array.from({ length: count }, (_, number) => number);
/** The route that answers by itself. */
const inTheMiddle = (count) => SHAPES.length * Math.floor(count / 2 / SHAPES.length) + OWN;
const asked = (number) => resource(number) + SHAPES[shape(number)].asked;

/** The path that is asked for, of so many routes. */
export const pathInTheMiddle = (count) => asked(inTheMiddle(count));

/** Paths of all shapes, and what the upstream has for them. */
export const otherPaths = numbers(SHAPES.length).map((number) => asked(number));
export const upstream = Object.fromEntries(SHAPES.map((_, number) => [`/shapes/${number}`, { shape: number }]));

/** The routes of Postern's file. */
export function posternRoutes(count) {
  return numbers(count).map((number) => ({
    path: resource(number) + SHAPES[shape(number)].postern,
    method: "GET",
    auth: "public",
    ...(number === inTheMiddle(count) ? { reply: { body: { ok: true } } } : { forward: { to: `upstream:/shapes/${shape(number)}` } }),
  }));
}

/** What counts is deployed whether a route asks it or not, as with Postern. */
const counter = `export { Counter } from ${JSON.stringify(at("benches/workerd/peers/counter.mjs"))};`;

/** A worker with Hono. */
export function honoWorker(count) {
  const routes = numbers(count).map((number) => {
    const handler = number === inTheMiddle(count) ? "reply" : `to("/shapes/${shape(number)}")`;
    return `app.get(${JSON.stringify(resource(number) + SHAPES[shape(number)].hono)}, ${handler});`;
  });
  return `${counter}
    import { Hono } from "hono";
    const app = new Hono();
    const reply = (context) => context.json({ ok: true });
    const to = (path) => (context) => fetch(context.env.UPSTREAM + path, context.req.raw);
    ${routes.join("\n")}
    export default app;`;
}

/** A bare worker: what is no name in a path leads to the handler, by a map. */
export function bareWorker(count) {
  const routes = numbers(count).map((number) => {
    const handler = number === inTheMiddle(count) ? "reply" : `to("/shapes/${shape(number)}")`;
    return `[${JSON.stringify(resource(number) + SHAPES[shape(number)].postern)}, ${handler}],`;
  });
  return `${counter}
    const reply = () => Response.json({ ok: true });
    const to = (path) => (request, env) => fetch(env.UPSTREAM + path, request);
    const routes = new Map([${routes.join("\n")}]);
    function shape([id, below, item, ...more]) {
      if (id === undefined) return "";
      if (id === "files" && below !== undefined) return "/files/{*rest}";
      if (below === undefined) return id.endsWith(":cancel") ? "/{id}:cancel" : "/{id}";
      if (below !== "items" || more.length > 0) return null;
      return item === undefined ? "/{id}/items" : "/{id}/items/{item}";
    }
    export default {
      async fetch(request, env) {
        const [, api, version, resource, ...rest] = new URL(request.url).pathname.split("/");
        const handler = routes.get(\`/\${api}/\${version}/\${resource}\${shape(rest)}\`);
        if (handler === undefined) return new Response(null, { status: 404 });
        return request.method === "GET" ? handler(request, env) : new Response(null, { status: 405 });
      },
    };`;
}
