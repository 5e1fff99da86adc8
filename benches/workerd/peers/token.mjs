// Checks a token by hand, with WebCrypto: the signature, and the same claims as Postern does.

const ISSUER = "https://id.example/";
const AUDIENCE = "shop";

let key;

/** Whether a request has a token that counts. */
export async function hasToken(authorization, secret) {
  const [, header, claims, signature] = /^Bearer ([^.]+)\.([^.]+)\.([^.]+)$/.exec(authorization ?? "") ?? [];
  if (signature === undefined || JSON.parse(atob(header)).alg !== "HS256") return false;
  const encode = (text) => new TextEncoder().encode(text);
  key ??= await crypto.subtle.importKey("raw", encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const bytes = Uint8Array.from(atob(signature.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  if (!(await crypto.subtle.verify("HMAC", key, bytes, encode(`${header}.${claims}`)))) return false;
  const { iss, aud, exp } = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/")));
  return iss === ISSUER && aud === AUDIENCE && exp > Date.now() / 1000;
}
