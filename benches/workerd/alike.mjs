// That all contestants do the same work: what they answer to a case is compared, byte by byte or as JSON.
import { isDeepStrictEqual } from "node:util";
import { Fault } from "../../scripts/run.mjs";
import { cases } from "./cases.mjs";

/**
 * Fails unless all contestants answer a case alike, and as it says. Gives the target that each is for `load`.
 */
export async function answerAlike(contestants, name) {
  const targets = {};
  let first;
  for (const [contestant, { port, said }] of Object.entries(contestants)) {
    const { target, answers } = await asked(contestant, port, name, said);
    first ??= { contestant, answers };
    if (!isDeepStrictEqual(answers, first.answers)) {
      const [mine, theirs] = [answers, first.answers].map((value) => JSON.stringify(value).slice(0, 400));
      throw new Fault(`${contestant} answers ${name} otherwise than ${first.contestant}:\n  ${mine}\n  ${theirs}`);
    }
    targets[contestant] = target;
  }
  return targets;
}

/** What a contestant answers to a case: all of it that must be alike. */
async function asked(contestant, port, name, said) {
  const { path = `/${name}`, headers = () => ({}), status = 200, isBytes, beforehand = 0, revalidates, varies, says = [], others = [] } = cases[name];
  const target = { name: `${contestant}, ${name}:`, port, path, status, headers, varies };
  let number = 0;
  target.next = () => (number += 1);

  const answers = [];
  const ask = async (path, headers, expected, isExact = isBytes) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers, redirect: "manual" }).catch(({ cause }) => {
      throw new Fault(`${contestant} does not answer ${path}: ${cause}\n${said()}`);
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (answer.status !== expected) throw new Fault(`${contestant} answers ${path} with ${answer.status}, not ${expected}: ${bytes.subarray(0, 200)}\n${said()}`);
    answers.push(isExact ? bytes.toString("latin1") : value(bytes));
    return { answer, bytes };
  };
  for (let before = 0; before < beforehand; before += 1) await ask(path, headers(0), 200);
  if (revalidates) {
    const etag = (await ask(path, headers(0), 200)).answer.headers.get("etag");
    target.headers = () => ({ ...headers(0), "if-none-match": etag });
  }
  // Who has no token is let in nowhere.
  if (cases[name].headers) await ask(path, {}, 401, true).then(() => answers.pop());
  for (const other of others) await ask(other, {}, 200);
  const { answer, bytes } = await ask(path, target.headers(0), status);
  for (const field of says) if (!answer.headers.has(field)) throw new Fault(`${contestant} answers ${name} without ${field}`);
  target.size = bytes.length;
  return { target, answers };
}

/** The JSON of a body, but for the id of a request, of which no two are alike. */
function value(bytes) {
  if (bytes.length === 0) return null;
  const parsed = JSON.parse(bytes);
  if (parsed.request_id !== undefined) parsed.request_id = parsed.request_id.length;
  return parsed;
}
