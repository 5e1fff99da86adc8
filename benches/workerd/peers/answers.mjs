// What the peers do for each case, by hand. `get` calls the upstream and gives the JSON of its answer.

/** The answers, by path. */
export const answers = {
  "/small": async (get) => {
    const [user, orders, unread] = await Promise.all([get("/small/0"), get("/small/1"), get("/small/2")]);
    return { user, orders, unread };
  },

  "/pick": async (get) => {
    const parts = Array.from({ length: 10 }, async (_, number) => [`p${number}`, picked(await get(`/pick/${number}`))]);
    return Object.fromEntries(await Promise.all(parts));
  },

  "/large": async (get) => ({ all: await get("/large/0") }),

  "/each": async (get) => {
    const items = await get("/each");
    return { lines: await Promise.all(items.map(async (item) => ({ ...item, product: await get(`/each/${item.id}`) }))) };
  },
};

function picked({ id, owner, items }) {
  return { id, owner: { name: owner.name }, items: items.map(({ id, name, price }) => ({ id, name, price })) };
}
