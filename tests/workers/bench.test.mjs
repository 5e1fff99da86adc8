// The contenders of `npm run bench` answer every case alike. Nothing is timed here.
import { after, test } from "node:test";
import { answerAlike, startContenders } from "../../benches/workerd/contestants.mjs";
import { cases } from "../../benches/workerd/cases.mjs";

const { contenders, stop } = await startContenders();
after(stop);

for (const name of Object.keys(cases)) test(`${name}: the contenders answer alike`, () => answerAlike(contenders, name));
