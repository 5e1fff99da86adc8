// Services that the runtime reaches by a binding, and what such a service sees of its address.
import assert from "node:assert/strict";
import { test } from "node:test";
import { json, startGateway, startUpstream } from "./harness.mjs";

const orders = await startUpstream((request, response) => json(response, request.headers.host + request.url));
const address = orders.url.replace("http://", "");
const routes = {
  services: {
    orders: { binding: "ORDERS" },
    named: { binding: "ORDERS", url: "https://orders.example.com/base" },
    missing: { binding: "MISSING" },
  },
  routes: [
    { path: "/orders/{id}", auth: "public", forward: "orders" },
    { path: "/named/{id}", auth: "public", forward: "named" },
    { path: "/missing", auth: "public", forward: "missing" },
    { path: "/both", auth: "public", aggregate: { a: { get: "orders:/a" }, b: { get: "named:/b" } } },
    { path: "/part", auth: "public", aggregate: { a: { get: "missing:/a", else: null } } },
  ],
};
const gateway = await startGateway(routes, {
  services: `(name = "orders", external = (address = "${address}", http = ())),`,
  bindings: `(name = "ORDERS", service = "orders"),`,
});

test("a binding takes the call, under the service's name or the host that the file says", async () => {
  assert.equal(await (await gateway.get("/orders/7?a=b")).json(), "orders/orders/7?a=b");
  assert.equal(await (await gateway.get("/named/7")).json(), "orders.example.com/base/named/7");
});

test("the parts of an aggregate go by bindings too", async () => {
  assert.deepEqual(await (await gateway.get("/both")).json(), { a: "orders/a", b: "orders.example.com/base/b" });
});

test("a binding that is not there is the gateway's fault, not the client's", async () => {
  assert.equal((await gateway.get("/missing")).status, 500);
  assert.match(gateway.log(), /there is no such binding/);
  assert.deepEqual(await (await gateway.get("/part")).json(), { a: null });
});

test("the environment that the runtime names has its own addresses", async () => {
  const staging = await startUpstream((request, response) => json(response, "staging"));
  const services = { orders: { url: orders.url } };
  const environments = { staging: { services: { orders: { url: staging.url } } } };
  const file = { services, environments, routes: [{ path: "/x", auth: "public", forward: "orders" }] };
  const gateway = await startGateway(file, { bindings: `(name = "POSTERN_ENVIRONMENT", text = "staging"),` });
  assert.equal(await (await gateway.get("/x")).json(), "staging");
});
