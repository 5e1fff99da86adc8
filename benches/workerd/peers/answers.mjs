// What the peers have in common: the work of each aggregate, by hand, and what a refusal says.
// `get` calls the upstream and gives the JSON of its answer.

/** What everyone may ask for, by path. */
export const forEveryone = {
  "/fan-out-10": (get) => parts(10, (number) => get(`/fan-out-10/${number}`)),

  "/pick": (get) => parts(10, async (number) => picked(await get(`/pick/${number}`))),

  "/large": async (get) => ({ all: await get("/large/0") }),

  "/each": async (get) => {
    const items = await get("/lists/each");
    return { lines: await Promise.all(items.map(async (item) => ({ ...item, product: await get(`/each/${item.id}`) }))) };
  },
};

/** What a client may have already. */
export const notModified = (get) => parts(3, (number) => get(`/not-modified/${number}`));

/** What a caller gets. */
export async function dashboard(get, sub) {
  const of = async (part) => picked(await get(`/dashboard/${encodeURIComponent(sub)}/${part}`));
  const [user, orders, unread] = await Promise.all([of("user"), of("orders"), of("unread")]);
  return { user, orders, unread };
}

async function parts(count, of) {
  const all = await Promise.all(Array.from({ length: count }, (_, number) => of(number)));
  return Object.fromEntries(all.map((value, number) => [`p${number}`, value]));
}

function picked({ id, owner, items }) {
  return { id, owner: { name: owner.name }, items: items.map(({ id, name, price }) => ({ id, name, price })) };
}

const TOO_MANY = {
  type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
  title: "Too many requests",
  detail: "Wait as long as the Retry-After header says.",
  status: 429,
};
const NOT_ACCEPTED = {
  type: "urn:postern:problem:token-not-accepted",
  title: "The token is not accepted here",
  detail: "Get a token that was issued for this API.",
  status: 401,
};

/** The body of a refusal, as Postern writes it. */
export const notAccepted = () => JSON.stringify({ ...NOT_ACCEPTED, request_id: crypto.randomUUID() });
export const tooMany = (limit) => JSON.stringify({ ...TOO_MANY, request_id: crypto.randomUUID(), "violated-policies": [limit] });
export const PROBLEM = { "content-type": "application/problem+json", "cache-control": "no-store" };
