// The answers to the first requests of a name (`first-answer.mjs`), as one request asks for them.
import { relay } from "./answers.js";
import { readWhole } from "./bodies.js";
import { edit } from "./fields.js";
import { inTime } from "./runtime.js";

const firstAnswer = (env, name) => env.FIRST_ANSWERS.get(env.FIRST_ANSWERS.idFromName(name));

/**
 * Claims to be the first of a name. Resolves to "first", "running", "lost", "other", or the first's
 * Response.
 */
export function beginFirst({ env }, name, fingerprint, lease, ms) {
  return inTime(ms, async () => {
    const { found, answer } = await firstAnswer(env, name).claim(fingerprint, lease);
    if (answer === undefined) return found;
    const headers = new Headers();
    edit(headers, decodeURIComponent(answer.fields));
    const status = Number(answer.status);
    const hasBody = ![204, 205, 304].includes(status);
    return new Response(hasBody ? answer.body : null, { status, headers });
  });
}

/**
 * Keeps the reply to a first request, its header fields edited. Resolves to `[reply, kept]`: one that is
 * the same, and whether it was kept. One that is too large, or not there whole in `ms`, is not; then it is
 * kept that there was one.
 */
export async function keepFirst({ env }, name, fingerprint, reply, edits, keep, most, ms) {
  const edited = relay(reply, edits);
  const copy = edited.clone();
  let fields = "";
  for (const [field, value] of edited.headers) fields += `&${field}:${value}\n`;
  try {
    const body = await inTime(ms, () => readWhole(copy, most));
    // The bytes may be at the beginning of a longer buffer, which would be kept whole.
    const answer = { status: String(edited.status), fields: encodeURIComponent(fields), body: body.slice().buffer };
    return [edited, await firstAnswer(env, name).keep(fingerprint, keep, answer)];
  } catch {
    copy.body?.cancel().catch(() => {});
    await loseFirst({ env }, name, fingerprint, keep);
    return [edited, false];
  }
}

/** Keeps that the first of a name was answered, or may have been, without its answer. */
export async function loseFirst({ env }, name, fingerprint, keep) {
  await firstAnswer(env, name).lose(fingerprint, keep).catch(() => {});
}

/** Gives up the claim to be the first of a name. */
export async function forgetFirst({ env }, name, fingerprint) {
  await firstAnswer(env, name).forget(fingerprint).catch(() => {});
}
