// One request on its way, as the runtime has it: what the Wasm calls for it, until when, and what becomes of that when its
// client goes away. Each native object costs more than all that is done with it here, so one is made only if it is needed:
// of a request there is one listener at most and one timer for its calls, of those that begin together one controller.
import { shared } from "./shared.mjs";

export class Visit {
  /** `root` is the one that it is made for the sake of, if there is one. */
  constructor(request, env, context, root) {
    this.request = request;
    // What is read of a native object is kept: to read it costs more than most of what is done here.
    this.method = request.method;
    /** When it came, as far as it has told. */
    this.arrived = undefined;
    this.env = env;
    this.context = context;
    this.root = root ?? this;
    /** The Wasm that it is in. */
    this.instance = shared.instance;
    /** The calls under way, by number, once there were any; the root has those of all. */
    this.calls = undefined;
    this.isClientGone = false;
    this.isListening = false;
    /** How many works are under way. */
    this.works = 0;
    /** Takes the answer, once that is waited for. */
    this.resolve = undefined;
    /** Where nothing hangs on how it ends: how long its call may last, in ms, by when it is over, and whether it was not. */
    this.lasts = undefined;
    this.endsBy = undefined;
    this.isOverdue = false;
    /** The time that calls have which began last. */
    this.latest = undefined;
    /** Of the root: the timer that looks which calls are late, and at which time. */
    this.timer = undefined;
    this.looksAt = undefined;
  }

  /** The same for a request that is made for the sake of this one. */
  within(request) {
    return new Visit(request, this.env, this.context, this.root);
  }

  /** The head of the request, in the form that `Head::from_text` reads, but for the client's address. */
  head() {
    const { url, headers } = this.request;
    this.arrived = Date.now();
    let text = `${this.method}\n${url}\n\n${crypto.randomUUID()}\n${this.arrived}\n`;
    // Each step of an iterator makes two objects.
    headers.forEach((value, name) => (text += `${name}:${value}\n`));
    return text;
  }

  /**
   * The client's address as the runtime knows it. Plain workerd has it in `cf.clientIp`, with a port;
   * Cloudflare, which is told by `cf.colo`, overwrites `CF-Connecting-IP`. A header that nobody
   * overwrites is the client's word, and does not count.
   */
  address() {
    const { request } = this;
    // The runtime makes `cf` of a text, for each request that it is read of.
    const cf = isOnCloudflare ? undefined : request.cf;
    isOnCloudflare ||= typeof cf?.colo === "string";
    if (isOnCloudflare) return request.headers.get("cf-connecting-ip") ?? "";
    // `[2001:db8::1]:5555` or `192.0.2.7:5555`. By hand: an expression costs more than all of this.
    const told = cf?.clientIp ?? "";
    const end = told.lastIndexOf(":");
    if (told[end - 1] === "]") return told.slice(1, end - 1);
    return end > 0 && told.indexOf(":") === end ? told.slice(0, end) : "";
  }

  /** The promise of the answer, which the Wasm did not give at once. */
  answer() {
    shared.underWay.add(this);
    const answer = new Promise((resolve) => (this.resolve = resolve));
    endThoseCutOff(this.arrived);
    // A panic meanwhile has answered it.
    if (this.resolve === undefined) return answer;
    if (this.lasts !== undefined && unnoticed.size < MOST_UNNOTICED) unnoticed.add(this);
    else this.listen();
    return answer;
  }

  /** Ends the calls when the client goes away. */
  listen() {
    if (this.isListening) return;
    this.isListening = true;
    const { signal } = this.request;
    // An object in the place of a function: `handleEvent` is called.
    signal.addEventListener("abort", this);
    if (signal.aborted) this.handleEvent();
  }

  /** The runtime keeps who listens, and all that it has, until it looks through all of its memory. */
  stopListeningIfOver() {
    if (this.resolve !== undefined || this.works > 0) return;
    if (this.isListening) this.request.signal.removeEventListener("abort", this);
    this.isListening = false;
  }

  /** Begins work that goes on when the answer is on its way. */
  work() {
    return new Work(this.root);
  }

  /** Takes the answer; undefined is none. */
  settle(answer) {
    shared.underWay.delete(this);
    if (this.lasts !== undefined) unnoticed.delete(this);
    this.resolve?.(answer ?? internalError());
    this.resolve = undefined;
    this.stopListeningIfOver();
    this.root.stopTimerIfOver();
  }

  panicked() {
    this.settle(undefined);
  }

  /** The client has gone away: nobody waits for its calls, but the Wasm must come to an end. */
  handleEvent() {
    this.isClientGone = true;
    for (const call of callsOf(this)) if (!call.outlivesClient) call.end("client-gone");
    if (this.resolve === undefined) return;
    // A request that is cut off would leave its state in the Wasm for ever. Only now: it costs as much as a call.
    const { resolve } = this;
    this.context.waitUntil(new Promise((over) => (this.resolve = (answer) => over(resolve(answer)))));
  }

  /** Its client has gone away, and the runtime has cut it off: nobody can be answered any more. */
  endCutOff() {
    this.resolve = undefined;
    // Without breaking it off, which in another's turn the runtime does not like: it is already.
    for (const call of callsOf(this)) if (call.settles()) shared.wasm.failed(call.number, "client-gone");
  }

  /**
   * Begins a call that the Wasm waits for under a number, for so many ms. `start` is given the call; what it rejects with is
   * the name of a `CallError`, or something unknown.
   */
  begin(number, ms, { sharesTime = false, outlivesClient = false, endsUnnoticed = false }, start) {
    const call = new Call(this, number, this.time(ms, sharesTime), outlivesClient);
    this.add(call);
    if (endsUnnoticed) {
      this.lasts = ms;
      // In the turn in which it came, no time has passed.
      this.endsBy = (this.resolve === undefined ? this.arrived : Date.now()) + ms;
      this.isOverdue = false;
    }
    if (this.root.isClientGone && !outlivesClient) return call.end("client-gone");
    try {
      start(call).then(undefined, (error) => call.fail(error));
    } catch (error) {
      call.fail(error);
    }
  }

  add(call) {
    const { root } = this;
    root.calls ??= new Map();
    root.calls.set(call.number, call);
  }

  /** Waits for so many ms. */
  sleep(number, ms) {
    this.add(new Call(this, number, this.time(ms, false), true));
  }

  /** Breaks off a call that nobody waits for any more. */
  abort(number) {
    this.root.calls?.get(number)?.drop();
  }

  /** Has the timer look at a time, which is so many ms from now, if it does not before. */
  lookAt(time, ms) {
    if (this.looksAt <= time) return;
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.looksAt = time;
    this.timer = setTimeout(endLateCalls, ms, this);
  }

  /** Between two calls of a request it goes on: another timer costs more than one that looks in vain. */
  stopTimerIfOver() {
    if (this.timer === undefined || this.resolve !== undefined || this.calls?.size > 0) return;
    clearTimeout(this.timer);
    this.timer = this.looksAt = undefined;
  }

  /** The time of a call. Calls that begin together and have as long can have one. */
  time(ms, sharesTime) {
    if (!sharesTime) return new Time(this, ms);
    const { latest } = this;
    const { turn } = shared;
    // Those that begin in one turn: on Cloudflare the clock stands still meanwhile.
    if (latest?.ms === ms && latest.calls > 0 && latest.turn === turn) {
      latest.calls += 1;
      return latest;
    }
    this.latest = new Time(this, ms);
    this.latest.turn = turn;
    return this.latest;
  }
}

/**
 * Those with a call that nothing comes after, in the order in which they are looked at. Nobody listens whether their clients
 * go away: a listener costs a twentieth of such a request. The runtime cuts them off then, and they stay here.
 */
const unnoticed = new Set();

/** The most of them: what clients can leave behind has a bound. Of more it is listened for. */
const MOST_UNNOTICED = 256;

/** How late a timer may come, in ms. */
const LATE = 1000;

/** Has those come to an end that were cut off: who was not would have ended at the end of its time. */
function endThoseCutOff(now) {
  for (const visit of unnoticed) {
    if (visit.endsBy > now) return;
    unnoticed.delete(visit);
    if (visit.isOverdue) visit.endCutOff();
    else {
      // Unless the clock was put forward, or the runtime stood still: then its timer comes within its time.
      visit.isOverdue = true;
      visit.endsBy = now + visit.lasts + LATE;
      unnoticed.add(visit);
    }
  }
}

/** The answer where the Wasm has none. */
export function internalError() {
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
  return new Response(shared.panicBody, { status: 500, headers });
}

/** Work that goes on when the answer is on its way, even if the client goes away. */
class Work {
  constructor(visit) {
    this.visit = visit;
    visit.works += 1;
    visit.context.waitUntil(new Promise((resolve) => (this.resolve = resolve)));
    shared.underWay.add(this);
  }

  end() {
    shared.underWay.delete(this);
    this.visit.works -= 1;
    this.visit.stopListeningIfOver();
    this.resolve();
  }

  panicked() {
    this.end();
  }
}

/** Ends the calls of a root that are late when its timer looks. */
function endLateCalls(root) {
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
class Time {
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
const callsOf = ({ calls }) => (calls === undefined ? [] : [...calls.values()]);

/**
 * A call under way. It is settled once, by what comes first: what it brings, the end of its time, or the client's going away.
 */
class Call {
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

/** Whether a request has told that this is Cloudflare. */
let isOnCloudflare = false;
