// What is measured: for each case what clients ask for and must get, what the upstream has, and what
// Postern's routes.json says of it. What the peers do for it is in peers/.
import { document, documents } from "./documents.mjs";
import { otherPaths, pathInTheMiddle, posternRoutes, upstream as shapes } from "./many-routes.mjs";
import { AUDIENCE, ISSUER, bearer, forged } from "./tokens.mjs";

const REPLY = { reply: { body: { ok: true } } };
const PICKED = ["id", "owner.name", "items.id", "items.name", "items.price"];
const DASHBOARD = {
  user: { get: "upstream:/dashboard/{jwt.sub}/user", pick: PICKED },
  orders: { get: "upstream:/dashboard/{jwt.sub}/orders", pick: PICKED },
  unread: { get: "upstream:/dashboard/{jwt.sub}/unread", pick: PICKED },
};

/**
 * The cases, by name, which is also the path where none is said. `natives` are who takes part beside the workers;
 * `varies`: no two requests have the same header fields; `revalidates`: the client sends the `ETag` that it had;
 * `beforehand`: requests that are answered otherwise, at first; `routes`: so many, and nothing else; `beside`: measured in
 * the same rounds as that case; `tellsTail`: its p99 is looked at, so it is paced for longer.
 */
export const cases = {
  reply: {
    about: "a constant answer, for everyone",
    route: { auth: "public", ...REPLY },
  },
  "forward-1k": {
    about: "an answer of 1 KB, handed on",
    upstream: { "/forward-1k": document(1, 1_000) },
    route: { auth: "public", forward: "upstream" },
    natives: ["Envoy", "nginx"],
    isBytes: true,
  },
  "forward-1m": {
    about: "an answer of 1 MB, handed on",
    upstream: { "/forward-1m": document(1, 1_000_000) },
    route: { auth: "public", forward: "upstream" },
    natives: ["Envoy", "nginx"],
    isBytes: true,
  },
  "forward-jwt": {
    about: "an answer of 1 KB, handed on to those with a token (HS256), the same one again and again",
    upstream: { "/forward-jwt": document(1, 1_000) },
    route: { auth: "customer", forward: "upstream" },
    headers: () => bearer("ada"),
    natives: ["Envoy"],
    isBytes: true,
  },
  "dashboard-exact": {
    about: "token, limit by its subject counted in a Durable Object, 3 calls of 1 KB, of which some members are picked",
    upstream: dashboardOf("ada"),
    route: { auth: "customer", limit: "exact", aggregate: DASHBOARD },
    headers: () => bearer("ada"),
    tellsTail: true,
  },
  "dashboard-leased": {
    about: "the same, and Postern's limit borrows 100 units at once; the others as before",
    upstream: dashboardOf("ada"),
    route: { auth: "customer", limit: "leased", aggregate: DASHBOARD },
    headers: () => bearer("ada"),
    tellsTail: true,
    beside: "dashboard-exact",
  },
  "fan-out-10": {
    about: "10 calls of 1 KB at once, merged",
    upstream: documents("/fan-out-10", 10, 1_000),
    route: { auth: "public", aggregate: parts("/fan-out-10", 10) },
  },
  pick: {
    about: "10 calls of 20 KB, of which some members are picked",
    upstream: documents("/pick", 10, 20_000),
    route: { auth: "public", aggregate: parts("/pick", 10, { pick: PICKED }) },
  },
  large: {
    about: "1 call of 1 MB, as a member",
    upstream: { "/large/0": document(0, 1_000_000) },
    route: { auth: "public", aggregate: { all: { get: "upstream:/large/0" } } },
  },
  each: {
    about: "a list of 50, and a call of 1 KB for each",
    upstream: {
      "/lists/each": Array.from({ length: 50 }, (_, number) => ({ id: number, product: 1000 + number, count: 2 })),
      ...documents("/each", 50, 1_000),
    },
    route: {
      auth: "public",
      aggregate: {
        items: { get: "upstream:/lists/each", hidden: true },
        lines: { get: "upstream:/each/{item.id}", for_each: "{parts.items}", most: 50, into: "product" },
      },
    },
  },
  "not-modified": {
    about: "3 calls of 1 KB, merged, for a client that has it already (304)",
    upstream: documents("/not-modified", 3, 1_000),
    route: { auth: "public", aggregate: parts("/not-modified", 3), answer: { etag: true } },
    revalidates: true,
    status: 304,
  },
  token: {
    about: "a constant answer for those with a token, the same one again and again",
    route: { auth: "customer", ...REPLY },
    headers: () => bearer("ada"),
  },
  tokens: {
    about: "the same, each request with a token that was not there before",
    route: { auth: "customer", ...REPLY },
    headers: (number) => bearer(`user-${number}`),
    varies: true,
  },
  "bad-token": {
    about: "refused (401): somebody else has signed the token, the same one again and again",
    route: { auth: "customer", ...REPLY },
    headers: () => forged("ada"),
    status: 401,
    says: ["www-authenticate"],
  },
  "bad-tokens": {
    about: "the same, each request with a token that was not there before",
    route: { auth: "customer", ...REPLY },
    headers: (number) => forged(`user-${number}`),
    varies: true,
    status: 401,
    says: ["www-authenticate"],
  },
  limit: {
    about: "a constant answer, each call counted in a Durable Object by the token's subject",
    route: { auth: "customer", limit: "exact", ...REPLY },
    headers: () => bearer("ada"),
  },
  lease: {
    about: "the same, and Postern's limit borrows 100 units at once; the others as before",
    route: { auth: "customer", limit: "leased", ...REPLY },
    headers: () => bearer("ada"),
    beside: "limit",
  },
  "over-limit": {
    about: "refused (429): the caller has had the one call of this hour",
    route: { auth: "customer", limit: "spent", ...REPLY },
    headers: () => bearer("ada"),
    beforehand: 1,
    status: 429,
    says: ["retry-after"],
  },
  "routes-10": manyRoutes(10),
  "routes-10000": { ...manyRoutes(10_000), beside: "routes-10" },
};

/** Postern's file for all cases, or for so many routes. */
export const routes = (upstream, count) => ({
  // The others write no line for a request either.
  log: "none",
  // A list, and a call for each of its 50.
  max_calls: 51,
  services: { upstream: { url: upstream } },
  auth: { customer: { jwt: { issuer: ISSUER, audience: AUDIENCE, keys: [{ alg: "HS256", secret: "{env.JWT_SECRET}" }] } } },
  limits: {
    exact: { rate: "1000000/min" },
    leased: { rate: "1000000/min", lease: 100 },
    spent: { rate: "1/h" },
  },
  routes: count === undefined ? routesOfCases() : posternRoutes(count),
});

const routesOfCases = () =>
  Object.entries(cases)
    .filter(([, { route }]) => route !== undefined)
    .map(([name, { route }]) => ({ path: `/${name}`, ...route }));

function parts(path, count, rest = {}) {
  return Object.fromEntries(Array.from({ length: count }, (_, number) => [`p${number}`, { get: `upstream:${path}/${number}`, ...rest }]));
}

function dashboardOf(sub) {
  return Object.fromEntries(["user", "orders", "unread"].map((part, number) => [`/dashboard/${sub}/${part}`, document(number, 1_000)]));
}

function manyRoutes(count) {
  return {
    about: `a constant answer, by the one in the middle of ${count.toLocaleString("en")} routes`,
    routes: count,
    path: pathInTheMiddle(count),
    // They are not measured, but the contestants must find them too.
    others: otherPaths,
    upstream: shapes,
  };
}
