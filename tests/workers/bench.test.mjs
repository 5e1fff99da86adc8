// The contestants of `npm run bench` that run in workerd answer every case alike. Nothing is timed here.
import { after, test } from "node:test";
import { answerAlike } from "../../benches/workerd/alike.mjs";
import { cases } from "../../benches/workerd/cases.mjs";
import { startContestants } from "../../benches/workerd/contestants.mjs";

const names = Object.keys(cases);
const sets = Map.groupBy(names, (name) => cases[name].routes);

for (const [routes, names] of sets) {
  const { contestants, stop } = await startContestants({ routes });
  after(stop);
  for (const name of names) test(`${name}: the contestants answer alike`, () => answerAlike(contestants, name));
}
