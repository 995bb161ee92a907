// The floor participant: what opens the microphone, what closes it, and what never opens it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HAND, TALK } from "../../../hub/web/console/js/core/floor.js";
import { Participant } from "../../../hub/web/console/js/core/participant.js";
import { HANG_S, LEASE_S, MAX_SENDS, MAX_TALK_S } from "../../../hub/web/console/js/core/timers.js";
import { anyOf, chance, member, seeded, snapshot } from "./kit.mjs";

const ME = "0".repeat(32);

/** A participant with a clock, a finger and a memory of what was done. */
class Browser {
  constructor({ joined = true, microphone = true, place = "speaker", mode = "open" } = {}) {
    this.p = new Participant("t");
    this.now = 10;
    this.effects = [];
    this.isOpen = false;
    if (!joined) return;
    this.do({ on: "link_up" });
    this.hub({
      ...snapshot({ you: ME, members: [member(ME, { place })], floor: { mode, open_limit: 2 } }),
    });
    this.do({ on: "sound", ok: true });
    if (microphone) this.do({ on: "microphone", is: "ready" });
  }

  do(event) {
    this.effects = this.p.handle(event, this.now);
    this.#note();
    return this.effects;
  }

  hub(message) {
    return this.do({ on: "message", message });
  }

  wait(seconds) {
    const until = this.now + seconds;
    const all = [];
    for (let at = this.p.deadline; at !== null && at <= until; at = this.p.deadline) {
      this.now = Math.max(this.now, at);
      this.effects = this.p.tick(this.now);
      all.push(...this.effects);
      this.#note();
    }
    this.now = until;
    return all;
  }

  #note() {
    for (const effect of this.effects) {
      if (effect.do === "open") this.isOpen = true;
      if (effect.do === "cut") this.isOpen = false;
    }
  }

  sent(t, effects = this.effects) {
    return effects.filter(({ message }) => message?.t === t).map(({ message }) => message);
  }

  said(effects = this.effects) {
    return effects.filter((effect) => effect.do === "say").map(({ cause }) => cause);
  }

  press() {
    this.do({ on: "down" });
    return this.sent("floor.request")[0]?.req;
  }

  talk(duration = null) {
    const req = this.press();
    this.hub({ t: "floor.granted", req, duration_s: duration });
    return req;
  }

  get state() {
    return this.p.state;
  }
}

const cut = (effects) => effects.filter(({ do: what }) => what === "cut").length;

test("hold, talk, let go: the tail is heard, then the floor is given back", () => {
  const one = new Browser();
  assert.equal(one.state, "free");
  const req = one.press();
  assert.equal(one.state, "asking");
  one.hub({ t: "floor.granted", req, duration_s: 30 });
  assert.deepEqual(one.effects, [{ do: "open" }]);
  assert.equal(one.state, "live");
  assert.equal(one.p.heartbeat, 0.5);
  one.do({ on: "up" });
  assert.ok(one.isOpen, "the last syllable");
  const after = one.wait(HANG_S);
  assert.deepEqual(
    after.map((effect) => effect.do),
    ["cut", "send"],
  );
  assert.equal(one.sent("floor.release", after)[0].req, req);
  assert.equal(one.state, "free");
  assert.equal(one.p.heartbeat, 1);
});

test("a grant opens nothing when the finger is up, is another's, or comes too late", () => {
  const one = new Browser();
  const req = one.press();
  one.do({ on: "up" });
  assert.equal(one.sent("floor.release")[0].req, req);
  one.hub({ t: "floor.granted", req });
  assert.ok(!one.isOpen);
  assert.equal(one.sent("floor.release")[0].req, req);
  one.press();
  one.hub({ t: "floor.granted", req: "other" });
  assert.ok(!one.isOpen);
  const late = new Browser();
  const old = late.press();
  late.now += LEASE_S;
  late.hub({ t: "floor.granted", req: old });
  assert.ok(!late.isOpen);
  assert.deepEqual(late.said(), ["no_answer"]);
});

test("the lease ends the burst whatever finger is down, and pongs renew it", () => {
  const one = new Browser();
  const req = one.talk();
  for (let n = 1; n <= 10; n += 1) {
    one.do({ on: "ping" });
    assert.deepEqual(one.sent("ping")[0].n, n);
    one.hub({ t: "pong", n, grant: req, clock: 50 });
    one.wait(0.5);
  }
  assert.ok(one.isOpen);
  one.do({ on: "ping" });
  one.hub({ t: "pong", n: 11 });
  const after = one.wait(LEASE_S);
  assert.ok(!one.isOpen);
  assert.deepEqual(one.said(after), ["lost"]);
  one.hub({ t: "pong", n: 99, grant: req });
  assert.deepEqual(one.effects, [], "a pong to no ping of ours");
});

test("time is up: a warning, the hub's grace, and then the page by itself", () => {
  const one = new Browser();
  const req = one.talk(30);
  const beat = () => {
    one.do({ on: "ping" });
    const [{ n }] = one.sent("ping");
    one.hub({ t: "pong", n, grant: req });
  };
  const told = [];
  for (let n = 0; n < 80; n += 1) {
    beat();
    told.push(...one.said(one.wait(0.5)));
    if (n === 40) assert.ok(one.p.shown.isWarned);
  }
  assert.deepEqual(told, ["warning", "too_long"]);
  assert.ok(!one.isOpen);
  assert.ok(one.p.shown.isRefused);
});

test("revoked with grace ends after it; without, at once; and waits before it asks again", () => {
  const one = new Browser();
  const req = one.talk(30);
  one.hub({ t: "floor.revoked", req, cause: "too_long", grace_s: 1, retry_after_s: 4 });
  assert.ok(one.isOpen);
  one.hub({ t: "floor.granted", req, duration_s: 500 });
  const after = one.wait(1);
  assert.ok(!one.isOpen);
  assert.equal(one.sent("floor.release", after)[0].req, req);
  one.do({ on: "up" });
  assert.equal(one.state, "cooldown");
  one.press();
  assert.deepEqual(one.said(), ["retry_after"]);
  one.do({ on: "up" });
  one.wait(4);
  assert.equal(one.state, "free");
  const next = one.talk();
  one.hub({ t: "floor.revoked", req: next, cause: "host_hold" });
  assert.ok(!one.isOpen);
  assert.equal(one.state, "held");
  one.hub({ t: "floor.revoked", req: "unknown", cause: "lost" });
  assert.equal(one.sent("floor.release")[0].req, "unknown");
});

test("a longer turn is a longer turn; told again, a grant changes nothing else", () => {
  const one = new Browser();
  const req = one.talk(30);
  one.hub({ t: "floor.granted", req, duration_s: 90 });
  assert.equal(one.p.shown.turn.until, one.p.shown.turn.since + 90);
  one.do({ on: "up" });
  one.hub({ t: "floor.granted", req, duration_s: 30 });
  assert.equal(one.p.shown.turn.until, one.p.shown.turn.since + 90);
});

test("an unanswered request is repeated, never for ever", () => {
  const one = new Browser();
  const req = one.press();
  const after = one.wait(10);
  assert.equal(one.sent("floor.request", after).length, MAX_SENDS - 1);
  assert.deepEqual(one.sent("floor.release", after), [{ t: "floor.release", req }]);
  assert.deepEqual(one.said(after), ["no_answer"]);
  const hand = new Browser({ mode: "fifo" });
  hand.do({ on: "hand" });
  const more = hand.wait(10);
  assert.equal(hand.sent("floor.request", more).length, MAX_SENDS - 1);
  assert.deepEqual(hand.said(more), ["no_answer"]);
  assert.equal(hand.p.shown.hand.isUp, false);
});

test("hand up, a place, next, the offer, a fresh press, on air", () => {
  const one = new Browser({ mode: "moderated" });
  one.do({ on: "hand" });
  const [{ req, via }] = one.sent("floor.request");
  assert.equal(via, "hand");
  one.hub({ t: "floor.queued", req, position: 2 });
  assert.deepEqual([one.state, ...one.said()], ["queued", "queued"]);
  one.hub({ t: "floor.queued", req, position: 1 });
  assert.deepEqual([one.state, ...one.said()], ["next", "next"]);
  one.hub({ t: "floor.queued", req, position: 1 });
  assert.deepEqual(one.said(), []);
  one.hub({ t: "floor.offered", req, expires_in_s: 20 });
  assert.deepEqual([one.state, ...one.said()], ["offered", "offered"]);
  assert.equal(one.p.shown.hand.offerUntil, one.now + 20);
  one.hub({ t: "floor.offered", req, expires_in_s: 19 });
  assert.deepEqual(one.said(), []);
  assert.ok(!one.isOpen, "an offer opens nothing");
  one.talk(60);
  assert.ok(one.isOpen);
  assert.equal(one.p.shown.hand.isUp, false);
  one.do({ on: "hand" });
  assert.deepEqual(one.effects, [], "no hand while talking");
});

test("a press that earned a place is spent by the offer that comes to it", () => {
  const one = new Browser({ mode: "moderated" });
  const req = one.press();
  one.hub({ t: "floor.queued", req, position: 1 });
  assert.equal(one.state, "next");
  one.hub({ t: "floor.offered", req, expires_in_s: 20 });
  one.hub({ t: "floor.granted", req });
  assert.ok(!one.isOpen, "held since before the offer: lift first");
  one.do({ on: "up" });
  one.talk();
  assert.ok(one.isOpen);
});

test("lowering the hand withdraws every name it has, and late words raise nothing", () => {
  const one = new Browser({ mode: "fifo" });
  one.do({ on: "hand" });
  const [{ req }] = one.sent("floor.request");
  one.hub({ t: "floor.queued", req, position: 3 });
  one.hub({ t: "floor.queued", req: "hub-name", position: 2 });
  one.do({ on: "hand" });
  assert.deepEqual(
    one.sent("floor.release").map((message) => message.req),
    [req, "hub-name"],
  );
  assert.deepEqual(one.said(), ["by_self"]);
  one.hub({ t: "floor.queued", req, position: 1 });
  one.hub({ t: "floor.offered", req, expires_in_s: 5 });
  assert.equal(one.p.shown.hand.isUp, false);
});

test("a hand ends by the host's word and by time; an older name ends nothing", () => {
  const one = new Browser({ mode: "fifo" });
  one.hub({ t: "floor.queued", req: "a", position: 1 });
  one.hub({ t: "floor.queued", req: "b", position: 1 });
  one.hub({ t: "floor.released", req: "a" });
  assert.ok(one.p.shown.hand.isUp);
  one.hub({ t: "floor.cancelled", req: "b", cause: "offer_expired" });
  assert.deepEqual([one.p.shown.hand.isUp, ...one.said()], [false, "offer_expired"]);
  one.hub({ t: "floor.cancelled", req: "z", cause: "left" });
  assert.deepEqual(one.effects, []);
});

test("refusals: said, and the finger has to come up first", () => {
  const one = new Browser();
  let req = one.press();
  one.hub({ t: "floor.denied", req, cause: "floor_taken", holder: "Anna" });
  assert.deepEqual([one.effects[0].holder, one.p.shown.isRefused], ["Anna", true]);
  one.hub({ t: "floor.granted", req });
  assert.ok(!one.isOpen);
  one.do({ on: "up" });
  req = one.press();
  one.hub({ t: "floor.denied", req, cause: "held" });
  assert.equal(one.state, "held");
  one.do({ on: "up" });
  req = one.press();
  one.hub({ t: "error", code: "not_in_space", detail: "Join first.", req, retry_after_s: 0 });
  assert.deepEqual(one.said(), ["not_in_space"]);
  one.hub({ t: "error", code: "malformed", detail: "?" });
  assert.deepEqual(one.effects, []);
});

test("the microphone is asked for by the first press, and serves it if it is still held", () => {
  const one = new Browser({ microphone: false });
  one.do({ on: "down" });
  assert.deepEqual(one.effects, [{ do: "microphone" }]);
  one.do({ on: "microphone", is: "asking" });
  one.do({ on: "microphone", is: "ready" });
  assert.equal(one.sent("floor.request").length, 1);
  const other = new Browser({ microphone: false });
  other.do({ on: "down" });
  other.do({ on: "microphone", is: "asking" });
  other.do({ on: "up" });
  other.do({ on: "down" });
  assert.deepEqual(other.said(), ["microphone_asking"]);
  other.do({ on: "up" });
  other.do({ on: "microphone", is: "ready" });
  assert.deepEqual(other.effects, [], "the finger is up");
  const slow = new Browser({ microphone: false });
  slow.do({ on: "microphone", is: "asking" }); // a hand was raised before
  slow.do({ on: "down" });
  assert.deepEqual(slow.said(), ["microphone_asking"]);
  slow.do({ on: "microphone", is: "ready" });
  assert.equal(slow.sent("floor.request").length, 1, "the finger is still down");
  const hand = new Browser({ microphone: false, mode: "fifo" });
  hand.do({ on: "hand" });
  assert.deepEqual(
    hand.effects.map((effect) => effect.do),
    ["microphone", "send"],
  );
});

for (const [name, event, told] of [
  ["the line breaks", { on: "link_down" }, ["link_lost"]],
  ["the page itself hangs up", { on: "link_down", wanted: true }, []],
  ["the sound breaks", { on: "sound", ok: false }, ["no_sound"]],
  ["the microphone goes", { on: "microphone", is: "none" }, []],
  ["the page is put away", { on: "hidden" }, ["hidden"]],
  ["the space is left", { on: "left" }, []],
]) {
  test(`${name} while talking: closed first, and spent`, () => {
    const one = new Browser();
    const req = one.talk();
    one.do(event);
    assert.equal(one.effects[0].do, "cut");
    assert.equal(cut(one.effects), 1);
    assert.deepEqual(one.said(), told);
    assert.ok(!one.isOpen);
    one.hub({ t: "floor.granted", req });
    assert.ok(!one.isOpen);
    assert.equal(one.do(event).filter((effect) => effect.do === "open").length, 0);
  });
}

test("a press that leads nowhere says why", () => {
  const one = new Browser({ joined: false });
  const tell = () => {
    one.do({ on: "down" });
    const told = one.said();
    one.do({ on: "up" });
    return told[0];
  };
  assert.equal(one.state, "offline");
  assert.equal(tell(), "link_lost");
  one.do({ on: "hand" });
  assert.deepEqual(one.said(), ["link_lost"]);
  one.do({ on: "link_up", heartbeat_ms: 400, lease_ms: 9_000 });
  assert.equal(one.state, "no_space");
  assert.equal(one.p.heartbeat, 0.4);
  assert.equal(tell(), "no_space");
  one.do({ on: "hand" });
  assert.deepEqual(one.said(), ["no_space"]);
  one.hub(snapshot({ you: ME, members: [member(ME)] }));
  one.do({ on: "microphone", is: "ready" });
  assert.equal(tell(), "no_sound");
});

test("back on the line, it says so once; the hand that the hub kept comes back", () => {
  const one = new Browser({ mode: "fifo" });
  one.do({ on: "hand" });
  const [{ req }] = one.sent("floor.request");
  one.hub({ t: "floor.queued", req, position: 1 });
  one.do({ on: "link_down" });
  assert.deepEqual(
    one.do({ on: "link_down" }).filter((effect) => effect.do === "say"),
    [],
  );
  assert.deepEqual(one.do({ on: "ping" }), []);
  one.do({ on: "link_up" });
  assert.deepEqual(one.said(), ["link_back"]);
  one.hub(snapshot({ you: ME, members: [member(ME, { place: "speaker" })] }));
  one.hub({ t: "floor.queued", req, position: 1 });
  assert.equal(one.state, "next");
});

test("a gap asks for a snapshot, once a second", () => {
  const one = new Browser();
  const gap = { t: "space.changed", rev: 9, space: { id: "kitchen", name: "K" } };
  one.hub(gap);
  assert.equal(one.sent("snapshot.get").length, 1);
  one.hub(gap);
  assert.deepEqual(one.effects, []);
  one.now += 1;
  one.hub(gap);
  assert.equal(one.sent("snapshot.get").length, 1);
  one.hub({ t: "space.changed", rev: 2, space: { id: "kitchen", name: "K" } });
  assert.equal(one.p.view.space.name, "K");
  one.hub({ t: "member.left", rev: 3, id: ME });
  assert.deepEqual([one.p.view, one.effects.at(-1)], [null, { do: "out" }]);
  one.hub({ t: "member.left", rev: 4, id: ME });
  assert.deepEqual(one.effects, []);
});

test("another space closes what was open in the first", () => {
  const one = new Browser();
  one.talk();
  one.hub(snapshot({ you: ME, space: { id: "hall", name: "Hall" }, members: [member(ME)] }));
  assert.ok(!one.isOpen);
  one.hub({ t: "of.tomorrow" });
  assert.deepEqual(one.effects, []);
});

test("a thing on the key: it is told, and asks for nothing", () => {
  const one = new Browser();
  one.press();
  one.wait(10);
  const after = one.wait(MAX_TALK_S * 2);
  assert.deepEqual(one.said(after), ["stuck"]);
  assert.ok(one.p.shown.isRefused);
});

test("pressing again in the tail asks anew", () => {
  const one = new Browser();
  const first = one.talk();
  one.do({ on: "up" });
  const second = one.press();
  assert.notEqual(first, second);
  assert.deepEqual(
    one.effects.map((effect) => effect.do),
    ["cut", "send", "send"],
  );
  one.hub({ t: "floor.released", req: first });
  one.hub({ t: "floor.granted", req: second });
  assert.ok(one.isOpen);
  one.hub({ t: "floor.released", req: second });
  assert.ok(!one.isOpen);
});

test("every row of the tables leads to a state of the table", () => {
  for (const table of [TALK, HAND]) {
    for (const row of Object.values(table)) {
      for (const [next] of Object.values(row)) assert.ok(next in table, next);
    }
  }
});

// --- over random histories --------------------------------------------------------------

const CAUSES = ["too_long", "host_hold", "lost", "removed", "consent_needed", "frozen"];

function randomEvent(random, one, reqs) {
  const req = anyOf(random, [...reqs.slice(-3), ...reqs.slice(-1), "strange"]);
  const messages = [
    { t: "floor.granted", req, duration_s: anyOf(random, [null, 1, 30, 400]) },
    { t: "floor.granted", req },
    { t: "floor.denied", req, cause: "floor_taken", retry_after_s: anyOf(random, [0, 2]) },
    { t: "floor.queued", req, position: 1 + Math.floor(random() * 3) },
    { t: "floor.offered", req, expires_in_s: 20 },
    { t: "floor.revoked", req, cause: anyOf(random, CAUSES), grace_s: anyOf(random, [0, 3]) },
    { t: "floor.cancelled", req, cause: "by_host" },
    { t: "floor.released", req },
    { t: "pong", n: 1 + Math.floor(random() * 20), grant: req, clock: one.now },
    { t: "error", code: "internal", detail: "", req },
    snapshot({ you: ME, rev: 1, members: [member(ME, { place: "speaker" })] }),
    { t: "floor.changed", rev: 2, floor: { mode: "fifo", open_limit: 1 } },
  ];
  const fingers = [{ on: "down" }, { on: "up" }, { on: "hand" }, { on: "ping" }];
  const rare = [
    { on: "hidden" },
    { on: "link_down" },
    { on: "left" },
    { on: "sound", ok: false },
    { on: "microphone", is: anyOf(random, ["none", "asking"]) },
  ];
  const back = [{ on: "link_up" }, { on: "sound", ok: true }, { on: "microphone", is: "ready" }];
  const ready = one.p.view && one.p.shown.microphone === "ready";
  const own = chance(random, 0.1) ? rare : ready ? fingers : [...fingers, ...back];
  return chance(random, 0.6)
    ? { on: "message", message: anyOf(random, messages) }
    : anyOf(random, own);
}

test("no history of messages opens a microphone: only a grant of this very press, held", () => {
  let opened = 0;
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = seeded(seed);
    const one = new Browser({ mode: anyOf(random, ["open", "fifo", "moderated", "walkie"]) });
    let isDown = false;
    let pressed = null;
    let sentAt = 0;
    const reqs = [];
    for (let n = 0; n < 120; n += 1) {
      for (const effect of one.wait(random() < 0.3 ? random() * 2 : 0)) {
        assert.notEqual(effect.do, "open", `time opened it (seed ${seed})`);
      }
      const event = randomEvent(random, one, reqs);
      if (event.on === "down") isDown = true;
      if (event.on === "up") isDown = false;
      const effects = one.do(event);
      for (const { message } of effects) {
        if (message?.req) reqs.push(message.req);
        if (message?.t === "floor.request" && message.via === "talk")
          [pressed, sentAt] = [message.req, one.now];
      }
      if (effects.some((effect) => effect.do === "open")) {
        opened += 1;
        assert.equal(event.message?.t, "floor.granted", `seed ${seed}`);
        assert.equal(event.message.req, pressed, "the request of the last press");
        assert.ok(isDown && one.now < sentAt + LEASE_S, "held, and in its lease");
      }
      if (one.isOpen) assert.equal(one.state, "live");
      if (["link_down", "hidden", "left"].includes(event.on)) assert.ok(!one.isOpen, event.on);
    }
    one.do({ on: "up" });
    one.wait(LEASE_S + HANG_S);
    assert.ok(!one.isOpen, "a finger that is up and a lease that ran out leave nothing open");
  }
  assert.ok(opened > 50, `the test opened ${opened} times`);
});
