// Bodies that the gateway writes come to the client byte for byte, of the type that they have, however they get into the
// runtime: a short text with its fields, any other as bytes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startGateway } from "./harness.mjs";

const JSON_TYPE = "application/json";

/** A body, and the type that the file gives it, if it does: null is none. */
const table = {
  "a short text": ["it is there"],
  "letters of several bytes": ["Grüße, \u{1f600} \ufeff \u2028"],
  "as long as a text may be": ["x".repeat(4094)],
  "longer than that": ["x".repeat(4095)],
  "longer in bytes than in letters": ["é".repeat(2100)],
  "of a type of its own": ["a", "application/vnd.example+json"],
  "without a type": ["a", null],
};

const routes = Object.values(table).map(([body, type], number) => ({
  path: `/${number}`,
  auth: "public",
  reply: { status: 203, body },
  ...(type === undefined ? {} : { response_headers: type === null ? { remove: ["content-type"] } : { set: { "content-type": type } } }),
}));
const gateway = await startGateway({ routes });

for (const [number, [name, [body, type = JSON_TYPE]]] of Object.entries(table).entries()) {
  test(`a reply: ${name}`, async () => {
    const answer = await gateway.get(`/${number}`);
    assert.equal(answer.status, 203);
    assert.equal(answer.headers.get("content-type"), type);
    const bytes = Buffer.from(await answer.arrayBuffer());
    assert.equal(bytes.toString(), JSON.stringify(body));
    assert.equal(answer.headers.get("content-length"), String(bytes.length));
  });
}

test("a reply to HEAD has the fields alone", async () => {
  const answer = await fetch(`${gateway.url}/0`, { method: "HEAD" });
  assert.deepEqual([answer.status, answer.headers.get("content-type"), await answer.text()], [203, JSON_TYPE, ""]);
});
