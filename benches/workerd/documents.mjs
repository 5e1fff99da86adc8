// Documents as services have them: texts, numbers, and objects within.

/** So many documents of about so many bytes, by their paths. */
export function documents(path, count, bytes) {
  return Object.fromEntries(Array.from({ length: count }, (_, number) => [`${path}/${number}`, document(number, bytes)]));
}

/** One of about so many bytes. */
export function document(id, bytes) {
  const owner = { name: "Ada Lovelace", mail: "ada@example.com", verified: true };
  const value = { id, created: "2026-01-01T09:30:00Z", owner, items: [] };
  const items = Math.max(1, Math.round((bytes - JSON.stringify(value).length) / (JSON.stringify(item(1000)).length + 1)));
  value.items = Array.from({ length: items }, (_, number) => item(number));
  return value;
}

function item(id) {
  return {
    id,
    name: `Thing number ${id}, "large"`,
    price: (id % 90) + 1.25,
    in_stock: id % 3 === 0,
    tags: ["new", "sale"],
    maker: { name: "Müller & Söhne", place: { lat: 48.137, lon: 11.575 } },
    note: null,
  };
}
