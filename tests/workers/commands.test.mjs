// The project's commands as a newcomer sees them: what `npm start` prints works when copied, Ctrl-C
// leaves nothing behind, and a faulty file neither starts nor deploys.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { at, fromNpm, node } from "../../scripts/run.mjs";
import { freePort, sleep, until } from "./harness.mjs";

const COPIED = [
  ...["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "package.json", "package-lock.json", "wrangler.toml"],
  ...["routes.json", "src", "crates", "scripts", "demo", "build"],
];

/** A copy of the project, already set up, on ports of its own. */
async function projectOnOtherPorts() {
  const folder = mkdtempSync(path.join(tmpdir(), "postern-start-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of COPIED) cpSync(at(name), path.join(folder, name), { recursive: true });
  symlinkSync(at("node_modules"), path.join(folder, "node_modules"));
  const ports = [];
  const move = async (file, pattern) => {
    const text = readFileSync(path.join(folder, file), "utf8");
    const moved = [];
    for (const _ of text.matchAll(pattern)) moved.push(await freePort());
    ports.push(...moved);
    writeFileSync(path.join(folder, file), text.replace(pattern, (_, before) => before + moved.shift()));
  };
  await move("routes.json", /(127\.0\.0\.1:)\d+/g);
  await move("wrangler.toml", /(^port = )\d+/gm);
  return { folder, ports };
}

function npmStart(folder) {
  const child = spawn("npm", ["start"], { cwd: folder, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const run = { child, said: "", ended: once(child, "exit") };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (run.said += data));
  after(() => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It ended.
    }
  });
  return run;
}

const isFree = (port) =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

const shell = async (line) => (await promisify(execFile)("bash", ["-c", line])).stdout;

test("what is printed works when copied, and Ctrl-C ends everything", async () => {
  const { folder, ports } = await projectOnOtherPorts();
  const run = npmStart(folder);
  await until(() => run.said.includes("Ctrl-C ends everything"), "the lines to copy", 60_000);
  const lines = run.said.split("\n").map((line) => line.trim());
  const [dashboard, order, refused] = lines.filter((line) => line.startsWith("curl "));
  const loop = lines.find((line) => line.startsWith("for "));

  assert.match(await shell(dashboard), /^HTTP\/1.1 200[\s\S]*"user":\{"id":"ada"[\s\S]*"orders":\[[\s\S]*"unread":\{"count":3\}\}$/);
  assert.match(await shell(order), /^HTTP\/1.1 200[\s\S]*Difference engine/);
  assert.match(await shell(refused), /^HTTP\/1.1 401[\s\S]*[Ww]{3}-[Aa]uthenticate: Bearer/);
  const statuses = (await shell(loop)).trim().split(" ");
  assert.equal(statuses.length, 25);
  assert.ok(statuses.includes("200") && statuses.includes("429"), statuses.join(" "));

  // As a terminal does: to the whole group in the foreground.
  process.kill(-run.child.pid, "SIGINT");
  await run.ended;
  for (const port of ports) assert.ok(await isFree(port), `port ${port} is still taken`);
});

test("a port in use is said in one clear line", async () => {
  const { folder, ports } = await projectOnOtherPorts();
  const squatter = net.createServer().listen(ports[1], "127.0.0.1");
  await once(squatter, "listening");
  after(() => squatter.close());
  const run = npmStart(folder);
  const [code] = await run.ended;
  assert.equal(code, 1);
  assert.match(run.said, new RegExp(`Port ${ports[1]}, which order-svc needs, is in use`));
  assert.doesNotMatch(run.said, /at .*\.mjs:\d+/);
});

test("a saved fault leaves what runs as it is, a mended file is taken over", async () => {
  const { folder, ports } = await projectOnOtherPorts();
  const run = npmStart(folder);
  await until(() => run.said.includes("Ctrl-C ends everything"), "the start", 60_000);
  const file = path.join(folder, "routes.json");
  const good = readFileSync(file, "utf8");
  const health = async () => (await fetch(`http://127.0.0.1:${ports.at(-1)}/health`)).text();
  writeFileSync(file, good.replace('"/health"', '"health"'));
  await until(() => run.said.includes("The gateway goes on with the routes that it has"), "the refusal", 20_000);
  assert.match(run.said, / \/routes\/2\/path: is "health"/);
  assert.equal(await health(), '{"status":"ok"}');
  writeFileSync(file, good.replace('"status": "ok"', '"status": "mended"'));
  const end = Date.now() + 20_000;
  while (Date.now() < end && !(await health()).includes("mended")) await sleep(200);
  assert.equal(await health(), '{"status":"mended"}');
  process.kill(-run.child.pid, "SIGTERM");
  await run.ended;
});

test("a gateway that does not start takes the services with it", async () => {
  const { folder, ports } = await projectOnOtherPorts();
  const settings = path.join(folder, "wrangler.toml");
  writeFileSync(settings, readFileSync(settings, "utf8").replace('class_name = "Limiter"', "class_name = 5"));
  const run = npmStart(folder);
  const [code] = await run.ended;
  assert.equal(code, 1, run.said);
  assert.match(run.said, /wrangler dev ended/);
  for (const port of ports) assert.ok(await isFree(port), `port ${port} is still taken`);
});

test("a deployment takes a good file and refuses a faulty one, with every fault", async () => {
  const { folder } = await projectOnOtherPorts();
  const file = path.join(folder, "routes.json");
  const deploy = () =>
    promisify(execFile)(node(), [fromNpm("wrangler"), "deploy", "--dry-run", "--outdir", "out"], {
      cwd: folder,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    }).then(
      ({ stdout, stderr }) => ({ deployed: true, said: stdout + stderr }),
      ({ stdout, stderr }) => ({ deployed: false, said: stdout + stderr }),
    );
  const good = await deploy();
  assert.ok(good.deployed, good.said);
  assert.match(good.said, /LIMITER/);
  writeFileSync(file, readFileSync(file, "utf8").replace('"60/min"', '"often"').replace('"order-svc" }', '"oder-svc" }'));
  const faulty = await deploy();
  assert.ok(!faulty.deployed);
  assert.match(faulty.said, / \/limits\/per-user\/rate: is "often"/);
  assert.match(faulty.said, / \/routes\/1\/forward: names the service "oder-svc"/);
});

test("a faulty routes.json is refused before anything starts", async () => {
  const { folder, ports } = await projectOnOtherPorts();
  const file = path.join(folder, "routes.json");
  writeFileSync(file, readFileSync(file, "utf8").replace('"customer",', '"costumer",'));
  const run = npmStart(folder);
  const [code] = await run.ended;
  assert.equal(code, 1);
  assert.match(run.said, / \/routes\/0\/auth: names the auth rule "costumer", which does not exist; did you mean "customer"\?/);
  for (const port of ports) assert.ok(await isFree(port));
});

test("npm run postern passes on what the tool says and how it ends", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "postern-check-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, "faulty.json");
  writeFileSync(file, readFileSync(at("routes.json"), "utf8").replace('"customer",', '"costumer",'));
  const check = (...args) =>
    promisify(execFile)("npm", ["run", "--silent", "postern", "--", "check", ...args], { cwd: at() }).then(
      ({ stdout }) => ({ code: 0, stdout }),
      ({ code, stdout }) => ({ code, stdout }),
    );
  assert.deepEqual(await check(), { code: 0, stdout: "routes.json is fine\n" });
  const faulty = await check(file);
  assert.equal(faulty.code, 1);
  assert.match(faulty.stdout, /faulty\.json:22:7: \/routes\/0\/auth: names the auth rule "costumer"/);
});
