// What they have not read yet.
import { serve } from "./serve.mjs";

const unread = { ada: 3, alan: 0, grace: 12 };

serve("notif-svc", 30, [["GET", /^\/unread$/, ({ query }) => ({ count: unread[query.get("user")] ?? 0 })]]);
