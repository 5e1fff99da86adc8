// One request on its way, as the runtime has it: the calls that the Wasm makes for it (`call.mjs`), and what becomes of them
// when its client goes away. Each native object costs more than all that is done with it here, so one is made only if it is
// needed: of a request there is one listener at most, and one timer for its calls.
import { Call, Time, callsOf, endLateCalls } from "./call.mjs";
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

/** Whether a request has told that this is Cloudflare. */
let isOnCloudflare = false;
