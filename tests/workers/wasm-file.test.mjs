// The parts of a Wasm file that are changed when routes.json is compiled into it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { withFunctionOf, withMemory, withoutExports } from "../../scripts/wasm-file.mjs";

const PAGE = 65_536;
/** The bytes of the stack in the file below. */
const STACK = 1024;

/** An imported function, one page of memory, a stack pointer, `one` and `other` that give 1 and 2 and are named a and b, and a text in memory. */
const file = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 5, 1, 0x60, 0, 1, 0x7f],
  ...[2, 7, 1, 1, ...text("m"), 1, ...text("f"), 0, 0],
  ...[3, 3, 2, 0, 0],
  ...[5, 3, 1, 0, 1],
  ...[6, 7, 1, 0x7f, 1, 0x41, 0x80, 8, 0x0b],
  ...[7, 24, 3, 3, ...text("one"), 0, 1, 5, ...text("other"), 0, 2, 6, ...text("memory"), 2, 0],
  ...[12, 1, 1],
  ...[10, 11, 2, 4, 0, 0x41, 1, 0x0b, 4, 0, 0x41, 2, 0x0b],
  ...[11, 11, 1, 0, 0x41, 0x80, 16, 0x0b, 4, ...text("data")],
  ...[0, 14, 4, ...text("name"), 1, 7, 2, 1, 1, ...text("a"), 2, 1, ...text("b")],
);

function text(words) {
  return Buffer.from(words);
}

const exportsOf = (file) => new WebAssembly.Instance(new WebAssembly.Module(file), { m: { f() {} } }).exports;
const memoryOf = (file) => new Uint8Array(exportsOf(file).memory.buffer);

test("a file begins with the memory that it is given, but for the stack", () => {
  // Runs and gaps of many lengths, at places whose numbers end in each bit.
  const memory = new Uint8Array(70 * PAGE);
  for (let at = STACK, run = 1; at + run < memory.length; at += run + 3 * (run % 97), run = (run * 7) % 1009 || 1) {
    memory.fill(1 + (at % 255), at, at + run);
  }
  memory.fill(7, 0, STACK);
  const begun = memoryOf(withMemory(file, memory));
  assert.equal(begun.length, memory.length);
  assert.deepEqual(begun.subarray(0, STACK), new Uint8Array(STACK));
  assert.ok(Buffer.from(begun.subarray(STACK)).equals(Buffer.from(memory.subarray(STACK))));
});

test("nothing of the memory that it had before is left", () => {
  const empty = memoryOf(withMemory(file, new Uint8Array(2 * PAGE)));
  assert.equal(Buffer.from(memoryOf(file)).indexOf("data"), 2048);
  assert.ok(empty.every((byte) => byte === 0));
});

test("of very many runs, those that are near one another are written as one", () => {
  const memory = new Uint8Array(200 * PAGE);
  for (let at = STACK; at < memory.length; at += 100) memory[at] = 1;
  const begun = memoryOf(withMemory(file, memory));
  assert.ok(Buffer.from(begun).equals(Buffer.from(memory)));
});

test("a function does what another one does", () => {
  const { one, other } = exportsOf(withFunctionOf(file, /^b/, "one", 0));
  assert.deepEqual([one(), other()], [1, 1]);
});

test("a function is replaced only if it is there, once, and so is the other", () => {
  for (const [pattern, exported, fault] of [
    [/^c/, "one", /^Error: 0 functions have a name like/],
    [/./, "one", /^Error: 2 functions have a name like/],
    [/^b/, "none", /^Error: No function is exported as none/],
    [/^b/, "memory", /^Error: No function is exported as memory/],
  ]) {
    assert.throws(() => withFunctionOf(file, pattern, exported, 0), fault);
  }
});

test("an export that is taken away leaves the others as they are", () => {
  const { one, other, memory } = exportsOf(withoutExports(file, /^one$/));
  assert.equal(one, undefined);
  assert.equal(other(), 2);
  assert.equal(memory.buffer.byteLength, PAGE);
});
