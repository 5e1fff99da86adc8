// Paths that say one thing to one reader and another to the next. Plain workerd hands them over as
// they came, so what the gateway makes of them is seen here and not under `wrangler dev` alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CUSTOMER, raw, rawGet, startGateway, startUpstream } from "./harness.mjs";

const upstream = await startUpstream();
const gateway = await startGateway({
  services: { site: { url: upstream.url } },
  auth: { customer: CUSTOMER },
  routes: [
    { path: "/public/{*rest}", auth: "public", forward: "site" },
    { path: ["/admin", "/admin/{*rest}", "/users/@me"], auth: "customer", forward: "site" },
    { path: "/users/{id}", auth: "public", forward: "site" },
  ],
});

/** What a target comes to: the status, and what the service was asked for, if it was. */
const table = [
  ["/public/x", 200, "/public/x"],
  ["/admin", 401],
  // Dot segments, plain and encoded: the normal form is what counts.
  ["/public/../admin", 401],
  ["/public/%2e%2e/admin", 401],
  ["/public/%2E%2E/admin", 401],
  ["/public/.%2e/admin", 401],
  ["/public/./../admin", 401],
  ["/public/x/../../admin", 401],
  ["/public/x/..", 200, "/public/"],
  ["/public/..", 404],
  ["/public/../public/y", 200, "/public/y"],
  ["/public/a/../b", 200, "/public/b"],
  ["/../../admin", 401],
  // Letters in disguise.
  ["/%61dmin", 401],
  ["/%61%64%6d%69%6e/x", 401],
  ["/users/%40me", 401],
  ["/users/%65", 200, "/users/e"],
  // Separators in disguise.
  ["/public/..\\admin", 400],
  ["/public\\..\\admin", 400],
  ["/public/..%5cadmin", 400],
  ["/public/..%2fadmin", 400],
  ["/public/%2e%2e%2fadmin", 400],
  ["/public%2f..%2fadmin", 400],
  ["/public/..;/admin", 400],
  ["/public/..;a=b/admin", 400],
  // What some servers drop before they look.
  ["/admin;x", 400],
  ["/admin;a=b/x", 400],
  ["/users/@me;x=1", 400],
  ["/public/a;v=1", 400],
  // A slash at the end is no way around.
  ["/admin/", 401],
  ["/users/@me/", 404],
  ["//admin", 400],
  ["/public//../admin", 400],
  ["///evil.example/", 400],
  // Bytes that end a string for some readers.
  ["/public/x%00", 400],
  ["/public/x%0a", 400],
  ["/public/%", 400],
  ["/public/%zz", 400],
  // Overlong UTF-8: a dot or a slash to a reader that is not strict.
  ["/public/%c0%ae%c0%ae/admin", 400],
  ["/public/%c0%af../admin", 400],
  ["/public/%e0%80%af../admin", 400],
  ["/public/..%c1%9cadmin", 400],
  ["/public/%ff", 400],
  // A dot of full width is another letter.
  ["/public/%ef%bc%8e%ef%bc%8e/admin", 200, "/public/%EF%BC%8E%EF%BC%8E/admin"],
  // Encoded twice is data: it goes on exactly as it came.
  ["/public/%252e%252e/admin", 200, "/public/%252e%252e/admin"],
  ["/public/a%20b", 200, "/public/a%20b"],
  ["/public/%c3%a4", 200, "/public/%C3%A4"],
  ["/Admin", 404],
];

for (const [target, status, asked] of table) {
  test(`${target} is ${status}${asked ? `, asks for ${asked}` : ""}`, async () => {
    upstream.seen.length = 0;
    const answer = await rawGet(gateway.port, target);
    assert.equal(answer.status, status, answer.text);
    assert.deepEqual(
      upstream.seen.map((seen) => seen.target),
      asked ? [asked] : [],
    );
  });
}

test("an absolute target names no other service", async () => {
  upstream.seen.length = 0;
  const answer = await rawGet(gateway.port, "http://evil.example/public/../admin");
  assert.notEqual(answer.status, 200, answer.text);
  assert.equal(upstream.seen.length, 0);
});

test("a Host names no other service", async () => {
  upstream.seen.length = 0;
  const request = "GET /public/x HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
  assert.match(await raw(gateway.port, request), /^HTTP\/1.1 200/);
  assert.equal(upstream.seen[0].headers.host, new URL(upstream.url).host);
});

test("a Host brings no path", async () => {
  upstream.seen.length = 0;
  for (const host of ["h/public/x?a=", "a\r\nHost: b", "h#", "u@h"]) {
    const answer = await raw(gateway.port, `GET /admin HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1.1 400/, host);
  }
  assert.equal(upstream.seen.length, 0);
});

test("a fragment never reaches a service", async () => {
  upstream.seen.length = 0;
  await rawGet(gateway.port, "/public/x#/../../admin");
  for (const seen of upstream.seen) assert.equal(seen.target, "/public/x");
});
