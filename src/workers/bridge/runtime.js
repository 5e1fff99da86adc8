// What the runtime is asked for beside calls: what it knows, what is said to it, and that it does not take too long.

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

/** A secret of the environment. */
export function secret({ env }, name) {
  const value = env[name];
  return typeof value === "string" ? value : undefined;
}

/** Writes a line to the log. */
export function log(line) {
  console.log(line);
}

/** What `start` brings, or a rejection once the time is over. */
export async function inTime(ms, start) {
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
