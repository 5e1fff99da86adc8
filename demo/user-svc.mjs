// Who the users are.
import { serve } from "./serve.mjs";

const users = {
  ada: { id: "ada", name: "Ada Lovelace", plan: "pro", city: "London", since: "2021-12-10" },
  alan: { id: "alan", name: "Alan Turing", plan: "free", city: "Manchester", since: "2022-06-23" },
  grace: { id: "grace", name: "Grace Hopper", plan: "pro", city: "Arlington", since: "2020-12-09" },
};

serve("user-svc", 40, [["GET", /^\/users\/([^/]+)$/, ({ captured }) => users[decodeURIComponent(captured[1])]]]);
