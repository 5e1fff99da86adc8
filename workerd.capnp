# The gateway on a machine of your own: npx workerd serve workerd.capnp
#
# Secrets come from the environment of the process. Behind a proxy, let only the proxy reach the port.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "gateway", worker = .gateway),
    # Where the limits are kept: a folder beside this file, which must be there.
    (name = "limits", disk = (path = ".limits", writable = true)),
    # What services may be called: addresses of the internet and of private networks.
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "*:8787", http = (), service = "gateway")],
);

const gateway :Workerd.Worker = (
  modules = [
    (name = "worker.mjs", esModule = embed "build/worker.mjs"),
    (name = "shared.mjs", esModule = embed "build/shared.mjs"),
    (name = "visit.mjs", esModule = embed "build/visit.mjs"),
    (name = "call.mjs", esModule = embed "build/call.mjs"),
    (name = "limiter.mjs", esModule = embed "build/limiter.mjs"),
    (name = "first-answer.mjs", esModule = embed "build/first-answer.mjs"),
    (name = "index.js", esModule = embed "build/index.js"),
    (name = "index_bg.wasm", wasm = embed "build/index_bg.wasm"),
  ],
  # As in wrangler.toml.
  compatibilityDate = "2026-10-01",
  compatibilityFlags = ["enable_request_signal"],
  bindings = [
    (name = "LIMITER", durableObjectNamespace = "Limiter"),
    (name = "FIRST_ANSWERS", durableObjectNamespace = "FirstAnswer"),
    # One for each {env.NAME} of routes.json.
    (name = "JWT_SECRET", fromEnvironment = "JWT_SECRET"),
  ],
  durableObjectNamespaces = [
    (className = "Limiter", uniqueKey = "postern-limiter", enableSql = true),
    (className = "FirstAnswer", uniqueKey = "postern-first-answer", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "limits"),
);
