// The services behind all contestants: files of JSON. By nginx where there is one, since it leaves the load
// generator most of their core; otherwise by Node.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Fault, at, node } from "../../scripts/run.mjs";
import { answering, freePort } from "../../tests/workers/harness.mjs";
import { cases } from "./cases.mjs";
import { nginxIn, nginxVersion } from "./nginx.mjs";
import { start, watch } from "./processes.mjs";

/** What it is. */
export const upstreamIs = () => (nginxVersion() === null ? `Node ${process.version}, as there is no nginx` : `nginx ${nginxVersion()}`);

/** Starts it, with its files in a folder; gives its `url` and the process. */
export async function startUpstream(folder) {
  for (const { upstream = {} } of Object.values(cases)) {
    for (const [name, value] of Object.entries(upstream)) {
      const file = path.join(folder, "files", name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify(value));
    }
  }
  const port = await freePort();
  const [program, args] =
    nginxVersion() === null
      ? [node(), [at("benches", "workerd", "upstream-node.mjs"), path.join(folder, "files"), String(port)]]
      : ["nginx", nginxIn(folder, staticFiles(port, folder))];
  const child = start(program, args);
  if (await Promise.race([child.ended.then(() => true), answering(port, child).then(() => false)])) {
    throw new Fault(`The upstream did not start: ${child.said()}`);
  }
  watch(child, "The upstream");
  return { url: `http://127.0.0.1:${port}`, child };
}

const staticFiles = (port, folder) => `
      open_file_cache max=1000 inactive=1d;
      server {
        listen 127.0.0.1:${port};
        root ${folder}/files;
        default_type application/json;
        etag off;
        if_modified_since off;
        add_header Last-Modified "";
      }`;
