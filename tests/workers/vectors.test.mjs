// Keys and tokens that others published (`tests/vectors`), with the signatures that the runtime checks. None of them
// is let in, since their claims are not for this gateway: whether the signature was good is in the log.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { compiled } from "../../scripts/compiler.mjs";
import { at } from "../../scripts/run.mjs";
import { CUSTOMER, startGateway, until } from "./harness.mjs";

const vectors = readdirSync(at("tests", "vectors"))
  .map((name) => ({ name, ...JSON.parse(readFileSync(at("tests", "vectors", name), "utf8")) }))
  .flatMap(({ name, keys, vectors }) =>
    vectors.map((vector) => ({ ...vector, name: `${name}: ${vector.name}`, key: keys[vector.key] })));
assert.ok(vectors.length > 120, `only ${vectors.length} vectors`);

// The gateway's secrets are text, those of the vectors are not: to a caller these tokens are of another secret.
const isSecret = ({ key }) => key.jwk.kty === "oct";
const ruleOf = (vector) =>
  isSecret(vector) ? CUSTOMER : { jwt: { issuer: "i", audience: "a", keys: [vector.key] } };
const fileOf = (vectors) => ({
  auth: Object.fromEntries(vectors.map((vector, at) => [`r${at}`, ruleOf(vector)])),
  routes: vectors.map((_, at) => ({ path: `/v${at}`, auth: `r${at}`, reply: { body: { open: true } } })),
});

const usable = vectors.filter(({ expect }) => expect !== "no key");
const gateway = await startGateway(fileOf(usable));

/** What the log says of a token at a route. */
async function reason(route, token, name) {
  const lines = () => gateway.log().split("\n").filter((line) => line.includes(`"route":"${route}"`));
  const before = lines().length;
  const answer = await gateway.get(route, { authorization: `Bearer ${token}` });
  assert.equal(answer.status, 401, name);
  await until(() => lines().length > before, `a log line of ${name}`);
  return lines().at(-1);
}

/** The same token with another bit in its signature. */
function touched(token) {
  const [header, claims, signature] = token.split(".");
  const bytes = Buffer.from(signature, "base64url");
  bytes[9] ^= 1;
  return `${header}.${claims}.${bytes.toString("base64url")}`;
}

test("of what others signed, the good signatures are good and the others are not", async () => {
  let good = 0;
  for (const [at, vector] of usable.entries()) {
    const isSigned = (line) => /token (signed, but|of another issuer)/.test(line);
    const line = await reason(`/v${at}`, vector.token, vector.name);
    if (isSecret(vector)) continue;
    assert.equal(isSigned(line), vector.expect === "signed", `${vector.name}: ${line}`);
    if (vector.expect === "signed") {
      good += 1;
      assert.ok(!isSigned(await reason(`/v${at}`, touched(vector.token), vector.name)), `${vector.name}, touched`);
    }
  }
  assert.ok(good > 12, `only ${good} good signatures`);
});

test("a file with a key that is none is refused", () => {
  const unusable = vectors.filter(({ expect }) => expect === "no key");
  const { faults } = compiled(at("build"), JSON.stringify(fileOf(unusable)));
  const isTold = (number) => faults.some((fault) => fault.startsWith(`/auth/r${number}/jwt/keys/0`));
  for (const number of unusable.keys()) assert.ok(isTold(number), unusable[number].name);
});
