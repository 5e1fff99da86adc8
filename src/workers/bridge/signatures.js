// Signatures, as WebCrypto checks them.

/** How WebCrypto names the algorithms of tokens (RFC 7518). */
const ALGORITHMS = {
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  RS384: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
  RS512: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" },
  PS256: { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 },
  PS384: { name: "RSA-PSS", hash: "SHA-384", saltLength: 48 },
  PS512: { name: "RSA-PSS", hash: "SHA-512", saltLength: 64 },
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  ES384: { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" },
  EdDSA: { name: "Ed25519" },
};

/** The public keys that signatures were checked with, by algorithm and text. */
const publicKeys = new Map();

/** The most of them; with more, all are made anew. */
const MOST_PUBLIC_KEYS = 200;

/** Whether a signature over a text is that of a public key, a JWK. Rejects if it is none. */
export async function verify(algorithm, jwk, signed, signature) {
  // Before anything is waited for: the Wasm's memory may move.
  const bytes = signature.slice();
  const how = ALGORITHMS[algorithm];
  const name = `${algorithm} ${jwk}`;
  let key = publicKeys.get(name);
  if (key === undefined) {
    key = await crypto.subtle.importKey("jwk", JSON.parse(jwk), how, false, ["verify"]);
    if (publicKeys.size >= MOST_PUBLIC_KEYS) publicKeys.clear();
    publicKeys.set(name, key);
  }
  return crypto.subtle.verify(how, key, bytes, new TextEncoder().encode(signed));
}
