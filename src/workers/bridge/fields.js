// Header fields cross as lines `name:value`, edits of them as lines `-name` (remove), `+name:value` (set), `&name:value`
// (append) and `?name:value` (where there is none), up to an empty line or the end.

/** The first lines of a text, so many, and where they end. */
export function beginning(text, count) {
  const lines = [];
  let end = 0;
  while (lines.length < count) {
    const start = end;
    end = text.indexOf("\n", start) + 1;
    lines.push(text.slice(start, end - 1));
  }
  return { lines, end };
}

/** Adds header fields to a new message, from lines `name:value`. To the runtime, an object that has them is more work. */
export function addFields(headers, lines) {
  for (let start = 0, end; (end = lines.indexOf("\n", start)) !== -1; start = end + 1) {
    const colon = lines.indexOf(":", start);
    const name = lines.slice(start, colon);
    const value = lines.slice(colon + 1, end);
    // The runtime has put a type there, if the body is a text.
    if (name === "content-type") headers.set(name, value);
    else headers.append(name, value);
  }
}

export function fieldsOf(headers) {
  let text = "";
  // Each step of an iterator makes two objects.
  headers.forEach((value, name) => (text += `${name}:${value}\n`));
  return text;
}

/** Edits header fields, by the lines from a place of `edits` on. Gives the place where these end. */
export function edit(headers, edits, from = 0) {
  let start = from;
  for (let end; (end = edits.indexOf("\n", start)) > start; start = end + 1) {
    const colon = edits.indexOf(":", start);
    if (edits[start] === "-") headers.delete(edits.slice(start + 1, end));
    else if (edits[start] === "?" && headers.has(edits.slice(start + 1, colon))) continue;
    else if (edits[start] !== "&") headers.set(edits.slice(start + 1, colon), edits.slice(colon + 1, end));
    else headers.append(edits.slice(start + 1, colon), edits.slice(colon + 1, end));
  }
  return start;
}

/** The status and the header fields of a reply. */
export function replyFields(reply) {
  return `${reply.status}\n${fieldsOf(reply.headers)}`;
}
