// The tokens that clients send.
import { createHmac } from "node:crypto";

export const ISSUER = "https://id.example/";
export const AUDIENCE = "shop";
/** What tokens are signed with. */
export const SECRET = "a-secret-of-the-benchmarks-of-32-bytes";

/** The header field with a token of a subject. */
export const bearer = (sub) => ({ authorization: `Bearer ${token(sub, SECRET)}` });

/** One that somebody else has signed. */
export const forged = (sub) => ({ authorization: `Bearer ${token(sub, "another-secret-of-more-than-32-bytes")}` });

function token(sub, secret) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iss: ISSUER, aud: AUDIENCE, sub, exp: 4_000_000_000 };
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}
