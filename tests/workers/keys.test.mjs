// Keys by URL, in the real runtime: fetched by one request and used by others, kept in KV for other isolates,
// new ones found at once.
import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import net from "node:net";
import { test } from "node:test";
import { json, sleep, startGateway, startUpstream, until } from "./harness.mjs";

const keys = new Map();
const makeKey = (kid) => keys.set(kid, generateKeyPairSync("rsa", { modulusLength: 2048 }));
makeKey("a");

const issuer = await startUpstream((request, response) => {
  if (request.url === "/.well-known/openid-configuration") {
    return json(response, { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` });
  }
  const set = [...keys].map(([kid, { publicKey }]) => ({ kid, use: "sig", alg: "RS256", ...publicKey.export({ format: "jwk" }) }));
  json(response, { keys: set });
});
const kept = new Map();
const kv = await startUpstream(async (request, response) => {
  const key = decodeURIComponent(new URL(request.url, "http://kv").pathname.slice(1));
  if (request.method === "PUT") {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    kept.set(key, Buffer.concat(chunks).toString());
    return response.end();
  }
  response.writeHead(kept.has(key) ? 200 : 404).end(kept.get(key));
});
const service = await startUpstream((request, response) => json(response, { sees: request.headers, url: request.url }));

const rule = (jwks, more) => ({ jwt: { issuer: issuer.url, audience: "shop", jwks, ...more } });
const routes = {
  services: { s: { url: service.url } },
  auth: {
    byUrl: rule(`${issuer.url}/keys`),
    discovered: rule("discover"),
    fromElsewhere: rule("discover", { from: [{ cookie: "session" }, { query: "access_token" }], pass: false }),
    other: { jwt: { issuer: "https://other.test/", audience: "shop", keys: [{ alg: "HS256", secret: "{env.JWT_SECRET}" }] } },
  },
  routes: [
    { path: "/by-url", auth: "byUrl", reply: {} },
    { path: "/discovered", auth: "discovered", reply: {} },
    { path: "/elsewhere", auth: "fromElsewhere", forward: "s" },
    { path: "/either", auth: ["other", "byUrl"], reply: {} },
  ],
};
const withKv = {
  services: `(name = "kv", external = (address = "${new URL(kv.url).host}", http = ())),`,
  bindings: '(name = "KV", kvNamespace = "kv"),',
};
const gateway = await startGateway(routes, withKv);

let number = 0;
function token(kid, claims = {}) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + 60;
  const all = { iss: issuer.url, aud: "shop", sub: "ada", exp, number: (number += 1), ...claims };
  const data = `${encode({ alg: "RS256", kid })}.${encode(all)}`;
  return `${data}.${sign("sha256", data, keys.get(kid).privateKey).toString("base64url")}`;
}
const bearer = (...of) => ({ authorization: `Bearer ${token(...of)}` });
const fetches = () => issuer.seen.filter(({ target }) => target === "/keys").length;

test("keys are fetched once, for many at once", async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => gateway.get("/by-url", bearer("a"))));
  assert.deepEqual(answers.map(({ status }) => status), Array(20).fill(200));
  assert.equal(fetches(), 1);
});

test("they are kept in KV, where another process finds them", async () => {
  await until(() => kept.has(`postern/keys/${issuer.url}/keys`), "the keys are in KV");
  const other = await startGateway(routes, withKv);
  const before = fetches();
  assert.equal((await other.get("/by-url", bearer("a"))).status, 200);
  assert.equal(fetches(), before);
  await other.stop();
});

test("the issuer's OpenID configuration says where they are", async () => {
  assert.equal((await gateway.get("/discovered", bearer("a"))).status, 200);
  assert.equal((await gateway.get("/discovered", bearer("a", { iss: "https://other.test/" }))).status, 401);
});

test("a token may be for one of several rules, by its issuer", async () => {
  assert.equal((await gateway.get("/either", bearer("a"))).status, 200);
  assert.equal((await gateway.get("/either", bearer("a", { iss: "https://other.test/" }))).status, 401);
});

test("a token from a cookie or a query does not go on, where the file says so", async () => {
  const byCookie = await gateway.get("/elsewhere?a=1", { cookie: `x=1; session=${token("a")}; y=2` });
  const { sees, url } = await byCookie.json();
  assert.deepEqual([byCookie.status, sees.cookie, url], [200, "x=1; y=2", "/elsewhere?a=1"]);
  const byQuery = await gateway.get(`/elsewhere?a=1&access_token=${token("a")}&b=2`);
  assert.deepEqual([byQuery.status, (await byQuery.json()).url], [200, "/elsewhere?a=1&b=2"]);
  assert.equal((await gateway.get("/elsewhere", bearer("a"))).status, 401);
});

test("who comes and leaves keeps the keys from nobody", async () => {
  const slow = await startUpstream((request, response) => setTimeout(issuer.handle, 200, request, response));
  const other = await startGateway({
    auth: { slow: rule(`${slow.url}/keys`) },
    routes: [{ path: "/slow", auth: "slow", reply: {} }],
  });
  const leaving = net.connect(other.port, "127.0.0.1");
  leaving.write(`GET /slow HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${token("a")}\r\n\r\n`);
  await until(() => slow.seen.length === 1, "the issuer is asked");
  leaving.resetAndDestroy();
  await sleep(50);
  assert.equal((await other.get("/slow", bearer("a"))).status, 200);
  assert.equal(slow.seen.length, 1);
});

test("no token gets into the log", () => assert.doesNotMatch(gateway.log(), /eyJ/));
