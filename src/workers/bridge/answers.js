// What the client gets.
import { addFields, edit } from "./fields.js";

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
