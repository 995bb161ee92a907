// The last captions of a space: a later one of the same member and number replaces the earlier.

/** Enough to read back over a short look away. */
export const KEPT = 12;

/** The list after one more caption; `at` is when it came. */
export function captioned(list, { member, n, text, final }, at) {
  const index = list.findIndex((line) => line.member === member && line.n === n);
  // Taken back: it was no speech after all, or its speaker wants it written no more.
  if (final && text === "") return list.filter((_, place) => place !== index);
  const line = { member, n, text, final, at: index < 0 ? at : list[index].at };
  if (index < 0) return [...list, line].slice(-KEPT);
  return list.map((each, place) => (place === index ? line : each));
}
