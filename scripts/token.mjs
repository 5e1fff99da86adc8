// Mints tokens for the demo, as the identity provider of a shop would. `npm run token -- alan`
import { createHmac, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { at, isMain, main } from "./run.mjs";

const SECRETS = at(".dev.vars");
const SECRET = /^JWT_SECRET\s*=\s*"?([^"\n]*)"?/m;

/** The secret that the gateway has in `wrangler dev`; made up at the first start. */
export function secret() {
  const vars = existsSync(SECRETS) ? readFileSync(SECRETS, "utf8") : "";
  const kept = SECRET.exec(vars)?.[1];
  if (kept) return kept;
  const made = randomBytes(32).toString("base64url");
  writeFileSync(SECRETS, `${vars}${vars && !vars.endsWith("\n") ? "\n" : ""}JWT_SECRET="${made}"\n`, { mode: 0o600 });
  return made;
}

/** A token for `sub`, good for an hour. */
export function mint(sub) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: "https://id.example.com/", aud: "shop", sub, iat: now, exp: now + 3600 };
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", secret()).update(signed).digest("base64url")}`;
}

if (isMain(import.meta.url)) await main(async () => console.log(mint(process.argv[2] ?? "ada")));
