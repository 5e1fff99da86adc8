// What they ordered.
import { serve } from "./serve.mjs";

const orders = [
  { id: 1001, user: "ada", item: "Difference engine, part 7", total: "149.00", status: "shipped" },
  { id: 1002, user: "alan", item: "Squared paper, 500 sheets", total: "12.50", status: "delivered" },
  { id: 1003, user: "ada", item: "Punched cards, box of 2000", total: "38.20", status: "packed" },
  { id: 1004, user: "grace", item: "Nanosecond of wire", total: "0.30", status: "delivered" },
];

serve("order-svc", 70, [
  ["GET", /^\/orders$/, ({ query }) => orders.filter((order) => !query.has("user") || order.user === query.get("user"))],
  ["GET", /^\/orders\/(\d+)$/, ({ captured }) => orders.find((order) => order.id === Number(captured[1]))],
  ["POST", /^\/orders$/, ({ body }) => ({ id: 1000 + orders.length + 1, received: body.length, status: "new" })],
]);
