// What several tests use: chance from a seed, members, snapshots, the protocol's examples.
import { readFileSync } from "node:fs";

/** Numbers from 0 to 1, the same ones for the same seed (a linear congruence). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function anyOf(random, list) {
  return list[Math.floor(random() * list.length)];
}

export function chance(random, share = 0.5) {
  return random() < share;
}

export function member(id, given = {}) {
  return { id, name: `M${id[0]}`, kind: "browser", place: "listener", role: "guest", ...given };
}

export function snapshot(given = {}) {
  return {
    t: "snapshot",
    req: null,
    rev: 1,
    you: "0".repeat(32),
    clock: 100,
    space: { id: "kitchen", name: "Kitchen" },
    members: [],
    pins: [],
    floor: { mode: "moderated", open_limit: 1 },
    ...given,
  };
}

/** A message of the specification. */
export function example(name) {
  const path = new URL(`../../../stagebox/wire/examples/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8"));
}
