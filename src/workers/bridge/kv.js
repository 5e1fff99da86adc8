// What KV has.
import { inTime } from "./runtime.js";

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
