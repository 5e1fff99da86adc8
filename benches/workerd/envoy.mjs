// Envoy as a contestant that hands on, with one thread: all that come to a route with a token that it checks, or all.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { AUDIENCE, ISSUER, SECRET } from "./tokens.mjs";

/** The paths that want a token. */
const WITH_TOKEN = ["/forward-jwt"];

/** Writes its configuration; gives the arguments that start Envoy with it. */
export function envoyIn(folder, port, upstream) {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, "envoy.json");
  writeFileSync(file, JSON.stringify(config(port, Number(new URL(upstream).port))));
  return ["-c", file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"];
}

const config = (port, upstream) => ({
  static_resources: {
    listeners: [
      {
        address: address(port),
        filter_chains: [{ filters: [{ name: "http", typed_config: { ...type("network.http_connection_manager.v3.HttpConnectionManager"), ...connections } }] }],
      },
    ],
    clusters: [
      {
        name: "services",
        type: "STATIC",
        load_assignment: { cluster_name: "services", endpoints: [{ lb_endpoints: [{ endpoint: { address: address(upstream) } }] }] },
      },
    ],
  },
});

const address = (port) => ({ socket_address: { address: "127.0.0.1", port_value: port } });
const type = (name) => ({ "@type": `type.googleapis.com/envoy.extensions.filters.${name}` });

const connections = {
  stat_prefix: "gateway",
  route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "services" } }] }] },
  http_filters: [
    {
      name: "tokens",
      typed_config: {
        ...type("http.jwt_authn.v3.JwtAuthentication"),
        providers: { customer: provider() },
        rules: WITH_TOKEN.map((path) => ({ match: { path }, requires: { provider_name: "customer" } })),
      },
    },
    { name: "router", typed_config: type("http.router.v3.Router") },
  ],
};

function provider() {
  const key = { kty: "oct", alg: "HS256", k: Buffer.from(SECRET).toString("base64url") };
  return {
    issuer: ISSUER,
    audiences: [AUDIENCE],
    local_jwks: { inline_string: JSON.stringify({ keys: [key] }) },
    // Services get it, as from the others; and as with Postern, one that was checked counts again.
    forward: true,
    jwt_cache_config: { jwt_cache_size: 1000 },
  };
}
