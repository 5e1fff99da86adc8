// nginx, as the upstream and as a contestant that hands on: one process, without a log.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Its version, or null where there is none. */
export function nginxVersion() {
  const { stderr } = spawnSync("nginx", ["-v"], { encoding: "utf8" });
  return /nginx\/(\S+)/.exec(stderr ?? "")?.[1] ?? null;
}

/** Writes a configuration with these lines in its part for HTTP; gives the arguments that start nginx with it. */
export function nginxIn(folder, http) {
  mkdirSync(folder, { recursive: true });
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((what) => `${what}_temp_path ${folder}/${what};`);
  writeFileSync(
    path.join(folder, "nginx.conf"),
    `daemon off;
    master_process off;
    worker_processes 1;
    pid ${folder}/nginx.pid;
    error_log ${folder}/error.log;
    # Each of 16 requests may call 50 times at once, and so may each contestant; where there are none left, nginx
    # closes those that somebody is about to use.
    events { worker_connections 8192; }
    http {
      access_log off;
      ${temporary.join("\n      ")}
      sendfile on;
      tcp_nodelay on;
      keepalive_timeout 600s;
      keepalive_requests 1000000000;
      ${http}
    }
    `,
  );
  return ["-p", folder, "-c", path.join(folder, "nginx.conf"), "-e", path.join(folder, "error.log")];
}

/** As a contestant: every path is handed on, over connections that are kept. */
export const handsOn = (port, upstream) => `
      upstream services { server ${upstream.replace("http://", "")}; keepalive 64; keepalive_requests 1000000000; }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://services;
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          proxy_set_header X-Forwarded-For $remote_addr;
          # Large bodies wait in memory, not in files, and go on in large pieces.
          proxy_max_temp_file_size 0;
          proxy_buffer_size 16k;
          proxy_buffers 16 64k;
          proxy_busy_buffers_size 256k;
        }
      }`;
