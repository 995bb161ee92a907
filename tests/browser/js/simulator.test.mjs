// The simulator's page, as far as it only decides: what fingers hold, what a lamp shows when.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Fingers } from "../../../device/simulator/page/js/fingers.js";
import { lit, seen, still } from "../../../device/simulator/page/js/lamp.js";
import { anyOf, chance, seeded } from "./kit.mjs";

test("a key is held while any finger is on it", () => {
  const fingers = new Fingers();
  assert.equal(fingers.press("pointer 1", "talk"), true);
  assert.equal(fingers.press("key Space", "talk"), false);
  assert.equal(fingers.lift("pointer 1"), false);
  assert.deepEqual(fingers.keys(), ["talk"]);
  assert.equal(fingers.has("key Space"), true);
  assert.equal(fingers.lift("key Space"), true);
  assert.deepEqual(fingers.keys(), []);
  assert.equal(fingers.lift("key Space"), false);
});

test("lifting all is news only if something was held", () => {
  const fingers = new Fingers();
  assert.equal(fingers.clear(), false);
  fingers.press("a", "talk");
  fingers.press("b", "hand");
  assert.deepEqual(fingers.keys(), ["hand", "talk"]);
  assert.equal(fingers.clear(), true);
  assert.deepEqual(fingers.keys(), []);
});

test("any moves of any fingers hold what a list of fingers would", () => {
  const random = seeded(7);
  for (let round = 0; round < 200; round += 1) {
    const fingers = new Fingers();
    const naive = new Map();
    for (let step = 0; step < 40; step += 1) {
      const finger = anyOf(random, ["a", "b", "c"]);
      const before = JSON.stringify(fingers.keys());
      let isNew;
      if (chance(random, 0.6)) {
        const key = anyOf(random, ["talk", "hand", "status"]);
        naive.set(finger, key);
        isNew = fingers.press(finger, key);
      } else {
        naive.delete(finger);
        isNew = fingers.lift(finger);
      }
      assert.deepEqual(fingers.keys(), [...new Set(naive.values())].sort());
      assert.equal(isNew, JSON.stringify(fingers.keys()) !== before);
    }
  }
});

const REFUSED = {
  lead: [["amber", 275, 1], ["off", 275, 0]],
  steps: [["white", 2700, 0.3], ["off", 300, 0]],
};

test("a lamp plays its lead once and then its steps again and again", () => {
  const at = (ms) => lit(REFUSED, ms);
  assert.deepEqual(at(0), { color: "amber", level: 1, left: 275 });
  assert.deepEqual(at(275), { color: "off", level: 0, left: 275 });
  assert.deepEqual(at(550), { color: "white", level: 0.3, left: 2700 });
  assert.deepEqual(at(3250), { color: "off", level: 0, left: 300 });
  assert.deepEqual(at(3550), { color: "white", level: 0.3, left: 2700 });
  assert.deepEqual(at(550 + 1000 * 3000 + 2699), { color: "white", level: 0.3, left: 1 });
});

test("a lamp of one step needs no timer", () => {
  const red = { lead: [], steps: [["red", 1000, 1]] };
  assert.deepEqual(lit(red, 123456), { color: "red", level: 1, left: Infinity });
});

test("adding up what is shown gives the steps again, whenever one looks", () => {
  const random = seeded(3);
  for (let round = 0; round < 200; round += 1) {
    const steps = Array.from({ length: 2 + Math.floor(random() * 5) }, (_, n) => [
      `c${n}`,
      50 + Math.floor(random() * 900),
      1,
    ]);
    const whole = steps.reduce((sum, [, ms]) => sum + ms, 0);
    let at = Math.floor(random() * 5) * whole;
    for (const [color, ms] of [...steps, ...steps]) {
      const now = lit({ lead: [], steps }, at);
      assert.equal(now.color, color);
      assert.ok(Math.abs(now.left - ms) < 1e-6);
      at += now.left;
    }
  }
});

test("without motion a lamp shows its brightest step", () => {
  assert.deepEqual(still(REFUSED), { color: "white", level: 0.3, left: Infinity });
  const warning = { lead: [], steps: [["red", 500, 0.3], ["red", 500, 1]] };
  assert.equal(still(warning).level, 1);
});

test("an eye sees little light well", () => {
  assert.equal(seen(0), 0);
  assert.equal(seen(1), 1);
  assert.ok(seen(0.04) > 0.3);
});
