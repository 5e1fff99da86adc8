// What is made of the numbers of several rounds.

export const median = (numbers) => at(numbers, 0.5);

/** The median of each round's ratio of one to another, and the quartiles around it. */
export function ratio(of, rounds, others) {
  const ratios = rounds.map((round, number) => of(round) / of(others[number]));
  return { median: at(ratios, 0.5), low: at(ratios, 0.25), high: at(ratios, 0.75) };
}

/** Where so many of the numbers are below; between two of them by what is between. */
function at(numbers, share) {
  const sorted = [...numbers].sort((one, other) => one - other);
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}
