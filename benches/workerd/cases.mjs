import { createHmac } from "node:crypto";

// What is measured: for each case the path that clients ask for, what the upstream has, and what
// Postern's routes.json says of it. What the peers do for it is in peers/answers.mjs.

/** The cases, by name. */
export const cases = {
  small: {
    about: "3 parts of 1 KB",
    requests: 1000,
    upstream: documents("small", 3, 1_000),
    aggregate: { user: part("/small/0"), orders: part("/small/1"), unread: part("/small/2") },
  },
  pick: {
    about: "10 parts of 20 KB, of which some members are picked",
    requests: 300,
    upstream: documents("pick", 10, 20_000),
    aggregate: Object.fromEntries(
      Array.from({ length: 10 }, (_, number) => [
        `p${number}`,
        { ...part(`/pick/${number}`), pick: ["id", "owner.name", "items.id", "items.name", "items.price"] },
      ]),
    ),
  },
  large: {
    about: "1 part of 1 MB, as it came",
    requests: 100,
    upstream: documents("large", 1, 1_000_000),
    aggregate: { all: part("/large/0") },
  },
  open: {
    about: "a fixed answer for everyone",
    requests: 3000,
    upstream: {},
    route: { auth: "public", reply: { body: { ok: true } } },
  },
  limit: {
    about: "the same, each call counted in a Durable Object",
    requests: 1500,
    upstream: {},
    route: { auth: "public", limit: "exact", reply: { body: { ok: true } } },
  },
  lease: {
    about: "the same, of which Postern borrows 100 units at once; the others as before",
    requests: 1500,
    upstream: {},
    route: { auth: "public", limit: "leased", reply: { body: { ok: true } } },
  },
  token: {
    about: "a fixed answer for those with a token (HS256), the same one again and again",
    requests: 1500,
    upstream: {},
    route: { auth: "customer", reply: { body: { ok: true } } },
    headers: () => bearer(0),
  },
  tokens: {
    about: "the same, each request with a token that was not there before",
    requests: 1500,
    upstream: {},
    route: { auth: "customer", reply: { body: { ok: true } } },
    headers: (number) => bearer(number),
  },
  each: {
    about: "a list of 50, and a call of 1 KB for each",
    requests: 100,
    upstream: {
      "/each": Array.from({ length: 50 }, (_, number) => ({ id: number, product: 1000 + number, count: 2 })),
      ...documents("each", 50, 1_000),
    },
    aggregate: {
      items: { ...part("/each"), hidden: true },
      lines: { ...part("/each/{item.id}"), for_each: "{parts.items}", most: 50, into: "product" },
    },
  },
};

/** Postern's file for all cases. */
export const routes = (upstream) => ({
  // A list, and a call for each of its 50.
  max_calls: 51,
  services: { upstream: { url: upstream } },
  auth: {
    customer: {
      jwt: { issuer: "https://id.example/", audience: "shop", keys: [{ alg: "HS256", secret: "{env.JWT_SECRET}" }] },
    },
  },
  limits: {
    exact: { rate: "1000000/min", by: "address" },
    leased: { rate: "1000000/min", by: "address", lease: 100 },
  },
  routes: Object.entries(cases).map(([name, { aggregate, route = { auth: "public", aggregate } }]) => ({ path: `/${name}`, ...route })),
});

/** What tokens are signed with. */
export const SECRET = "a-secret-of-the-benchmarks-of-32-bytes";

const tokens = new Map();

/** The header field with a token of a number. */
function bearer(number) {
  if (!tokens.has(number)) {
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { iss: "https://id.example/", aud: "shop", sub: `user-${number}`, exp: 4_000_000_000 };
    const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
    tokens.set(number, `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`);
  }
  return { authorization: `Bearer ${tokens.get(number)}` };
}

function part(path) {
  return { get: `upstream:${path}` };
}

/** So many documents of about so many bytes, by their paths. */
function documents(name, count, bytes) {
  return Object.fromEntries(Array.from({ length: count }, (_, number) => [`/${name}/${number}`, document(number, bytes)]));
}

/** A document as services have them: texts, numbers, and objects within. */
function document(id, bytes) {
  const owner = { name: "Ada Lovelace", mail: "ada@example.com", verified: true };
  const value = { id, created: "2026-01-01T09:30:00Z", owner, items: [] };
  const items = Math.max(1, Math.round((bytes - JSON.stringify(value).length) / (JSON.stringify(item(1000)).length + 1)));
  value.items = Array.from({ length: items }, (_, number) => item(number));
  return value;
}

function item(id) {
  return {
    id,
    name: `Thing number ${id}, "large"`,
    price: (id % 90) + 1.25,
    in_stock: id % 3 === 0,
    tags: ["new", "sale"],
    maker: { name: "Müller & Söhne", place: { lat: 48.137, lon: 11.575 } },
    note: null,
  };
}
