// Counts what crosses between JavaScript and Wasm, and tells how large the Wasm memory is. Loaded
// before the gateway, whose Wasm it wraps; the gateway knows nothing of it.
const Instance = WebAssembly.Instance;
const counted = { toJavaScript: 0, toWasm: 0 };
const names = new Map();
let memory = null;

const counting = (direction, name, call) =>
  function (...values) {
    counted[direction] += 1;
    names.set(name, (names.get(name) ?? 0) + 1);
    return call.apply(this, values);
  };

WebAssembly.Instance = function (module, imports) {
  const wrapped = {};
  for (const [space, members] of Object.entries(imports)) {
    wrapped[space] = {};
    for (const [name, member] of Object.entries(members)) {
      wrapped[space][name] = typeof member === "function" ? counting("toJavaScript", name, member) : member;
    }
  }
  const { exports } = new Instance(module, wrapped);
  memory = exports.memory;
  const seen = {};
  for (const [name, member] of Object.entries(exports)) {
    seen[name] = typeof member === "function" ? counting("toWasm", name, member) : member;
  }
  return { exports: seen };
};

/** The counts so far, by direction and by name. */
export const counts = () => ({ ...counted, memory: memory?.buffer.byteLength ?? 0, names: Object.fromEntries(names) });
