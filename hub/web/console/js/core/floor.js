// The two tables of a browser's floor, as data: one press of TALK, and the raised hand.
//
// A pair that is not in a table changes nothing. Only TALK opens the microphone, and in two
// rows: a grant, while the press that asked for it is still down.

/** Where a press of TALK stands. "spent": it can open nothing any more; lift first. */
export const TALK = frozen({
  up: { press: ["asking", "ask"], bar: ["spent", "none"] },
  asking: {
    lift: ["up", "withdraw"],
    grant: ["live", "open"],
    queue: ["queued", "none"],
    spend: ["spent", "none"],
    refuse: ["spent", "none"],
    stop: ["spent", "withdraw"],
  },
  queued: {
    // The place in the queue outlives the press that earned it.
    lift: ["up", "none"],
    grant: ["live", "open"],
    spend: ["spent", "none"],
    refuse: ["spent", "none"],
    stop: ["spent", "none"],
  },
  live: {
    lift: ["tail", "hang"],
    queue: ["spent", "cut"],
    spend: ["spent", "cut"],
    refuse: ["spent", "cut"],
    stop: ["spent", "cut"],
  },
  tail: {
    press: ["asking", "cut_ask"],
    bar: ["spent", "cut"],
    queue: ["up", "cut"],
    spend: ["up", "cut"],
    refuse: ["up", "cut"],
    stop: ["up", "cut"],
    tail_over: ["up", "close"],
  },
  spent: { lift: ["up", "none"] },
});

/** Where the raised hand stands. */
export const HAND = frozen({
  down: { tap: ["asked", "raise"], queue: ["waiting", "none"], offer: ["offered", "none"] },
  asked: {
    tap: ["down", "lower"],
    queue: ["waiting", "none"],
    offer: ["offered", "none"],
    end: ["down", "none"],
  },
  waiting: { tap: ["down", "lower"], offer: ["offered", "none"], end: ["down", "none"] },
  offered: { tap: ["down", "lower"], queue: ["waiting", "none"], end: ["down", "none"] },
});

/** The state after `cue` and what to do besides. */
export function step(table, state, cue) {
  return table[state]?.[cue] ?? [state, "none"];
}

function frozen(table) {
  for (const row of Object.values(table)) Object.freeze(row);
  return Object.freeze(table);
}
