// The contestants of `npm run bench` that run in workerd answer every case alike. Nothing is timed here.
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { answerAlike } from "../../benches/workerd/alike.mjs";
import { cases } from "../../benches/workerd/cases.mjs";
import { serve, startContestants } from "../../benches/workerd/contestants.mjs";
import { end, temporaryFolder } from "../../benches/workerd/processes.mjs";
import { startUpstream } from "../../benches/workerd/upstream.mjs";
import { constantsIn, posternIn } from "../../benches/workerd/workers.mjs";
import { answering } from "./harness.mjs";

const names = Object.keys(cases);
const sets = Map.groupBy(names, (name) => cases[name].routes);

for (const [routes, names] of sets) {
  // Each set in a suite of its own: what follows a whole file may begin before all of its tests are known.
  describe(routes === undefined ? "with the routes of the cases" : `with ${routes} routes`, () => {
    let started;
    before(async () => (started = await startContestants({ routes })));
    after(() => started?.stop());
    for (const name of names) test(`${name}: the contestants answer alike`, () => answerAlike(started.contestants, name));
  });
}

test("Postern answers the jobs of `duties` as constants in the place of its Wasm do", async () => {
  const { folder, remove } = temporaryFolder();
  const upstream = await startUpstream(path.join(folder, "upstream"));
  const children = [upstream.child];
  try {
    const started = {};
    for (const [name, folderOf] of Object.entries({ Postern: posternIn, constants: constantsIn })) {
      const { port, child } = await serve(await folderOf(path.join(folder, name), upstream.url));
      children.push(child);
      await answering(port, child);
      started[name] = { port, said: () => child.said() };
    }
    for (const name of ["forward-1k", "forward-1m", "bad-tokens"]) await answerAlike(started, name);
  } finally {
    for (const child of children) await end(child);
    remove();
  }
});
