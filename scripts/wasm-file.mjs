// A Wasm file as its sections (WebAssembly Core Specification 2.0, section 5.5), and the few of them that are changed
// here: what it exports, what a function does, and the memory that it begins with.

const HEADER = 8;
const SECTION = { custom: 0, import: 2, memory: 5, global: 6, export: 7, code: 10, data: 11, dataCount: 12 };
const PAGE = 65_536;

const I32 = 0x7f;
const I32_CONST = 0x41;
const LOCAL_GET = 0x20;
const CALL = 0x10;
const END = 0x0b;
const NO_LOCALS = 0;

/** A shorter run of zeros between others is written out: gzipped, it takes less than to begin anew. */
const SHORT = 64;

/** V8 takes no more of them than twice as many. */
const MOST_SEGMENTS = 50_000;

/** The file without the exports whose names are of a pattern. */
export const withoutExports = (file, pattern) =>
  changed(file, SECTION.export, (body) => {
    const reader = new Reader(body);
    const kept = [];
    for (let left = reader.number(); left > 0; left -= 1) {
      const start = reader.at;
      const name = reader.text();
      reader.at += 1;
      reader.number();
      if (!pattern.test(name)) kept.push(body.subarray(start, reader.at));
    }
    return [...leb(kept.length), ...joined(kept)];
  });

/**
 * The file in which the one function whose name is of a pattern does what an exported one does, with so many parameters; of a
 * file that has the names.
 */
export function withFunctionOf(file, pattern, exported, parameters) {
  const all = sections(file);
  const bodyOf = (wanted) => all.find(({ id }) => id === wanted).body;
  const found = [...functionNames(all)].filter(([, name]) => pattern.test(name));
  if (found.length !== 1) throw new Error(`${found.length} functions have a name like ${pattern}, not one`);
  const [[replaced]] = found;
  const call = [...Array.from({ length: parameters }, (_, at) => [LOCAL_GET, at]).flat(), CALL, ...leb(exportedFunction(bodyOf(SECTION.export), exported))];
  const code = Uint8Array.of(NO_LOCALS, ...call, END);
  // Those that are imported have the first numbers.
  const first = importedFunctions(bodyOf(SECTION.import));
  return changed(file, SECTION.code, (body) => {
    const reader = new Reader(body);
    const count = reader.number();
    const functions = Array.from({ length: count }, (_, number) => {
      const size = reader.number();
      reader.at += size;
      const own = first + number === replaced ? code : body.subarray(reader.at - size, reader.at);
      return joined([Uint8Array.from(leb(own.length)), own]);
    });
    return joined([Uint8Array.from(leb(count)), ...functions]);
  });
}

/** The number of an exported function. */
function exportedFunction(body, wanted) {
  const reader = new Reader(body);
  for (let left = reader.number(); left > 0; left -= 1) {
    const name = reader.text();
    const kind = reader.number();
    const number = reader.number();
    if (name === wanted && kind === 0) return number;
  }
  throw new Error(`No function is exported as ${wanted}`);
}

/**
 * The file beginning with a memory as it is after calls into an instance of it. What is left on the stack is not taken
 * along: nobody is in a call.
 */
export function withMemory(file, memory) {
  const runs = runsOf(memory, stackSize(file));
  const segments = runs.map(([start, end]) => {
    const bytes = memory.subarray(start, end);
    return joined([Uint8Array.of(0, I32_CONST, ...signedLeb(start), END, ...leb(bytes.length)), bytes]);
  });
  const pages = memory.length / PAGE;
  let result = changed(file, SECTION.memory, (body) => {
    const reader = new Reader(body);
    const count = reader.number();
    const flags = reader.number();
    reader.number();
    return [...leb(count), ...leb(flags), ...leb(pages), ...body.subarray(reader.at)];
  });
  result = changed(result, SECTION.dataCount, () => leb(segments.length));
  return changed(result, SECTION.data, () => joined([Uint8Array.from(leb(segments.length)), ...segments]));
}

/** The bytes of the stack, which is first in memory and grows down: where the first global, its pointer, begins. */
function stackSize(file) {
  const { body } = sections(file).find(({ id }) => id === SECTION.global);
  const reader = new Reader(body);
  reader.number();
  const [type, isMutable, how] = [reader.number(), reader.number(), reader.number()];
  if (type !== I32 || isMutable !== 1 || how !== I32_CONST) throw new Error("The first global is no stack pointer");
  return reader.number();
}

/** How many bytes each function has, by name, and how many the data have; of a file that has the names. */
export function sizes(file) {
  const all = sections(file);
  const bodyOf = (wanted) => all.find(({ id }) => id === wanted).body;
  const names = functionNames(all);
  // Those that are imported have the first numbers.
  const imported = importedFunctions(bodyOf(SECTION.import));
  const reader = new Reader(bodyOf(SECTION.code));
  const functions = Array.from({ length: reader.number() }, (_, number) => {
    const size = reader.number();
    reader.at += size;
    return { name: names.get(imported + number) ?? "", size };
  });
  return { functions, data: bodyOf(SECTION.data).length };
}

/** The names of functions by number (the appendix of the specification, "Name Section"). */
function functionNames(all) {
  const FUNCTIONS = 1;
  const names = new Map();
  for (const { id, body } of all) {
    const reader = new Reader(body);
    if (id !== SECTION.custom || reader.text() !== "name") continue;
    while (reader.at < body.length) {
      const kind = reader.number();
      const length = reader.number();
      const end = reader.at + length;
      if (kind === FUNCTIONS) for (let left = reader.number(); left > 0; left -= 1) names.set(reader.number(), reader.text());
      reader.at = end;
    }
  }
  return names;
}

/** How many functions are imported. */
function importedFunctions(body) {
  // After the two names: the kind, and numbers, of which limits of tables and memories have one more if a flag says so.
  const limits = (reader) => (reader.number() & 1 ? [reader.number(), reader.number()] : [reader.number()]);
  const skip = [
    (reader) => reader.number(),
    (reader) => [reader.number(), limits(reader)],
    limits,
    (reader) => [reader.number(), reader.number()],
    (reader) => [reader.number(), reader.number()],
  ];
  const reader = new Reader(body);
  let functions = 0;
  for (let left = reader.number(); left > 0; left -= 1) {
    reader.text();
    reader.text();
    const kind = reader.number();
    skip[kind](reader);
    if (kind === 0) functions += 1;
  }
  return functions;
}

/** Where, from a place on, there is more than zeros: pairs of start and end, in whole words. */
function runsOf(memory, from, short = SHORT) {
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.length / 4);
  const runs = [];
  let end = -Infinity;
  for (let at = from; at < memory.length; at += 4) {
    if (words[at / 4] === 0) continue;
    if (at - end > short) runs.push([at, at]);
    end = at + 4;
    runs.at(-1)[1] = end;
  }
  return runs.length > MOST_SEGMENTS ? runsOf(memory, from, 2 * short) : runs;
}

/** The file with another body for a section, if it has that. */
function changed(file, id, change) {
  const parts = sections(file).map((section) => {
    if (section.id !== id) return section.whole;
    const body = Uint8Array.from(change(section.body));
    return joined([Uint8Array.of(id, ...leb(body.length)), body]);
  });
  return joined([file.subarray(0, HEADER), ...parts]);
}

function sections(file) {
  const reader = new Reader(file, HEADER);
  const found = [];
  while (reader.at < file.length) {
    const start = reader.at;
    const id = file[reader.at];
    reader.at += 1;
    const length = reader.number();
    const body = file.subarray(reader.at, reader.at + length);
    reader.at += length;
    found.push({ id, body, whole: file.subarray(start, reader.at) });
  }
  return found;
}

class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** A number of at most 32 bits (LEB128), none of which is negative here. */
  number() {
    let number = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at];
      this.at += 1;
      number |= (byte & 0x7f) << shift;
      if (byte < 0x80) return number >>> 0;
    }
  }

  text() {
    const length = this.number();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }
}

/** A number that is not negative, as LEB128. */
function leb(number) {
  const bytes = [];
  for (; number >= 0x80; number >>>= 7) bytes.push((number & 0x7f) | 0x80);
  return [...bytes, number];
}

/** The same where a sign is expected: its bit is that of the last byte. */
function signedLeb(number) {
  const bytes = leb(number);
  if (bytes.at(-1) < 0x40) return bytes;
  bytes[bytes.length - 1] |= 0x80;
  return [...bytes, 0];
}

function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
