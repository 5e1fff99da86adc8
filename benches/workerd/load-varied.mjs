// Load in which each request has header fields of its own, which oha cannot: over plain sockets, since
// Node's HTTP client alone would have a core busy before workerd has.
import { once } from "node:events";
import net from "node:net";

/** As `load`, for so many `requests`, with the header fields of each one's number; no number comes twice. */
export async function variedLoad(target, { requests, rate }, atOnce) {
  // Made beforehand: they are not what is measured.
  const prepared = Array.from({ length: requests }, () => written(target, target.next()));
  const seen = { took: [], bytes: 0, statuses: {}, errors: {} };
  const begun = performance.now();
  const due = (number) => (rate === undefined ? undefined : begun + (1000 * number) / rate);
  let sent = 0;
  const client = async () => {
    const connection = await connected(target.port);
    while (sent < requests) {
      const number = sent;
      sent += 1;
      const at = due(number);
      const early = at === undefined ? 0 : at - performance.now();
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
      // A timer that rings late is not the target's doing; a connection that was not free in time is.
      const start = early > 0 || at === undefined ? performance.now() : at;
      const { status, bytes } = await connection.ask(prepared[number]);
      seen.took.push(performance.now() - start);
      seen.statuses[status] = (seen.statuses[status] ?? 0) + 1;
      seen.bytes += bytes;
    }
    connection.end();
  };
  await Promise.all(Array.from({ length: atOnce }, () => client().catch((error) => (seen.errors[error.message] = 1))));
  const all = (performance.now() - begun) / 1000;
  const sorted = seen.took.sort((one, other) => one - other);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { ...seen, requests: sorted.length, perSecond: sorted.length / all, p50: at(0.5), p99: at(0.99) };
}

/** A request as it goes over the wire. */
function written({ port, path, headers }, number) {
  const fields = Object.entries(headers(number)).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: */*\r\n${fields.join("")}\r\n`;
}

/** A connection that takes one request at a time. */
async function connected(port) {
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  let answer = Buffer.alloc(0);
  let asked = null;
  const broken = (error) => asked?.reject(error);
  socket.on("error", broken);
  socket.on("close", () => broken(new Error("a connection was closed")));
  socket.on("data", (data) => {
    answer = answer.length === 0 ? data : Buffer.concat([answer, data]);
    const whole = read(answer);
    if (whole === null) return;
    answer = Buffer.alloc(0);
    if (whole.bytes === undefined) asked.reject(new Error("an answer does not say its length"));
    else asked.resolve(whole);
  });
  return {
    ask: (text) => {
      const result = new Promise((resolve, reject) => (asked = { resolve, reject }));
      socket.write(text);
      return result;
    },
    end: () => socket.destroy(),
  };
}

/** The status and the body's size of an answer, once it is whole. `bytes` is undefined where it does not say its length. */
function read(answer) {
  const head = answer.indexOf("\r\n\r\n");
  if (head < 0) return null;
  const text = answer.toString("latin1", 0, head);
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  const bytes = answer.length - head - 4;
  if (bytes < Number(length)) return null;
  return { status: Number(text.slice(9, 12)), bytes: length === undefined ? undefined : bytes };
}
