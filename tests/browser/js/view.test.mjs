// A view built from events equals the snapshot of one who comes late.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "../../../hub/web/console/js/core/view.js";
import { anyOf, chance, example, member, seeded, snapshot } from "./kit.mjs";

const ids = Array.from({ length: 6 }, (_none, n) => String(n).repeat(32));

/** A hub's state and one random event that changes it. */
function change(state, random) {
  const rev = state.rev + 1;
  const present = state.members.map((one) => one.id);
  const who = anyOf(random, ids);
  const kinds = ["joined", "left", "floor", "space", "pin", "unpin"];
  switch (anyOf(random, kinds)) {
    case "joined": {
      const one = member(who, {
        muted: chance(random),
        place: anyOf(random, ["listener", "host"]),
      });
      const others = state.members.filter(({ id }) => id !== who);
      const t = present.includes(who) ? "member.changed" : "member.joined";
      const at = state.members.findIndex(({ id }) => id === who);
      const members =
        at < 0 ? [...others, one] : state.members.map((each) => (each.id === who ? one : each));
      return [
        { t, rev, member: one },
        { ...state, rev, members },
      ];
    }
    case "left":
      return [
        { t: "member.left", rev, id: who },
        { ...state, rev, members: state.members.filter(({ id }) => id !== who) },
      ];
    case "floor": {
      const floor = { mode: "fifo", open_limit: 2, queue: present.slice(0, 2) };
      return [
        { t: "floor.changed", rev, floor },
        { ...state, rev, floor },
      ];
    }
    case "space": {
      const space = { ...state.space, topic: String(rev) };
      return [
        { t: "space.changed", rev, space },
        { ...state, rev, space },
      ];
    }
    case "pin": {
      const pin = { id: rev, text: "note", by: "Anna", at: "2026-11-21T19:00:00Z" };
      return [
        { t: "pin.added", rev, pin },
        { ...state, rev, pins: [...state.pins, pin] },
      ];
    }
    default: {
      const id = state.pins[0]?.id ?? 0;
      return [
        { t: "pin.removed", rev, id },
        { ...state, rev, pins: state.pins.filter((pin) => pin.id !== id) },
      ];
    }
  }
}

test("a late joiner's snapshot equals an early joiner's view, over random histories", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = seeded(seed);
    let state = snapshot({ you: ids[0] });
    let view = v.viewOf(state);
    for (let n = 0; n < 40; n += 1) {
      const [event, after] = change(state, random);
      state = after;
      view = v.applied(view, event);
      assert.ok(view, "no gap");
    }
    assert.deepEqual(view, v.viewOf(state), `seed ${seed}`);
  }
});

test("an old event changes nothing, a gap and an unknown event ask for a snapshot", () => {
  const view = v.viewOf(example("snapshot"));
  const event = { t: "member.left", id: ids[0] };
  assert.equal(v.applied(view, { ...event, rev: view.rev }), view);
  assert.equal(v.applied(view, { ...event, rev: view.rev + 2 }), null);
  assert.equal(v.applied(view, { t: "of.tomorrow", rev: view.rev + 1 }), null);
  assert.ok(v.isEvent("pin.added"));
  assert.ok(!v.isEvent("pong"));
});

test("the floor is free for whom a slot is open, and always for a chair", () => {
  const at = (place, mode, talkers, limit = 1) => {
    const members = [
      member(ids[0], { place }),
      member(ids[1], { place: "host" }),
      member(ids[2], { place: "speaker" }),
    ];
    return v.isFloorFree(
      v.viewOf(snapshot({ you: ids[0], members, floor: { mode, open_limit: limit, talkers } })),
    );
  };
  assert.ok(at("speaker", "open", []));
  assert.ok(!at("speaker", "open", [ids[2]]));
  assert.ok(at("speaker", "open", [ids[1]]), "a chair takes no slot");
  assert.ok(!at("speaker", "walkie", [ids[1]]), "except on a walkie-talkie");
  assert.ok(at("host", "moderated", [ids[2]]));
  assert.ok(at("speaker", "open", [ids[2]], 2));
  assert.ok(!at("listener", "stage", []));
  assert.ok(
    !v.isFloorFree(v.viewOf(snapshot({ you: ids[5], floor: { mode: "stage", open_limit: 1 } }))),
  );
});

test("who talks, since when, and how much is left", () => {
  const floor = {
    mode: "fifo",
    open_limit: 2,
    talkers: [ids[0], ids[1], ids[3]],
    since: [100, 90],
    talk_limit_s: 60,
  };
  const members = [member(ids[0], { place: "speaker" }), member(ids[1], { place: "host" })];
  const [speaker, host, unknown] = v.talkers(
    v.viewOf(snapshot({ you: ids[0], members, floor })),
    115,
  );
  assert.deepEqual([speaker.seconds, speaker.used, speaker.left], [15, 0.25, 45]);
  assert.deepEqual([host.seconds, host.used, host.left], [25, null, null]);
  assert.deepEqual([unknown.member.name, unknown.seconds], ["Somebody", null]);
  assert.deepEqual(
    v.talkers(v.viewOf(snapshot({ you: ids[0], floor: { mode: "open", open_limit: 1 } })), 0),
    [],
  );
});

test("members by place, those away last, and what this browser may", () => {
  const members = [
    member(ids[0], { name: "Zoe", place: "host" }),
    member(ids[1], { name: "Ben" }),
    member(ids[2], { name: "Ana", connected: false }),
    member(ids[4], { name: "Ben" }),
    member(ids[3], { place: "of.tomorrow" }),
  ];
  const view = v.viewOf(snapshot({ you: ids[0], members }));
  assert.deepEqual(
    v.byPlace(view).listener.map(({ id }) => id),
    [ids[1], ids[4], ids[2]],
  );
  assert.ok(v.isHost(view) && v.isChair(view));
  const other = { ...view, you: ids[1] };
  assert.ok(!v.isHost(other) && !v.isChair(other) && v.isChair({ ...other, admin: true }));
  assert.equal(v.me(null), undefined);
  assert.ok(!v.isChair(null) && !v.isHost(null));
  assert.deepEqual(v.named(view, undefined), []);
  assert.equal(v.named(view, [ids[5]])[0].name, "Somebody");
  assert.ok(v.queues({ floor: { mode: "fifo" } }) && !v.queues({ floor: { mode: "open" } }));
});

test("consent is due until this version of the recording was agreed to", () => {
  const recording = { version: 3, since: "2026-11-21T19:00:00Z", by: "Anna", keep_days: 30 };
  const at = (agreed, given = recording) =>
    v.consentDue(
      v.viewOf(
        snapshot({
          you: ids[0],
          members: [member(ids[0], { agreed })],
          space: { id: "a", name: "A", recording: given },
        }),
      ),
    );
  assert.equal(at(0), 3);
  assert.equal(at(2), 3);
  assert.equal(at(3), 0);
  assert.equal(at(0, null), 0);
  assert.equal(v.consentDue(null), 0);
  assert.equal(
    v.consentDue(v.viewOf(snapshot({ you: ids[5], space: { id: "a", name: "A", recording } }))),
    3,
  );
});
