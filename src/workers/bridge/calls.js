// Calls of services: begun in one crossing, and brought in one. A visit (`visit.mjs`) has each under a number until it is
// settled.
import { boundedBody, discard, keptBody, readWhole } from "./bodies.js";
import { addFields, beginning, edit, fieldsOf } from "./fields.js";

/** What becomes of a call when the client goes away: the numbers of `WhenClientLeaves`. */
const GOES_ON = 0;
const IS_BROKEN_OFF = 1;
const ENDS_UNNOTICED = 3;

/** The header fields of replies that no client gets: names, and the beginning of others. */
const neverForClients = { names: new Set(), prefix: "" };

/** Keeps which header fields of replies no client gets. */
export function setNeverForClients(names, prefix) {
  neverForClients.names = new Set(names.split(","));
  neverForClients.prefix = prefix;
}

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

/** What takes a call: a service binding, or the network. */
export function fetcher(env, binding) {
  if (binding === "") return globalThis;
  if (typeof env[binding]?.fetch !== "function") throw "no-binding";
  return env[binding];
}
