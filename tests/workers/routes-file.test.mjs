// routes.json is compiled into the Wasm: another file is another gateway, a faulty one none.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { COMPILE, compiled } from "../../scripts/compiler.mjs";
import { at, node } from "../../scripts/run.mjs";
import { launch, startGateway } from "./harness.mjs";

const faulty = {
  services: { a: { url: "nowhere" } },
  routes: [
    { path: "/x", reply: {} },
    { path: "/y", auth: "nobody", forward: "b", "extra/key": 1 },
  ],
};
const pointers = ["/services/a/url", "/routes/0", "/routes/1/extra~1key", "/routes/1/auth", "/routes/1/forward"];

const reply = (body) => ({ routes: [{ path: "/", auth: "public", reply: { body } }] });

test("the same Wasm with another file is another gateway", async () => {
  const one = await startGateway(reply("one"));
  const two = await startGateway(reply("two"));
  assert.equal(await (await one.get("/")).json(), "one");
  assert.equal(await (await two.get("/")).json(), "two");
});

test("a gateway that would not be told of clients that leave does not start", async () => {
  const { failed, log } = await launch(reply("x"), { flags: "" });
  assert.equal(failed, true);
  assert.match(log(), /The gateway does not start: it needs the compatibility flag enable_request_signal/);
});

test("a Wasm without routes does not start", async () => {
  const { failed, log } = await launch(reply("none"), { wasm: "gateway.wasm" });
  assert.ok(failed);
  assert.match(log(), /The gateway does not start: this Wasm has no routes\.json in it/);
});

test("an environment that the file does not have is none that starts", async () => {
  const there = { routes: [{ path: "/", auth: "public", reply: {} }], environments: { staging: {}, live: {} } };
  const bindings = '(name = "POSTERN_ENVIRONMENT", text = "stagin"),';
  const { failed, log } = await launch(there, { bindings });
  assert.ok(failed);
  assert.match(log(), /The gateway does not start: \/environments: lack "stagin".*did you mean "staging"\?/);
});

test("a faulty file makes no gateway, and every fault is said", () => {
  const { wasm, faults } = compiled(at("build"), JSON.stringify(faulty));
  assert.equal(wasm, undefined);
  for (const pointer of pointers) assert.ok(faults.some((fault) => fault.startsWith(`${pointer}: `)), `${pointer} in ${faults}`);
});

for (const [what, text, said] of [
  ["is not JSON", '{"routes": [}', "not JSON: expected value at line 1 column 13"],
  ["is empty", "", "not JSON: EOF"],
  ["is of another kind", "[]", "is an array, must be an object"],
]) {
  test(`a file that ${what} makes no gateway`, () => {
    const { wasm, faults } = compiled(at("build"), text);
    assert.equal(wasm, undefined);
    assert.ok(faults.some((fault) => fault.includes(said)), faults.join("\n"));
  });
}

test("what was deployed has no code that reads the file", () => {
  const { wasm } = compiled(at("build"), readFileSync(at("routes.json"), "utf8"));
  const exported = WebAssembly.Module.exports(new WebAssembly.Module(wasm)).map(({ name }) => name);
  assert.ok(exported.includes("serve") && !exported.includes(COMPILE));
  const size = (file) => readFileSync(at("build", file)).length;
  assert.ok(size("gateway.wasm") < 0.75 * size("compiler.wasm"));
});

test("the check says every fault, and needs no Rust", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "postern-"));
  after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, "routes.json");
  writeFileSync(file, JSON.stringify(faulty));
  const check = (file) =>
    spawnSync(node(), [at("scripts", "check.mjs"), file], { encoding: "utf8", env: { PATH: "" } });
  const refused = check(file);
  assert.equal(refused.status, 1);
  for (const pointer of pointers) assert.ok(refused.stderr.includes(`  ${pointer}: `), refused.stderr);
  const fine = check(at("routes.json"));
  assert.equal(fine.status, 0, fine.stderr);
});
