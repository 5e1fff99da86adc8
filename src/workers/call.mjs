// A call that the Wasm has made for a request: it is settled once, by what comes first, and told to the Wasm under its number.
// When calls are late, the one timer of their request (`visit.mjs`) tells.
import { shared } from "./shared.mjs";

/** Ends the calls of a root that are late when its timer looks. */
export function endLateCalls(root) {
  const { looksAt } = root;
  root.timer = root.looksAt = undefined;
  const late = [];
  for (const call of callsOf(root)) {
    const { time } = call;
    if (time.endsBy <= looksAt) late.push(call);
    else {
      // It has no more left than at first, even if the clock was put back meanwhile.
      time.endsBy = Math.min(time.endsBy, looksAt + time.ms);
      root.lookAt(time.endsBy, time.endsBy - looksAt);
    }
  }
  // Only now: each goes on in the Wasm, which may begin others.
  for (const call of late) call.end(call.late);
}

/** So many ms for calls that have begun together. */
export class Time {
  constructor(visit, ms) {
    this.ms = ms;
    this.endsBy = Date.now() + ms;
    /** The turn in which it began, if others may begin then and have it too. */
    this.turn = undefined;
    /** How many calls still have it. */
    this.calls = 1;
    this.controller = undefined;
    /** Whether one of them was broken off while others went on: it is, once they are over. */
    this.isBroken = false;
    visit.root.lookAt(this.endsBy, ms);
  }

  /** A signal that is aborted when its calls are broken off. */
  get signal() {
    this.controller ??= new AbortController();
    return this.controller.signal;
  }

  /** One call less. */
  leave() {
    this.calls -= 1;
    if (this.calls === 0 && this.isBroken) this.controller?.abort("dropped");
  }
}

/** The calls of a root; that some end while one goes through them makes no difference. */
export const callsOf = ({ calls }) => (calls === undefined ? [] : [...calls.values()]);

/**
 * A call under way. It is settled once, by what comes first: what it brings, the end of its time, or the client's going away.
 */
export class Call {
  constructor(visit, number, time, outlivesClient) {
    this.visit = visit;
    this.number = number;
    this.time = time;
    this.outlivesClient = outlivesClient;
    this.isSettled = false;
    /** What it means that the time is over. */
    this.late = "timed-out";
    /** Whether what is sent comes from the client meanwhile. */
    this.isOfClient = false;
  }

  /** A signal that is aborted when the call is broken off, with those that have its time. */
  get signal() {
    return this.time.signal;
  }

  /** Settles it, unless it is; tells whether the Wasm waits for it. */
  settles() {
    if (this.isSettled) return false;
    this.isSettled = true;
    const { root } = this.visit;
    root.calls.delete(this.number);
    this.time.leave();
    root.stopTimerIfOver();
    // In one that has panicked, nobody waits.
    return this.visit.instance === shared.instance;
  }

  /** It has brought a text. */
  said(text) {
    if (this.settles()) shared.wasm.said(this.number, text);
  }

  /** It has brought a reply whose body is still to come, with header fields as lines. */
  replied(reply, fields) {
    if (this.settles()) shared.wasm.replied(this.number, reply.status, fields, reply);
    else reply.body?.cancel().catch(() => {});
  }

  /** What it has brought is an answer that the client gets at once; whether nothing hangs on how the request ends. */
  handedOn(answer, endsUnnoticed) {
    if (!this.settles()) return void answer.body?.cancel().catch(() => {});
    this.visit.settle(answer);
    if (!endsUnnoticed) return shared.wasm.handedOn(this.number, answer.status);
    forget(this.number);
  }

  /** It has brought a status (0 where nobody asks), header fields as lines, and bytes. */
  read(status, fields, bytes) {
    if (this.settles()) shared.wasm.read(this.number, status, fields, bytes);
  }

  fail(error) {
    if (KNOWN_FAILURES.includes(error)) this.end(error);
    // A client that breaks off fails the call before it is known to have left.
    else if (this.isOfClient) setTimeout(() => this.end("unreachable"), UNTIL_KNOWN);
    else this.end("unreachable");
  }

  /** Breaks it off, for a reason that is the name of a `CallError`. */
  end(reason) {
    if (this.settles()) shared.wasm.failed(this.number, reason);
    this.breakOff(reason);
  }

  /** Breaks it off, which nobody waits for any more. */
  drop() {
    this.settles();
    this.breakOff("dropped");
  }

  breakOff(reason) {
    // The signal is that of the others too, if they still have its time.
    if (this.time.calls === 0) this.time.controller?.abort(reason);
    else this.time.isBroken = true;
  }
}

/** The numbers of calls whose requests are over, which the Wasm, that instance of it, has not let go of yet. */
const over = { instance: 0, numbers: [] };

/** The most of them. */
const MOST_OVER = 16;

/** Has the Wasm let go of a request. Of many at once, since what that takes is in the processor's caches after the first. */
function forget(number) {
  if (over.instance !== shared.instance) over.numbers.length = 0;
  over.instance = shared.instance;
  over.numbers.push(number);
  if (over.numbers.length >= MOST_OVER) for (const one of over.numbers.splice(0)) shared.wasm.forget(one);
}

/** For how long to wait for the news that a client has left, in ms. */
const UNTIL_KNOWN = 5;

/** The names of `CallError`s that are thrown. */
const KNOWN_FAILURES = ["too-large", "body-too-large", "no-binding", "client-slow", "client-gone"];
