// What a lamp shows at a moment of its pattern. Pure. A step is [colour, milliseconds, level].

const lasts = (steps) => steps.reduce((sum, [, ms]) => sum + ms, 0);

/** Return { color, level, left }: what is lit `at` ms after the beginning, and for how long yet. */
export function lit({ lead, steps }, at) {
  const first = lasts(lead);
  if (at < first) return within(lead, at);
  if (steps.length === 1) return { color: steps[0][0], level: steps[0][2], left: Infinity };
  return within(steps, (at - first) % lasts(steps));
}

function within(steps, at) {
  let left = at;
  for (const [color, ms, level] of steps) {
    if (left < ms) return { color, level, left: ms - left };
    left -= ms;
  }
  const [color, ms, level] = steps[steps.length - 1];
  return { color, level, left: ms };
}

/** Return the pattern's brightest step, for those who want no motion. */
export function still({ steps }) {
  const [color, , level] = steps.reduce((best, each) => (each[2] > best[2] ? each : best));
  return { color, level, left: Infinity };
}

/** Return how opaque a light of this level is drawn: an eye sees about its cube root. */
export const seen = (level) => Math.round(1000 * Math.cbrt(level)) / 1000;
