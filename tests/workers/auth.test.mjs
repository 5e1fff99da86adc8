// Who is let in, seen from outside: the forms of the answers. Every rule of a token's validity is
// in the scenarios of the core.
import assert from "node:assert/strict";
import { constants, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { CUSTOMER, bearer, startGateway, token } from "./harness.mjs";

const ed = generateKeyPairSync("ed25519");
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ec384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const byEc = (hash, { privateKey: key }) => (data) => sign(hash, data, { key, dsaEncoding: "ieee-p1363" });
const pss = (hash, saltLength) => (data) =>
  sign(hash, data, { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
const signers = {
  EdDSA: (data) => sign(null, data, ed.privateKey),
  ES256: byEc("sha256", ec),
  ES384: byEc("sha384", ec384),
  RS256: (data) => sign("sha256", data, rsa.privateKey),
  RS384: (data) => sign("sha384", data, rsa.privateKey),
  RS512: (data) => sign("sha512", data, rsa.privateKey),
  PS256: pss("sha256", 32),
  PS384: pss("sha384", 48),
  PS512: pss("sha512", 64),
};
const jwk = ({ publicKey }) => publicKey.export({ format: "jwk" });
const rule = {
  jwt: {
    issuer: "https://id.test/",
    audience: ["shop", "app"],
    keys: [
      { alg: "EdDSA", kid: "ed", jwk: jwk(ed) },
      { alg: "ES256", kid: "ec", jwk: jwk(ec) },
      { alg: "ES384", kid: "ec384", jwk: jwk(ec384) },
      ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"].map((alg) => ({ alg, kid: alg, jwk: jwk(rsa) })),
    ],
  },
};
const open = { body: { open: true } };
const { x } = jwk(ec);
const offCurve = { jwt: { ...rule.jwt, keys: [{ alg: "ES256", jwk: { kty: "EC", crv: "P-256", x, y: x } }] } };
const gateway = await startGateway({
  auth: { customer: CUSTOMER, partner: rule, "off-curve": offCurve, broken: { jwt: { ...CUSTOMER.jwt, keys: [{ alg: "HS256", secret: "{env.UNSET}" }] } } },
  routes: [
    { path: "/customer", auth: "customer", reply: open },
    { path: "/partner", auth: "partner", reply: open },
    { path: "/broken", auth: "broken", reply: open },
    { path: "/off-curve", auth: "off-curve", reply: open },
  ],
});

function signed(alg, kid, claims = {}) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + 60;
  const data = `${encode({ alg, kid })}.${encode({ iss: "https://id.test/", aud: ["x", "app"], exp, ...claims })}`;
  return { authorization: `Bearer ${data}.${signers[alg](Buffer.from(data)).toString("base64url")}` };
}

test("a good token lets in, whatever signed it", async () => {
  assert.equal((await gateway.get("/customer", bearer())).status, 200);
  for (const alg of Object.keys(signers)) {
    const kid = { EdDSA: "ed", ES256: "ec", ES384: "ec384" }[alg] ?? alg;
    assert.equal((await gateway.get("/partner", signed(alg, kid))).status, 200, alg);
    // Another signature of the same kind, over other claims.
    const [header, , signature] = signed(alg, kid).authorization.split(".");
    const [, claims] = signed(alg, kid, { sub: "eve" }).authorization.split(".");
    assert.equal((await gateway.get("/partner", { authorization: `${header}.${claims}.${signature}` })).status, 401, alg);
  }
});

test("no token is a challenge without an error", async () => {
  for (const headers of [{}, { authorization: "Basic eA==" }, { authorization: "Bearer" }, { authorization: "Bearer " }]) {
    const answer = await gateway.get("/customer", headers);
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.get("www-authenticate"), 'Bearer realm="api"');
  }
});

const past = Math.floor(Date.now() / 1000) - 3600;
const future = past + 7200;
for (const [what, headers, path = "/customer"] of [
  ["an expired token", bearer({ exp: past })],
  ["a token of the future", bearer({ nbf: future, exp: future + 60 })],
  ["a token of another issuer", bearer({ iss: "https://evil.test/" })],
  ["a token for another audience", bearer({ aud: "other" })],
  ["a token without an audience", bearer({ aud: undefined })],
  ["a token that never expires", bearer({ exp: undefined })],
  ["a token of another secret", bearer({}, { secret: "another-secret-of-32-bytes-or-so" })],
  ["a token without a signature", { authorization: `Bearer ${token({}, { header: { alg: "none" } }).replace(/[^.]*$/, "")}` }],
  ["a token with crit", bearer({}, { header: { crit: ["exp"] } })],
  ["zeroes for a signature", { authorization: signed("ES256", "ec").authorization.replace(/[^.]*$/, "A".repeat(86)) }, "/partner"],
  ["a token of another padding", { authorization: signed("PS256", "RS256").authorization }, "/partner"],
  ["a token of another kid", signed("EdDSA", "other"), "/partner"],
  ["a token with another's kid", signed("EdDSA", "ec"), "/partner"],
  ["no token at all", { authorization: "Bearer a.b.c" }],
  ["two tokens", { authorization: `Bearer ${token()}, Bearer ${token()}` }],
  ["a huge token", bearer({ filler: "x".repeat(9000) })],
]) {
  test(`${what} is an invalid one`, async () => {
    const answer = await gateway.get(path, headers);
    assert.equal(answer.status, 401);
    assert.match(answer.headers.get("www-authenticate"), /^Bearer realm="api", error="invalid_token"/);
    assert.equal(answer.headers.get("content-type"), "application/problem+json");
  });
}

test("a secret that is not set lets nobody in, and is named in the log alone", async () => {
  const answer = await gateway.get("/broken", bearer());
  assert.equal(answer.status, 500);
  assert.doesNotMatch(await answer.text(), /UNSET|secret/);
  assert.match(gateway.log(), /the secret UNSET is not set/);
});

test("a point that is not on its curve lets nobody in, and the log says so", async () => {
  const answer = await gateway.get("/off-curve", signed("ES256", "ec"));
  assert.equal(answer.status, 500);
  assert.match(gateway.log(), /the public key [^ ]+ is none that signatures can be checked with/);
});

test("no token gets into the log", async () => {
  const good = token();
  await gateway.get(`/customer?access_token=${good}`, { authorization: `Bearer ${good}` });
  assert.ok(!gateway.log().includes(good));
});
