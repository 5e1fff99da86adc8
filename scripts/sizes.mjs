// `npm run sizes`: what takes the space of the Wasm, before a routes.json is compiled into it: by crate, and by module of our own.
import { mkdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build, makeGateway } from "./build.mjs";
import { COMPILER } from "./compiler.mjs";
import { at, main } from "./run.mjs";
import { sizes } from "./wasm-file.mjs";

/** What is smaller is told together. */
const SMALL = 6_000;

await main(async () => {
  await build();
  mkdirSync(at("target", "sizes"), { recursive: true });
  const named = at("target", "sizes", "gateway.wasm");
  await makeGateway(at("build", COMPILER), named, ["-g"]);
  const { functions, data } = sizes(readFileSync(named));
  const whole = readFileSync(at("build", "gateway.wasm"));
  console.log(`${whole.length} bytes, ${gzipSync(whole, { level: 9 }).length} gzipped; the largest function has ${Math.max(...functions.map(({ size }) => size))}.\n`);
  const groups = new Map([["data: texts and tables", data]]);
  for (const { name, size } of functions) groups.set(ofModule(name), (groups.get(ofModule(name)) ?? 0) + size);
  const small = [...groups].filter(([, size]) => size < SMALL);
  const lines = [...groups].filter(([, size]) => size >= SMALL).sort(([, one], [, other]) => other - one);
  lines.push([`${small.length} others`, small.reduce((sum, [, size]) => sum + size, 0)]);
  const all = lines.reduce((sum, [, size]) => sum + size, 0);
  console.log("| what | bytes | share |\n| --- | ---: | ---: |");
  for (const [what, size] of lines) console.log(`| ${what} | ${size} | ${((100 * size) / all).toFixed(1)} % |`);
});

/** The module of ours, or the crate, that a function is of: `<a::B as c::D>::e` is of the first. */
function ofModule(name) {
  const [crate, module] = name.replace(/^(?:[<&*[(]|mut |dyn )+/, "").replace(/\[[0-9a-f]+\]/g, "").split("::");
  if (crate === "postern") return `\`${crate}::${module.split(/[<> ]/)[0]}\``;
  return /^\w+$/.test(crate) && crate.length > 2 ? crate : "generic code without a crate in its name";
}
