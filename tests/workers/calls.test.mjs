// When the calls of a request end, by a clock that is set by hand: what no real one shows when it is asked to. `visit.mjs`
// and `call.mjs` run here by themselves, in Node.
import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { beforeEach, test } from "node:test";

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "cloudflare:workers"
      ? { url: "data:text/javascript,export const env = {}", shortCircuit: true }
      : next(specifier, context),
});
const { shared } = await import("../../src/workers/shared.mjs");
const { Visit } = await import("../../src/workers/visit.mjs");

/** How calls ended: number, reason, and the ms that had passed. */
let ended;
let passed;
/** What the clock shows beyond the ms that have passed. */
let offset;
let visit;

beforeEach((context) => {
  [ended, passed, offset] = [[], 0, 1_000_000];
  shared.wasm = { failed: (number, reason) => ended.push([number, reason, passed]), read: () => {} };
  context.mock.timers.enable({ apis: ["setTimeout"] });
  context.mock.method(Date, "now", () => offset + passed);
  visit = new Visit({ method: "GET" }, {}, {});
});

/** Lets so many ms pass, one after the other. */
function pass(context, ms) {
  for (const until = passed + ms; passed < until; ) {
    passed += 1;
    context.mock.timers.tick(1);
  }
}

/** Begins a call that brings nothing of itself; gives it. */
function begin(number, ms, ways = {}) {
  let begun;
  visit.begin(number, ms, ways, (call) => ((begun = call), new Promise(() => {})));
  return begun;
}

test("each call ends when its own time is over", (context) => {
  begin(1, 30);
  pass(context, 5);
  begin(2, 10);
  begin(3, 20);
  pass(context, 100);
  assert.deepEqual(ended, [[2, "timed-out", 15], [3, "timed-out", 25], [1, "timed-out", 30]]);
});

test("a call that has brought something does not end again", (context) => {
  begin(1, 10).read(200, "", new Uint8Array());
  begin(2, 20);
  pass(context, 100);
  assert.deepEqual(ended, [[2, "timed-out", 20]]);
});

test("what fails where a call ends keeps none from ending later", (context) => {
  const { failed } = shared.wasm;
  shared.wasm.failed = (number, reason) => {
    failed(number, reason);
    if (number === 1) throw new Error("of the test");
  };
  begin(1, 10);
  begin(2, 20);
  assert.throws(() => pass(context, 100), /of the test/);
  pass(context, 100);
  assert.deepEqual(ended.map(([number]) => number), [1, 2]);
});

// Put back and put forward.
for (const [by, ends] of [[-3_600_000, [[2, 110], [1, 210]]], [3_600_000, [[1, 100], [2, 160]]]]) {
  test(`a clock that is put by ${by} ms gives a call its time anew at most`, (context) => {
    begin(1, 100);
    pass(context, 50);
    offset += by;
    begin(2, 60);
    pass(context, 1000);
    assert.deepEqual(ended, ends.map(([number, after]) => [number, "timed-out", after]));
  });
}

test("calls that begin in one turn are broken off together, once none of them goes on", () => {
  shared.turn += 1;
  const [first, second] = [begin(1, 10, { sharesTime: true }), begin(2, 10, { sharesTime: true })];
  const { signal } = first;
  assert.equal(second.signal, signal);
  visit.abort(1);
  assert.equal(signal.aborted, false);
  second.read(200, "", new Uint8Array());
  assert.equal(signal.aborted, true);
  shared.turn += 1;
  const later = begin(3, 10, { sharesTime: true });
  assert.notEqual(later.signal, signal);
  visit.abort(3);
  assert.equal(later.signal.aborted, true);
  assert.deepEqual(ended, []);
});
