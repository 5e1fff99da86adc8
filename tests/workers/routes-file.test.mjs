// routes.json beside the Wasm: another file is another gateway, a faulty one none.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
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

test("the same Wasm with another file is another gateway", async () => {
  const reply = (body) => ({ routes: [{ path: "/", auth: "public", reply: { body } }] });
  const one = await startGateway(reply("one"));
  const two = await startGateway(reply("two"));
  assert.equal(await (await one.get("/")).json(), "one");
  assert.equal(await (await two.get("/")).json(), "two");
});

test("workerd does not start with a faulty file, and says every fault", async () => {
  const { failed, log } = await launch(faulty);
  assert.ok(failed);
  for (const pointer of pointers) assert.ok(log().includes(`\n${pointer}: `), `${pointer} in ${log()}`);
});

for (const [what, text, said] of [
  ["is not JSON", '{"routes": [}', "not JSON: expected value at line 1 column 13"],
  ["is empty", "", "not JSON: EOF"],
  ["is of another kind", "[]", "is an array, must be an object"],
]) {
  test(`workerd does not start with a file that ${what}`, async () => {
    const { failed, log } = await launch(text);
    assert.ok(failed);
    assert.ok(log().includes(said), log());
  });
}

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
