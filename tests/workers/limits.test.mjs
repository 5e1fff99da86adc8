// How often a caller may call, counted by real Durable Objects.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CUSTOMER, bearer, json, sleep, startGateway, startUpstream, until } from "./harness.mjs";

const hello = { body: "hello" };
const routes = {
  auth: { customer: CUSTOMER },
  limits: {
    twenty: { rate: "20/min", burst: 20 },
    quick: { rate: "1/s", burst: 2 },
    open: { rate: "1/day", by: "address" },
    placed: { rate: "1/day", location: "weur" },
  },
  routes: [
    { path: "/twenty", auth: "customer", limit: "twenty", reply: hello },
    { path: "/quick", auth: "customer", limit: "quick", reply: hello },
    { path: "/placed", auth: "customer", limit: "placed", reply: hello },
    { path: "/open", auth: "public", limit: "open", reply: hello },
  ],
};
const gateway = await startGateway(routes);
const statuses = (answers) => answers.map((answer) => answer.status).sort();

test("50 calls at once against a limit of 20 admit exactly 20", async () => {
  const headers = bearer({ sub: "crowd" });
  const answers = await Promise.all(Array.from({ length: 50 }, () => gateway.get("/twenty", headers)));
  assert.deepEqual(statuses(answers), [...Array(20).fill(200), ...Array(30).fill(429)]);
});

test("a limit that says where it is counted counts there", async () => {
  const headers = bearer({ sub: "european" });
  assert.equal((await gateway.get("/placed", headers)).status, 200);
  assert.equal((await gateway.get("/placed", headers)).status, 429);
});

test("one caller's calls are not another's", async () => {
  for (const sub of ["one", "two"]) {
    const answer = await gateway.get("/twenty", bearer({ sub }));
    assert.equal(answer.headers.get("ratelimit"), '"twenty";r=19;t=3');
  }
});

test("a refusal says when to come back, and is right", async () => {
  const headers = bearer({ sub: "patient" });
  let refused;
  for (let call = 0; call < 3; call += 1) refused = await gateway.get("/quick", headers);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "1");
  assert.equal(refused.headers.get("ratelimit"), '"quick";r=0;t=1');
  assert.equal(refused.headers.get("ratelimit-policy"), '"quick";q=2;w=2');
  const problem = await refused.json();
  assert.equal(problem.type, "https://iana.org/assignments/http-problem-types#quota-exceeded");
  assert.deepEqual(problem["violated-policies"], ["quick"]);
  await sleep(1050);
  assert.equal((await gateway.get("/quick", headers)).status, 200);
});

test("without a token the address counts, whatever the client says of it", async () => {
  const spoofed = { "cf-connecting-ip": "192.0.2.1", "x-forwarded-for": "192.0.2.1", "x-real-ip": "192.0.2.1" };
  assert.equal((await gateway.get("/open")).status, 200);
  assert.equal((await gateway.get("/open", spoofed)).status, 429);
});

test("a runtime that is killed and started again forgets no limit", async () => {
  const gateway = await startGateway({
    auth: { customer: CUSTOMER },
    limits: { two: { rate: "2/day" } },
    routes: [{ path: "/two", auth: "customer", limit: "two", reply: hello }],
  });
  const call = async () => (await gateway.get("/two", bearer())).status;
  assert.deepEqual([await call(), await call(), await call()], [200, 200, 429]);
  await gateway.stop();
  await gateway.start();
  assert.equal(await call(), 429);
});

test("what is written ahead of many calls is taken back once nobody calls, and a kill before that admits no more in all", async () => {
  const gateway = await startGateway({
    auth: { customer: CUSTOMER },
    limits: { many: { quota: "60/day" } },
    routes: [{ path: "/many", auth: "customer", limit: "many", reply: hello }],
  });
  let admitted = 0;
  const call = async () => {
    const answer = await gateway.get("/many", bearer());
    admitted += answer.status === 200 ? 1 : 0;
    return answer.headers.get("ratelimit");
  };
  for (let calls = 0; calls < 20; calls += 1) await call();
  await sleep(2500);
  await gateway.stop();
  await gateway.start();
  assert.match(await call(), /r=39;/);
  for (let calls = 0; calls < 10; calls += 1) await call();
  await gateway.stop();
  await gateway.start();
  for (let calls = 0; calls < 60; calls += 1) await call();
  assert.ok(admitted > 31 && admitted <= 60, `${admitted} are admitted`);
});

test("once all is paid back and cleaned up, a limit counts from the beginning", async () => {
  const gateway = await startGateway({
    auth: { customer: CUSTOMER },
    limits: { three: { rate: "2/s", burst: 3 } },
    routes: [{ path: "/three", auth: "customer", limit: "three", reply: hello }],
  });
  const left = async () => (await gateway.get("/three", bearer())).headers.get("ratelimit");
  assert.match(await left(), /r=2/);
  await left();
  await sleep(12_500); // the alarm is due 10 s after the second in which all is paid back
  assert.match(await left(), /r=2/);
  assert.doesNotMatch(gateway.log(), /rror/);
});

test("a token that is refused costs nothing", async () => {
  const sub = "framed";
  for (let call = 0; call < 3; call += 1) await gateway.get("/quick", bearer({ sub, exp: 1 }));
  assert.equal((await gateway.get("/quick", bearer({ sub }))).headers.get("ratelimit"), '"quick";r=1;t=1');
});

test("quotas of the calendar and several limits, in the real runtime: all are taken, or none", async () => {
  const gateway = await startGateway({
    auth: { customer: CUSTOMER },
    limits: { burst: { rate: "1/min" }, month: { quota: "3/month" } },
    routes: [
      { path: "/both", auth: "customer", limit: ["burst", "month"], reply: hello },
      { path: "/month", auth: "customer", limit: "month", reply: hello },
      { path: "/dear", auth: "customer", limit: "month", cost: 2, reply: hello },
    ],
  });
  const call = async (path) => {
    const answer = await gateway.get(path, bearer());
    return [answer.status, answer.headers.get("ratelimit").replace(/t=\d+/g, "t")];
  };
  assert.deepEqual(await call("/both"), [200, '"burst";r=0;t, "month";r=2;t']);
  const refused = await Promise.all(Array.from({ length: 5 }, () => call("/both")));
  assert.deepEqual(refused.map(([status]) => status), Array(5).fill(429));
  // What the refused ones took is given back once their answers are there.
  let left;
  for (let tries = 0; tries < 50 && left !== '"month";r=1;t'; tries += 1) {
    await sleep(20);
    const [status, told] = await call("/dear");
    if (status === 200) left = told.replace("r=0", "r=1");
  }
  assert.equal(left, '"month";r=1;t');
  assert.deepEqual(await call("/month"), [429, '"month";r=0;t']);
  await gateway.stop();
  await gateway.start();
  assert.equal((await call("/month"))[0], 429);
});

test("what is borrowed comes to no more in all than the limit, and a refusal is right", async () => {
  const gateway = await startGateway({
    auth: { customer: CUSTOMER },
    limits: { leased: { quota: "20/day", lease: 5 } },
    routes: [{ path: "/leased", auth: "customer", limit: "leased", reply: hello }],
  });
  const all = [];
  for (let round = 0; round < 5; round += 1) {
    all.push(...(await Promise.all(Array.from({ length: 10 }, () => gateway.get("/leased", bearer({ sub: "crowd" }))))));
  }
  assert.deepEqual(statuses(all), [...Array(20).fill(200), ...Array(30).fill(429)]);
  assert.ok(Number(all.at(-1).headers.get("retry-after")) > 0);
  assert.equal(all.at(-1).headers.get("ratelimit-policy"), '"leased";q=20;w=86400');
});

test("so many calls are under way at once; a slot is given back by whatever answer, or lapses with its isolate", async () => {
  const upstream = await startUpstream(() => {});
  const gateway = await startGateway({
    timeout: "3s",
    services: { s: { url: upstream.url } },
    limits: { two: { concurrent: 2, by: "host" } },
    routes: [{ path: "/slow", auth: "public", limit: "two", forward: "s" }],
  });
  const status = async () => (await gateway.get("/slow")).status;
  const under = [gateway.get("/slow"), gateway.get("/slow")];
  await until(() => upstream.seen.length === 2, "two calls are under way");
  const refused = await gateway.get("/slow");
  assert.deepEqual([refused.status, refused.headers.get("retry-after"), refused.headers.get("ratelimit")], [429, "1", null]);
  assert.deepEqual(statuses(await Promise.all(under)), [504, 504]);

  upstream.handle = (request, response) => json(response, {});
  const all = [];
  for (let call = 0; call < 10; call += 1) {
    all.push(await status());
    await sleep(100);
  }
  assert.deepEqual(all, Array(10).fill(200));

  upstream.handle = () => {};
  const before = upstream.seen.length;
  for (let call = 0; call < 2; call += 1) gateway.get("/slow").catch(() => {});
  await until(() => upstream.seen.length === before + 2, "two more are under way");
  const died = Date.now();
  await gateway.stop();
  upstream.handle = (request, response) => json(response, {});
  await gateway.start();
  assert.equal(await status(), 429);
  while ((await status()) === 429) await sleep(50);
  assert.ok(Date.now() - died < 3500, "lapsed with the time of a request");
  await sleep(3500); // the alarm is due
  assert.equal(await status(), 200);
  assert.doesNotMatch(gateway.log(), /rror/);
});

test("a call costs what its service says, and KV has a quota for a single caller", async () => {
  const upstream = await startUpstream((request, response) => {
    response.writeHead(200, { "x-cost": "5" });
    response.end("{}");
  });
  const own = "postern/limits/month/sub/https%3A%2F%2Fid.test%2F/a%2Fb";
  const kv = await startUpstream((request, response) => {
    const key = decodeURIComponent(new URL(request.url, "http://kv").pathname.slice(1));
    response.writeHead(key === own ? 200 : 404).end(key === own ? '{ "quota": "100/month" }' : undefined);
  });
  const gateway = await startGateway(
    {
      auth: { customer: CUSTOMER },
      services: { s: { url: upstream.url } },
      limits: { month: { quota: "10/month", overrides: true } },
      routes: [
        { path: "/dear", auth: "customer", limit: "month", cost: { header: "x-cost" }, forward: "s" },
        { path: "/cheap", auth: "customer", limit: "month", reply: {} },
      ],
    },
    {
      services: `(name = "kv", external = (address = "${new URL(kv.url).host}", http = ())),`,
      bindings: '(name = "KV", kvNamespace = "kv"),',
    },
  );
  for (const [sub, left] of [["ada", 4], ["a/b", 94]]) {
    const dear = await gateway.get("/dear", bearer({ sub }));
    assert.deepEqual([dear.status, dear.headers.get("x-cost")], [200, null]);
    assert.match(dear.headers.get("ratelimit"), new RegExp(`r=${left + 5};`));
    await sleep(300);
    assert.match((await gateway.get("/cheap", bearer({ sub }))).headers.get("ratelimit"), new RegExp(`r=${left};`));
  }
  assert.ok(kv.seen.length <= 2, "remembered");
});

test("isolates count for themselves, and know of each other by KV", async () => {
  const counts = new Map();
  const kv = await startUpstream((request, response) => {
    const url = new URL(request.url, "http://kv");
    const key = decodeURIComponent(url.pathname.slice(1));
    if (request.method === "PUT") {
      const metadata = JSON.parse(request.headers["cf-kv-metadata"]);
      counts.set(key, { metadata, expiration: Number(url.searchParams.get("expiration")) });
      return response.end();
    }
    const prefix = url.searchParams.get("prefix");
    const keys = [...counts].filter(([name]) => name.startsWith(prefix)).map(([name, count]) => ({ name, ...count }));
    // Two lists: the second by the cursor of the first.
    const isSecond = url.searchParams.get("cursor") === "second";
    const half = Math.ceil(keys.length / 2);
    const rest = isSecond ? { list_complete: true } : { list_complete: false, cursor: "second" };
    json(response, { keys: isSecond ? keys.slice(half) : keys.slice(0, half), ...rest });
  });
  const routes = {
    auth: { customer: CUSTOMER },
    limits: { slow: { quota: "10/month", kv: { refresh: "1s" } } },
    routes: [{ path: "/x", auth: "customer", limit: "slow", reply: hello }],
  };
  const withKv = {
    services: `(name = "kv", external = (address = "${new URL(kv.url).host}", http = ())),`,
    bindings: '(name = "KV", kvNamespace = "kv"),',
  };
  const [one, other] = [await startGateway(routes, withKv), await startGateway(routes, withKv)];
  const left = async (gateway) => {
    const answer = await gateway.get("/x", bearer({ sub: "a/b" }));
    return [answer.status, Number(answer.headers.get("ratelimit").match(/r=(\d+)/)[1])];
  };
  assert.deepEqual([await left(one), await left(one), await left(one)], [[200, 9], [200, 8], [200, 7]]);
  await sleep(1100);
  assert.deepEqual(await left(one), [200, 6]);
  await until(() => counts.size === 1, "what one has admitted is in KV");
  const [[key, { metadata, expiration }]] = counts;
  assert.match(key, /^postern\/counts\/slow\/sub\/https%3A%2F%2Fid\.test%2F\/a%2Fb\/\d{10}\/[0-9a-f]{13}$/);
  assert.deepEqual(metadata, { count: 4 });
  assert.ok(expiration > Date.now() / 1000 + 59);
  assert.deepEqual(await left(other), [200, 5], "the other knows of it before its first call");
  for (let call = 0; call < 5; call += 1) await left(other);
  assert.deepEqual(await left(other), [429, 0]);
  await sleep(1100);
  await left(other);
  await until(() => counts.size === 2, "what the other has admitted is in KV");
  await left(one);
  await sleep(300);
  assert.deepEqual(await left(one), [429, 0], "and one knows of it now");
  assert.doesNotMatch(one.log() + other.log(), /rror|down/);
});
