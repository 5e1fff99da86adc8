// How cases are measured: in each round every contestant gets the same load, one after the other.
import { say } from "../../scripts/run.mjs";
import { answerAlike } from "./alike.mjs";
import { cases } from "./cases.mjs";
import { startContestants } from "./contestants.mjs";
import { memory, processorTime } from "./costs.mjs";
import { load } from "./load.mjs";

/** How many requests warm up a target of which it is not known how fast it is. */
const FIRST = 2000;
/** At a fixed rate there are at least so many requests, if it does not take longer than so many seconds. */
const PACED = { requests: 300, seconds: 10 };
/** How many times as long the rate is fixed where the p99 is looked at: V8 then collects all garbage several times. */
export const TAIL = 8;

/** The names in groups that are measured in the same rounds. */
export function groups(names) {
  return [...grouped(names, (name) => cases[name].beside ?? name).values()];
}

/** As Map.groupBy, which Node 18 and 20 lack. */
function grouped(names, keyOf) {
  const found = new Map();
  for (const name of names) found.set(keyOf(name), [...(found.get(keyOf(name)) ?? []), name]);
  return found;
}

/**
 * Measures the cases of a group. Gives for each its `rate` of the fixed load, and by contestant its `rounds`, its
 * `memory` in the end and the `sizes` of its code.
 */
export async function measure(names, settings) {
  say(`${names.join(", ")}: starting`);
  const stops = [];
  try {
    const entries = await lineUp(names, settings.natives, stops);
    await allRounds(names, entries, settings);
    for (const entry of entries) entry.memory = memory(entry.pid);
    return new Map(names.map((name) => [name, resultsOf(entries.filter((entry) => entry.name === name))]));
  } finally {
    for (const stop of stops) await stop();
  }
}

async function allRounds(names, entries, { rounds, seconds, oha }) {
  for (let round = 0; round <= rounds; round += 1) {
    say(`${names.join(", ")}: ${round === 0 ? "warming up" : `round ${round} of ${rounds}`}`);
    // Who is first has no advantage of it.
    const turns = [...entries.slice(round % entries.length), ...entries.slice(0, round % entries.length)];
    for (const entry of turns) {
      if (round === 0) entry.fastest = await warmedUp(oha, entry, seconds);
      else entry.rounds.push(await oneRound(oha, entry, seconds));
    }
    // What all can hold: half of what the slowest can.
    if (round === 0) for (const entry of entries) entry.rate = rateOf(entries.filter(({ name }) => name === entry.name));
  }
}

/**
 * Starts whom the cases need, and checks that they answer alike: an entry for each case and contestant. What ends them
 * is added to `stops`.
 */
async function lineUp(names, natives, stops) {
  const entries = [];
  for (const [routes, ofThese] of grouped(names, (name) => cases[name].routes)) {
    const wanted = new Set(ofThese.flatMap((name) => cases[name].natives ?? []));
    const there = Object.fromEntries(Object.entries(natives).filter(([name]) => wanted.has(name)));
    const { contestants, stop } = await startContestants({ routes, natives: there });
    stops.push(stop);
    for (const name of ofThese) {
      const targets = await answerAlike(contestants, name);
      for (const [contestant, { pid, sizes }] of Object.entries(contestants)) {
        entries.push({ name, contestant, pid, sizes, target: targets[contestant], rounds: [] });
      }
    }
  }
  return entries;
}

/** How many requests a second it takes, once what runs often was compiled. */
async function warmedUp(oha, { target }, seconds) {
  const amount = target.varies ? { requests: FIRST } : { seconds };
  await load(oha, target, amount);
  return (await load(oha, target, amount)).perSecond;
}

const rateOf = (entries) => Math.max(1, Math.floor(Math.min(...entries.map(({ fastest }) => fastest)) / 2));

/** As many requests as it can take, and then so many a second. */
async function oneRound(oha, { name, target, pid, rate, fastest }, seconds) {
  const before = processorTime(pid);
  const most = await load(oha, target, target.varies ? { requests: Math.ceil(seconds * fastest) } : { seconds });
  const processor = before === null ? null : processorTime(pid) - before;
  const least = Math.min(PACED.seconds, Math.max(seconds, PACED.requests / rate));
  const long = cases[name].tellsTail ? Math.max(least, TAIL * seconds) : least;
  const paced = await load(oha, target, target.varies ? { requests: Math.ceil(long * rate), rate } : { seconds: long, rate });
  return {
    processor: processor === null ? null : processor / most.requests,
    inUse: processor === null ? null : (processor * most.perSecond) / most.requests / 10,
    perSecond: most.perSecond,
    p50: paced.p50,
    p99: paced.p99,
  };
}

const resultsOf = (entries) => ({
  rate: entries[0].rate,
  contestants: new Map(entries.map(({ contestant, rounds, memory, sizes }) => [contestant, { rounds, memory, sizes }])),
});
