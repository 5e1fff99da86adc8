// Client certificates as the platform reports them: in `request.cf`, which plain workerd takes from a header field if it
// is told to. What a client says of itself is in other tests.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startGateway, startUpstream } from "./harness.mjs";

const fingerprint = "ab".repeat(32);
const upstream = await startUpstream();
const gateway = await startGateway(
  {
    services: { s: { url: upstream.url } },
    auth: { device: { certificate: { issuer: "CN=CA", certificates: [{ fingerprint, owner: "kiosk" }] } } },
    routes: [
      { path: "/x", auth: "device", request_headers: { set: { "x-device": "{jwt.sub}" } }, forward: "s" },
      { path: "/batch", auth: "public", batch: {} },
    ],
  },
  { http: 'cfBlobHeader = "x-cf"' },
);
const certificate = (tlsClientAuth) => ({ "x-cf": JSON.stringify({ tlsClientAuth }) });
const good = {
  certPresented: "1",
  certVerified: "SUCCESS",
  certRevoked: "0",
  certFingerprintSHA256: fingerprint,
  certSubjectDNRFC2253: "CN=kiosk",
  certIssuerDNRFC2253: "CN=CA",
  certSerial: "07",
};

test("a certificate that the platform trusts lets in, and its owner is known", async () => {
  assert.equal((await gateway.get("/x", certificate(good))).status, 200);
  assert.equal(upstream.seen.at(-1).headers["x-device"], "kiosk");
});

for (const [what, changed] of [
  ["none", { certPresented: "0" }],
  ["one that is not verified", { certVerified: "FAILED:self signed certificate" }],
  ["one that is revoked", { certRevoked: "1" }],
  ["another one", { certFingerprintSHA256: "cd".repeat(32) }],
  ["one of another issuer", { certIssuerDNRFC2253: "CN=Other" }],
  ["one without a fingerprint", { certFingerprintSHA256: undefined }],
]) {
  test(`${what} lets nobody in`, async () => {
    assert.equal((await gateway.get("/x", certificate({ ...good, ...changed }))).status, 401);
  });
}

test("the requests of a batch are those of its client", async () => {
  const body = JSON.stringify([{ path: "/x" }]);
  const ask = (headers) =>
    fetch(`${gateway.url}/batch`, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
  assert.equal((await (await ask(certificate(good))).json())[0].status, 200);
  assert.equal((await (await ask({})).json())[0].status, 401);
});
