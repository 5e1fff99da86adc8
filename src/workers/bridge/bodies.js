// Bodies: of clients, kept or bounded on their way, and of services, read whole.
import { inTime } from "./runtime.js";

/** The bodies of requests that may be sent again, by request. */
const kept = new WeakMap();

/**
 * The body of a request, which is kept and can be sent again and again. Rejects with the name of a
 * `CallError` if it does not come.
 */
export function keptBody(request) {
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

/**
 * The body of a request, whose call is aborted once it has more than `most` bytes; 0 is no bound. The length
 * of a body that says it is checked before, and held to by the runtime; only one of unknown length has
 * to be counted. A stream of JavaScript's that ends, even with an error, is a whole body to the service:
 * so where the client breaks off, the call is aborted too, and the stream never ends.
 */
export function boundedBody({ headers, body }, most, call) {
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

/** Reads a body of at most `limit` bytes, until `signal` says that nobody wants it any more. */
export async function readWhole(response, limit, signal) {
  // The length of an encoded body says nothing about the bytes that come out.
  const { headers } = response;
  const length = headers.has("content-encoding") ? null : headers.get("content-length");
  const isLonger = length !== null && Number(length) > limit;
  // Before the body is asked for, since the runtime makes an object of it then.
  if (length !== null && !isLonger && signal === undefined) return new Uint8Array(await response.arrayBuffer());
  const { body } = response;
  // To HEAD, and with 304, the length is that of a body that does not come.
  if (body === null) return new Uint8Array();
  if (isLonger) {
    discard(response);
    throw "too-large";
  }
  // Read into one buffer: each chunk of the runtime's own holds 4 KiB, even one of a single byte.
  const reader = body.getReader({ mode: "byob" });
  const ended = signal && new Promise((_, reject) => {
    signal.addEventListener("abort", () => {
      reject(signal.reason);
      reader.cancel().catch(() => {});
    });
  });
  let buffer = new ArrayBuffer((length === null ? Math.min(limit, FIRST_BUFFER) : Number(length)) + 1);
  let size = 0;
  for (;;) {
    const room = new Uint8Array(buffer, size);
    const piece = reader.readAtLeast(room.byteLength, room);
    const { value, done } = await (ended === undefined ? piece : Promise.race([piece, ended]));
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

/** Lets go of a reply whose body nobody will read, so that its connection is free again. */
export function discard(reply) {
  reply.body?.cancel().catch(() => {});
}
