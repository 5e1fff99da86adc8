// The plot of the results: bars of ratios, on a scale on which twice and half are equally far from 1.

const ROW = 34;
const BAR = 11;
const LABELS = 150;
const PANEL = 270;
const GAP = 30;
const HEAD = 62;
const COLOURS = ["#2563a8", "#c2631b"];
const TICKS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20];

/**
 * An SVG of figures, one below the other. Each has a `title`, the `rows` by name, and `panels` with a `title` and the
 * `ratios` of a row: one for each of the `series`, as `ratio` in statistics.mjs gives it, or null.
 */
export function plot(figures, series) {
  let top = 0;
  const drawn = figures.map((figure) => {
    const height = HEAD + figure.rows.length * ROW + 40;
    const text = `<g transform="translate(0 ${top})">${drawFigure(figure)}</g>`;
    top += height;
    return text;
  });
  const width = LABELS + Math.max(...figures.map(({ panels }) => panels.length)) * (PANEL + GAP) + 10;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top + 34}" font-family="system-ui, sans-serif" font-size="12" fill="#222">
<rect width="100%" height="100%" fill="#fff"/>
${drawn.join("\n")}
${legend(series, top)}
</svg>
`;
}

function drawFigure({ title, rows, panels }) {
  const labels = rows.map((row, number) => text(LABELS - 10, HEAD + number * ROW + ROW / 2 + 4, row, 'text-anchor="end"'));
  const drawn = panels.map((panel, number) => drawPanel(panel, rows, LABELS + number * (PANEL + GAP)));
  return [text(10, 22, title, 'font-size="15" font-weight="600"'), ...labels, ...drawn].join("\n");
}

function drawPanel({ title, ratios }, rows, left) {
  const all = rows.flatMap((row) => ratios(row)).filter((each) => each !== null);
  const bottom = HEAD + rows.length * ROW;
  const x = scale(all, left);
  const ticks = x.ticks.map((value) => {
    const colour = value === 1 ? "#222" : "#ddd";
    return `<line x1="${x(value)}" x2="${x(value)}" y1="${HEAD}" y2="${bottom}" stroke="${colour}"/>${text(x(value), bottom + 15, `×${value}`, 'text-anchor="middle" font-size="11"')}`;
  });
  const bars = rows.flatMap((row, number) => ratios(row).map((each, of) => (each === null ? "" : bar(each, x, HEAD + number * ROW + 4 + of * (BAR + 3), of))));
  return [text(left, HEAD - 12, title, 'font-weight="600"'), ...ticks, ...bars].join("\n");
}

/** Where a ratio is; as wide as what is there. */
function scale(all, left) {
  const low = Math.min(0.5, ...all.map(({ low, median }) => Math.min(low, median)));
  const high = Math.max(2, ...all.map(({ high, median }) => Math.max(high, median)));
  const room = 34;
  const from = Math.log(low);
  const steps = (PANEL - room) / (Math.log(high) - from);
  const x = (value) => round(left + (Math.log(value) - from) * steps);
  x.ticks = TICKS.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
  return x;
}

/** A bar from 1 to the median, a line over the quartiles, and the number. */
function bar({ median, low, high }, x, top, series) {
  const [from, to] = [Math.min(x(1), x(median)), Math.max(x(1), x(median))];
  const middle = top + BAR / 2;
  const end = Math.max(to, x(high));
  return [
    `<rect x="${from}" y="${top}" width="${round(Math.max(1, to - from))}" height="${BAR}" fill="${COLOURS[series]}" fill-opacity="0.8"/>`,
    `<path d="M${x(low)} ${middle}H${x(high)}M${x(low)} ${middle - 3}v6M${x(high)} ${middle - 3}v6" stroke="#111" fill="none"/>`,
    text(end + 4, top + BAR - 1.5, median.toFixed(2), 'font-size="10"'),
  ].join("");
}

function legend(series, top) {
  const keys = series.map(
    (name, number) => `<rect x="${LABELS + number * 200}" y="${top + 6}" width="12" height="12" fill="${COLOURS[number]}" fill-opacity="0.8"/>${text(LABELS + 18 + number * 200, top + 16, name)}`,
  );
  return [...keys, text(LABELS + series.length * 200, top + 16, "the line over a bar: the quartiles of the rounds")].join("\n");
}

const round = (number) => Math.round(number * 10) / 10;
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const text = (x, y, what, rest = "") => `<text x="${round(x)}" y="${round(y)}" ${rest}>${escaped(what)}</text>`;
