// The runtime's half of the port: each function is one crossing where Rust would need many. The
// rules are in Rust.
//
// Header fields cross as lines `name:value`, edits of them as lines `-name` (remove), `+name:value`
// (set), `&name:value` (append) and `?name:value` (where there is none), up to an empty line or the end.

/** The name of the environment, if it has one. */
export function environment() {
  return globalThis.POSTERN.environment;
}

/** Leaves what is wrong for the entry, which then does not start. */
export function setFault(fault) {
  globalThis.POSTERN.fault = fault;
}

/** Keeps the body that requests under way get when the Wasm panics. */
export function setPanicBody(body) {
  globalThis.POSTERN.panicBody = body;
}

/** The header fields of replies that no client gets: names, and the beginning of others. */
const neverForClients = { names: new Set(), prefix: "" };

/** Keeps which header fields of replies no client gets. */
export function setNeverForClients(names, prefix) {
  neverForClients.names = new Set(names.split(","));
  neverForClients.prefix = prefix;
}

/** Ends every request under way: the Wasm that they wait for is about to stop. */
export function panicked() {
  globalThis.POSTERN.panicked();
}

/** Has the future go on that waits under that number, once a promise has settled. */
export function resumeWhenSettled(promise, number) {
  const { instance } = globalThis.POSTERN;
  const resume = (isFulfilled, value) => {
    // In one that has panicked, nobody waits.
    if (instance === globalThis.POSTERN.instance) globalThis.POSTERN.wasm.resume(number, isFulfilled, value);
  };
  promise.then(
    (value) => resume(true, value),
    (error) => resume(false, error),
  );
}

/** The client's certificate as Cloudflare reports it, in the form that `Certificate::from_text` reads. */
export function certificate({ root }) {
  const tls = root.request.cf?.tlsClientAuth;
  if (tls?.certPresented !== "1") return undefined;
  const isTrusted = tls.certVerified === "SUCCESS" && tls.certRevoked !== "1";
  const fields = [tls.certFingerprintSHA256, tls.certSubjectDNRFC2253, tls.certIssuerDNRFC2253, tls.certSerial];
  const lines = fields.map((field) => String(field ?? "").replaceAll("\n", " "));
  return [isTrusted ? "trusted" : "not", ...lines].join("\n");
}

/** What becomes of a call when the client goes away: the numbers of `WhenClientLeaves`. */
const GOES_ON = 0;
const IS_BROKEN_OFF = 1;
const ENDS_UNNOTICED = 3;

/**
 * Sends the client's request on. `asked` has lines for the URL, the binding and what of the reply is looked at, then
 * edits of the request's header fields; `leaving` is what becomes of it when the client goes away. Brings a reply whose body is
 * still to come. With something to look at, it has edits of the reply's fields too, and that may go to the client at once.
 */
export function forward(visit, number, asked, keepsBody, leaving, maxBody, ms) {
  const { request, env } = visit;
  const options = { outlivesClient: leaving === GOES_ON, endsUnnoticed: leaving === ENDS_UNNOTICED };
  visit.begin(number, ms, options, async (call) => {
    const { lines, end } = beginning(asked, 3);
    const [url, binding, lookedAt] = lines;
    const headers = new Headers(request.headers);
    const editsOfReply = edit(headers, asked, end) + 1;
    const { method } = visit;
    const init = { method, headers, redirect: "manual" };
    if (leaving === GOES_ON || leaving === IS_BROKEN_OFF) init.signal = call.signal;
    // A service of one's own is told what the runtime knows of the client's connection.
    if (binding !== "" && request.cf !== undefined) init.cf = request.cf;
    if (keepsBody) {
      call.late = "client-slow";
      init.body = await keptBody(request);
      // It came too late: the client was told so, and nothing is done any more.
      if (call.isSettled) return;
      call.late = "timed-out";
    } else if (method !== "GET" && method !== "HEAD" && request.body !== null) {
      call.isOfClient = true;
      init.body = boundedBody(request, maxBody, call);
      init.signal = call.signal;
    }
    const reply = await fetcher(env, binding).fetch(url, init);
    const answer = lookedAt === "" ? undefined : answerAtOnce(reply, lookedAt, asked, editsOfReply);
    if (answer === undefined) call.replied(reply, fieldsOf(reply.headers));
    else call.handedOn(answer, leaving === ENDS_UNNOTICED);
  });
}

/**
 * The answer that a reply is without another look, its header fields edited; undefined where it is to be looked at
 * (`platform.rs` › `AtOnce`), or no response can be made of it.
 */
function answerAtOnce(reply, lookedAt, edits, from) {
  const { names, prefix } = neverForClients;
  const removed = [];
  const { status } = reply;
  let isPlain = status >= 200 && status <= 599 && !lookedAt.includes(status);
  reply.headers.forEach((value, name) => {
    if (names.has(name) || name.startsWith(prefix)) {
      removed.push(name);
      if (name === "connection" && !names.has(value.toLowerCase())) isPlain = false;
    } else if (lookedAt.includes(name)) isPlain = false;
  });
  if (!isPlain) return undefined;
  try {
    const answer = new Response(reply.body, reply);
    for (const name of removed) answer.headers.delete(name);
    edit(answer.headers, edits, from);
    return answer;
  } catch {
    // As for a status line that the runtime reads and does not write. It is the Wasm's to say what becomes of that.
    return undefined;
  }
}

/** Sends a copy of a request without a body on. Resolves when its answer has begun, and never rejects. */
export function mirror({ env, request }, url, binding, edits, ms) {
  const onward = new Request(url, { method: request.method, headers: request.headers });
  edit(onward.headers, edits);
  const done = async () => {
    const answer = await fetcher(env, binding).fetch(onward, { signal: AbortSignal.timeout(ms), redirect: "manual" });
    await answer.body?.cancel();
  };
  return done().catch(() => {});
}

/** The bodies of requests that may be sent again, by request. */
const kept = new WeakMap();

/**
 * The body of a request, which is kept and can be sent again and again. Rejects with the name of a
 * `CallError` if it does not come.
 */
function keptBody(request) {
  if (!kept.has(request)) kept.set(request, request.arrayBuffer());
  return kept.get(request).catch(() => {
    throw "client-gone";
  });
}

/** A client's body, which is kept to be sent on. Rejects with the name of a `CallError`. */
export async function body({ request }, most, ms) {
  if (Number(request.headers.get("content-length")) > most) throw "body-too-large";
  if (!kept.has(request)) kept.set(request, readWhole(request, most));
  const bytes = await inTime(ms, () => kept.get(request)).catch((error) => {
    throw { "too-large": "body-too-large", "timed-out": "client-slow" }[error] ?? "client-gone";
  });
  // Who read it before may have had a wider bound.
  if (bytes.byteLength > most) throw "body-too-large";
  return bytes;
}

/**
 * A visit of a request of the gateway's own, which ends with the client's. Its URL is never used: whoever sends it on
 * says where. A field that stays as it was is not spelled anew, whatever bytes it has.
 */
export function within(visit, method, fields, body) {
  const { request } = visit;
  const headers = new Headers(request.headers);
  const lines = fields.split("\n").slice(0, -1);
  const all = new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
  for (const name of [...headers.keys()]) if (!all.has(name)) headers.delete(name);
  for (const [name, value] of all) if (headers.get(name) !== value) headers.set(name, value);
  // Without it, the runtime gives the request a signal that nothing ever aborts.
  return visit.within(new Request(request.url, { method, headers, body, signal: request.signal }));
}

/**
 * A digest of what is asked for and of the body, which is kept to be sent on. Rejects with the name of a
 * `CallError`.
 */
export async function fingerprint(visit, asked, most, ms) {
  const bytes = await body(visit, most, ms);
  const text = new TextEncoder().encode(asked);
  const all = new Uint8Array(text.length + bytes.byteLength);
  all.set(text);
  all.set(bytes, text.length);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", all));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const firstAnswer = (env, name) => env.FIRST_ANSWERS.get(env.FIRST_ANSWERS.idFromName(name));

/**
 * Claims to be the first of a name. Resolves to "first", "running", "lost", "other", or the first's
 * Response.
 */
export function beginFirst({ env }, name, fingerprint, lease, ms) {
  return inTime(ms, async () => {
    const { found, answer } = await firstAnswer(env, name).claim(fingerprint, lease);
    if (answer === undefined) return found;
    const headers = new Headers();
    edit(headers, decodeURIComponent(answer.fields));
    const status = Number(answer.status);
    const hasBody = ![204, 205, 304].includes(status);
    return new Response(hasBody ? answer.body : null, { status, headers });
  });
}

/**
 * Keeps the reply to a first request, its header fields edited. Resolves to `[reply, kept]`: one that is
 * the same, and whether it was kept. One that is too large, or not there whole in `ms`, is not; then it is
 * kept that there was one.
 */
export async function keepFirst({ env }, name, fingerprint, reply, edits, keep, most, ms) {
  const edited = relay(reply, edits);
  const copy = edited.clone();
  let fields = "";
  for (const [field, value] of edited.headers) fields += `&${field}:${value}\n`;
  try {
    const body = await inTime(ms, () => readWhole(copy, most));
    // The bytes may be at the beginning of a longer buffer, which would be kept whole.
    const answer = { status: String(edited.status), fields: encodeURIComponent(fields), body: body.slice().buffer };
    return [edited, await firstAnswer(env, name).keep(fingerprint, keep, answer)];
  } catch {
    copy.body?.cancel().catch(() => {});
    await loseFirst({ env }, name, fingerprint, keep);
    return [edited, false];
  }
}

/** Keeps that the first of a name was answered, or may have been, without its answer. */
export async function loseFirst({ env }, name, fingerprint, keep) {
  await firstAnswer(env, name).lose(fingerprint, keep).catch(() => {});
}

/** Gives up the claim to be the first of a name. */
export async function forgetFirst({ env }, name, fingerprint) {
  await firstAnswer(env, name).forget(fingerprint).catch(() => {});
}

/**
 * Reads a reply whole, its header fields edited; no body without `most`. Brings its fields and its bytes. A client that goes
 * away ends it, as it ends calls: once a call has brought the head of its reply, its signal does not follow the client's any
 * more.
 */
export function read(visit, number, reply, edits, most, ms) {
  if (visit.root.isClientGone) discard(reply);
  visit.begin(number, ms, {}, async (call) => {
    const headers = new Headers(reply.headers);
    edit(headers, edits);
    // What the runtime reads, it decodes, of these two encodings; the field still says how it came.
    if (["gzip", "br"].includes(headers.get("content-encoding"))) headers.delete("content-encoding");
    const isRead = most !== undefined;
    if (!isRead) discard(reply);
    call.read(0, fieldsOf(headers), isRead ? await readWhole(reply, most, call.signal) : new Uint8Array());
  });
}

/** Lets go of a reply whose body nobody will read, so that its connection is free again. */
export function discard(reply) {
  reply.body?.cancel().catch(() => {});
}

/** What KV has under a key: a text, or undefined. */
export function recall({ env }, key, ms) {
  // The shortest time that Cloudflare lets KV keep a value near by, in seconds.
  return inTime(ms, async () => (await env.KV.get(key, { cacheTtl: 30 })) ?? undefined);
}

/** Puts a text into KV under a key, if there is KV. */
export async function remember({ env }, key, text) {
  await env.KV?.put(key, text).catch(() => {});
}

/** The most lists of a thousand keys that one sum is made of. */
const MOST_LISTS = 10;

/** The sum of the counts that KV has, as metadata, under keys that begin so, but for one. */
export function tally({ env }, prefix, but, ms) {
  return inTime(ms, async () => {
    let sum = 0;
    let cursor;
    for (let lists = 0; lists < MOST_LISTS; lists += 1) {
      const list = await env.KV.list({ prefix, cursor });
      for (const { name, metadata } of list.keys) {
        if (name !== but && metadata?.count > 0) sum += Number(metadata.count);
      }
      if (list.list_complete) break;
      cursor = list.cursor;
    }
    return sum;
  });
}

/** Puts a count into KV under a key, as metadata, until a moment in seconds since 1970. */
export function noteCount({ env }, key, count, until) {
  // The shortest time that Cloudflare lets KV keep a value is a minute.
  const expiration = Math.max(until, Math.ceil(Date.now() / 1000) + 61);
  return env.KV.put(key, "", { metadata: { count }, expiration });
}

/** How WebCrypto names the algorithms of tokens (RFC 7518). */
const ALGORITHMS = {
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  RS384: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
  RS512: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" },
  PS256: { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 },
  PS384: { name: "RSA-PSS", hash: "SHA-384", saltLength: 48 },
  PS512: { name: "RSA-PSS", hash: "SHA-512", saltLength: 64 },
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  ES384: { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" },
  EdDSA: { name: "Ed25519" },
};

/** The public keys that signatures were checked with, by algorithm and text. */
const publicKeys = new Map();

/** The most of them; with more, all are made anew. */
const MOST_PUBLIC_KEYS = 200;

/** Whether a signature over a text is that of a public key, a JWK. Rejects if it is none. */
export async function verify(algorithm, jwk, signed, signature) {
  // Before anything is waited for: the Wasm's memory may move.
  const bytes = signature.slice();
  const how = ALGORITHMS[algorithm];
  const name = `${algorithm} ${jwk}`;
  let key = publicKeys.get(name);
  if (key === undefined) {
    key = await crypto.subtle.importKey("jwk", JSON.parse(jwk), how, false, ["verify"]);
    if (publicKeys.size >= MOST_PUBLIC_KEYS) publicKeys.clear();
    publicKeys.set(name, key);
  }
  return crypto.subtle.verify(how, key, bytes, new TextEncoder().encode(signed));
}

/** What `start` brings, or a rejection once the time is over. */
async function inTime(ms, start) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, ms, "timed-out");
  });
  try {
    return await Promise.race([start(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What takes a call: a service binding, or the network. */
function fetcher(env, binding) {
  if (binding === "") return globalThis;
  if (typeof env[binding]?.fetch !== "function") throw "no-binding";
  return env[binding];
}

/**
 * The body of a request, whose call is aborted once it has more than `most` bytes; 0 is no bound. The length
 * of a body that says it is checked before, and held to by the runtime; only one of unknown length has
 * to be counted. A stream of JavaScript's that ends, even with an error, is a whole body to the service:
 * so where the client breaks off, the call is aborted too, and the stream never ends.
 */
function boundedBody({ headers, body }, most, call) {
  // A body that is none can be sent again.
  if (headers.get("content-length") === "0") return undefined;
  if (most === 0 || headers.has("content-length")) return body;
  const never = new Promise(() => {});
  const reader = body.getReader();
  let size = 0;
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read().catch(() => ({ value: null }));
      if (done) return controller.close();
      size += value?.byteLength ?? 0;
      if (value !== null && size <= most) return controller.enqueue(value);
      call.end(value === null ? "client-gone" : "body-too-large");
      return never;
    },
  });
}

/**
 * Makes a call and reads the answer whole. `asked` has lines for the method, the URL, the binding, the statuses whose body
 * is read beside 200 to 299, and the names of the header fields that are wanted; then the header fields of the call. Brings
 * the status, the fields and the bytes.
 */
export function fetchWhole(visit, number, asked, body, limit, outlivesClient, ms) {
  visit.begin(number, ms, { sharesTime: true, outlivesClient }, async (call) => {
    const { lines, end } = beginning(asked, 5);
    const [method, url, binding, reads, wants] = lines;
    const headers = fieldsInCommon(asked.slice(end));
    const init = { method, headers, body, signal: call.signal, redirect: "manual" };
    const reply = await fetcher(visit.env, binding).fetch(url, init);
    const isRead = reply.ok || reads.includes(`${reply.status},`);
    if (!isRead) discard(reply);
    const fields = fieldsNamed(wants, reply.headers);
    call.read(reply.status, fields, isRead ? await readWhole(reply, limit) : new Uint8Array());
  });
}

/** Those of the named fields that there are; cookies one by one. */
function fieldsNamed(names, headers) {
  let text = "";
  for (const name of names.split(",")) {
    if (name === "set-cookie") for (const cookie of headers.getSetCookie()) text += `${name}:${cookie}\n`;
    else {
      const value = headers.get(name);
      if (value !== null) text += `${name}:${value}\n`;
    }
  }
  return text;
}

/** What the calls were last given, and the lines that it is made of: calls that begin together mostly have the same. */
const latest = { lines: undefined, headers: undefined };

/** Header fields of a call, from lines `name:value`. Nobody may edit them. */
function fieldsInCommon(lines) {
  if (latest.lines !== lines) {
    latest.headers = new Headers();
    addFields(latest.headers, lines);
    latest.lines = lines;
  }
  return latest.headers;
}

/** Reads a body of at most `limit` bytes, until `signal` says that nobody wants it any more. */
async function readWhole(response, limit, signal) {
  // The length of an encoded body says nothing about the bytes that come out.
  const length = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
  const isLonger = length !== null && Number(length) > limit;
  // Before the body is asked for, since the runtime makes an object of it then.
  if (length !== null && !isLonger && signal === undefined) return new Uint8Array(await response.arrayBuffer());
  // To HEAD, and with 304, the length is that of a body that does not come.
  if (response.body === null) return new Uint8Array();
  if (isLonger) {
    discard(response);
    throw "too-large";
  }
  // Read into one buffer: each chunk of the runtime's own holds 4 KiB, even one of a single byte.
  const reader = response.body.getReader({ mode: "byob" });
  const ended = new Promise((_, reject) => {
    signal?.addEventListener("abort", () => {
      reject(signal.reason);
      reader.cancel().catch(() => {});
    });
  });
  let buffer = new ArrayBuffer((length === null ? Math.min(limit, FIRST_BUFFER) : Number(length)) + 1);
  let size = 0;
  for (;;) {
    const room = new Uint8Array(buffer, size);
    const { value, done } = await Promise.race([reader.readAtLeast(room.byteLength, room), ended]);
    if (value !== undefined) {
      buffer = value.buffer;
      size += value.byteLength;
    }
    if (size > limit) {
      reader.cancel().catch(() => {});
      throw "too-large";
    }
    if (done || size < buffer.byteLength) return new Uint8Array(buffer, 0, size);
    const larger = new Uint8Array(Math.min(limit, 2 * size) + 1);
    larger.set(new Uint8Array(buffer));
    buffer = larger.buffer;
  }
}

/** The first room for an answer of unknown length, in bytes. */
const FIRST_BUFFER = 16384;

/** The status and the header fields of a reply. */
export function replyFields(reply) {
  return `${reply.status}\n${fieldsOf(reply.headers)}`;
}

/** A service's reply, its body untouched, its header fields edited. */
export function relay(reply, edits) {
  const response = new Response(reply.body, reply);
  edit(response.headers, edits);
  return response;
}

/** A response of the gateway's own. */
export function respond(status, fields, body) {
  const response = new Response(body.length === 0 ? null : body.slice(), { status });
  addFields(response.headers, fields);
  return response;
}

/** The same with a body that is a text, after lines for its fields, of which one is `content-type`, and an empty line. */
export function respondText(status, text) {
  const end = text.indexOf("\n\n") + 1;
  const response = new Response(text.slice(end + 1), { status });
  addFields(response.headers, text.slice(0, end));
  return response;
}

/** An answer whose body comes in pieces. Ended when the Wasm panics, since nobody else would end it. */
export class Opened {
  constructor(status, fields) {
    const body = new ReadableStream({
      start: (controller) => (this.controller = controller),
      cancel: () => this.end(() => {}),
    });
    this.response = new Response(body, { status });
    addFields(this.response.headers, fields);
    globalThis.POSTERN.underWay.add(this);
  }

  panicked() {
    this.end(() => this.controller.error("panicked"));
  }

  /** Adds a piece, unless the client has gone away. */
  write(piece) {
    if (this.controller !== undefined) this.controller.enqueue(piece.slice());
  }

  close() {
    this.end(() => this.controller.close());
  }

  end(how) {
    if (this.controller === undefined) return;
    how();
    this.controller = undefined;
    globalThis.POSTERN.underWay.delete(this);
  }
}

/** The object that counts for `key`; one whose key begins with `@` and a region is made there. */
function limiter(env, key) {
  const locationHint = key[0] === "@" ? key.slice(1, key.indexOf("\n")) : undefined;
  return env.LIMITER.get(env.LIMITER.idFromName(key), { locationHint });
}

/** Does something in the object that counts for `key`, as `limiter.rs` of the core has it. Brings the answer. */
export function count(visit, number, key, asked, ms) {
  visit.begin(number, ms, { outlivesClient: true }, async (call) => call.said(await limiter(visit.env, key).act(asked)));
}

/** Whether a call of a key is within the rate limit of a binding, which counts it. */
export function isWithinRate({ env }, binding, key, ms) {
  return inTime(ms, async () => (await env[binding].limit({ key })).success);
}

/** A secret of the environment. */
export function secret({ env }, name) {
  const value = env[name];
  return typeof value === "string" ? value : undefined;
}

/** Writes a line to the log. */
export function log(line) {
  console.log(line);
}

/** The first lines of a text, so many, and where they end. */
function beginning(text, count) {
  const lines = [];
  let end = 0;
  while (lines.length < count) {
    const start = end;
    end = text.indexOf("\n", start) + 1;
    lines.push(text.slice(start, end - 1));
  }
  return { lines, end };
}

/** Adds header fields to a new message, from lines `name:value`. To the runtime, an object that has them is more work. */
function addFields(headers, lines) {
  for (let start = 0, end; (end = lines.indexOf("\n", start)) !== -1; start = end + 1) {
    const colon = lines.indexOf(":", start);
    const name = lines.slice(start, colon);
    const value = lines.slice(colon + 1, end);
    // The runtime has put a type there, if the body is a text.
    if (name === "content-type") headers.set(name, value);
    else headers.append(name, value);
  }
}

function fieldsOf(headers) {
  let text = "";
  // Each step of an iterator makes two objects.
  headers.forEach((value, name) => (text += `${name}:${value}\n`));
  return text;
}

/** Edits header fields, by the lines from a place of `edits` on. Gives the place where these end. */
function edit(headers, edits, from = 0) {
  let start = from;
  for (let end; (end = edits.indexOf("\n", start)) > start; start = end + 1) {
    const colon = edits.indexOf(":", start);
    if (edits[start] === "-") headers.delete(edits.slice(start + 1, end));
    else if (edits[start] === "?" && headers.has(edits.slice(start + 1, colon))) continue;
    else if (edits[start] !== "&") headers.set(edits.slice(start + 1, colon), edits.slice(colon + 1, end));
    else headers.append(edits.slice(start + 1, colon), edits.slice(colon + 1, end));
  }
  return start;
}
