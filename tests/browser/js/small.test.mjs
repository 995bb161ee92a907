// The small pure parts: words for times and names, addresses, days, captions, replay, pauses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { captioned, KEPT } from "../../../hub/web/console/js/core/captions.js";
import { deed } from "../../../hub/web/console/js/core/deeds.js";
import * as f from "../../../hub/web/console/js/core/format.js";
import { withZone, zoneName } from "../../../hub/web/console/js/core/moment.js";
import { Reconnect } from "../../../hub/web/console/js/core/reconnect.js";
import * as r from "../../../hub/web/console/js/core/replay.js";
import { invitation, route } from "../../../hub/web/console/js/core/routes.js";

test("times and numbers as people read them", () => {
  assert.deepEqual(
    [f.clock(7), f.clock(125.9), f.clock(3725), f.clock(-4)],
    ["0:07", "2:05", "1:02:05", "0:00"],
  );
  assert.deepEqual(
    [f.spoken(125), f.spoken(1), f.spoken(0), f.spoken(7260)],
    ["2 minutes 5 seconds", "1 second", "0 seconds", "2 hours 1 minute"],
  );
  assert.deepEqual(
    [f.many(1), f.many(3), f.many(1, "hand", "hands")],
    ["1 person", "3 people", "1 hand"],
  );
  assert.deepEqual([3, 42, 190, 8000].map(f.waited), ["just now", "40 s", "3 min", "2 h"]);
  assert.deepEqual([f.size(12), f.size(812_400), f.size(3_420_000)], ["12 B", "812 kB", "3.4 MB"]);
  assert.deepEqual([f.list([]), f.list(["a"]), f.list(["a", "b", "c"])], ["", "a", "a, b and c"]);
});

test("what was done, as sentences", () => {
  const none = { name: "", detail: "", by: "" };
  assert.equal(deed({ ...none, kind: "joined", name: "Anna" }), "Anna came in.");
  assert.equal(
    deed({ ...none, kind: "placed", name: "Anna", detail: "cohost", by: "Ben" }),
    "Anna was made co-host. By Ben.",
  );
  assert.equal(deed({ ...none, kind: "held", by: "Ben" }), "Everybody was held. By Ben.");
  assert.equal(deed({ ...none, kind: "held", name: "Anna" }), "Anna was held.");
  assert.equal(deed({ ...none, kind: "left" }), "Somebody unnamed left.");
  assert.equal(deed({ ...none, kind: "agreed", name: "A", by: "A" }), "A agreed to be recorded.");
  assert.equal(deed({ ...none, kind: "painted_green" }), "painted green.");
});

test("faces", () => {
  assert.deepEqual(["Anna Maria Berg", "kitchen", "", "Zoë-Ann"].map(f.initials), [
    "AB",
    "K",
    "?",
    "ZA",
  ]);
  assert.equal(f.hue("Anna"), f.hue("Anna"));
  assert.ok(f.hue("Ben") >= 0 && f.hue("Ben") < 8);
});

test("days and moments", () => {
  const at = "2026-11-21T19:30:00Z";
  const there = { locale: "en-GB", zone: "Europe/Berlin" };
  assert.match(f.moment(at, there), /Sat 21 Nov.*20:30/);
  assert.match(f.moment(at, { ...there, year: true }), /2026/);
  assert.equal(f.moment("soon"), "soon");
  assert.match(f.day(at, there), /21 Nov 2026/);
  assert.equal(f.day("soon"), "soon");
  assert.match(f.deletion(at, 30, there), /21 Dec 2026/);
});

test("a day of the calendar with its distance from UTC", () => {
  assert.equal(
    withZone("2026-11-21T19:30", () => 60),
    "2026-11-21T19:30:00+01:00",
  );
  assert.equal(
    withZone("2026-11-21T19:30:15", () => -210),
    "2026-11-21T19:30:15-03:30",
  );
  assert.equal(
    withZone("2026-11-21T19:30", () => 0),
    "2026-11-21T19:30:00+00:00",
  );
  assert.match(withZone("2026-11-21T19:30"), /[+-]\d\d:\d\d$/);
  assert.equal(withZone("never"), null);
  assert.match(zoneName(new Date()), /\(UTC[+-][\d.]+\)/);
});

test("addresses of pages", () => {
  assert.deepEqual(route(""), { page: "spaces" });
  assert.deepEqual(route("#/spaces/"), { page: "spaces" });
  assert.deepEqual(route("#/space/kitchen-2"), { page: "space", id: "kitchen-2" });
  assert.deepEqual(route("#/join"), { page: "join", token: null });
  assert.deepEqual(route("#/join/abcdefghij_KLMNO-1"), {
    page: "join",
    token: "abcdefghij_KLMNO-1",
  });
  for (const wrong of ["#/space/Kitchen", "#/space/", "#/join/short", "#/../etc", "#/space/a/b"]) {
    assert.equal(route(wrong).page, "lost", wrong);
  }
});

test("what people type to join", () => {
  assert.deepEqual(invitation(" 123 456 "), { code: "123456" });
  assert.deepEqual(invitation("https://hub.local:7443/#/join/abcdefghijklmnop"), {
    token: "abcdefghijklmnop",
  });
  assert.deepEqual(invitation("abcdefghijklmnop"), { token: "abcdefghijklmnop" });
  for (const wrong of ["", "12345", "hello there", "1234567"])
    assert.equal(invitation(wrong), null, wrong);
});

test("captions: drafts are replaced where they stand, the oldest goes", () => {
  let list = [];
  const add = (member, n, text, final, at) =>
    (list = captioned(list, { member, n, text, final }, at));
  add("a", 1, "good", false, 1);
  add("b", 1, "hello", true, 2);
  add("a", 1, "good evening", true, 3);
  assert.deepEqual(
    list.map(({ text, at }) => [text, at]),
    [
      ["good evening", 1],
      ["hello", 2],
    ],
  );
  add("b", 2, "I never", false, 4);
  add("b", 2, "", true, 5);
  add("b", 9, "", true, 5);
  assert.equal(list.length, 2, "what is taken back is gone");
  for (let n = 2; n < 40; n += 1) add("a", n, String(n), true, n);
  assert.equal(list.length, KEPT);
  assert.equal(list.at(-1).text, "39");
});

const TURNS = [
  { member: "a", start: 1, end: 5 },
  { member: "b", start: 6, end: 9 },
  { member: "b", start: 11, end: 12 },
  { member: "c", start: 20, end: 30 },
];

test("replay: turns, the next talker, and back", () => {
  assert.deepEqual(
    [0, 1, 7, 99].map((at) => r.chapterAt(TURNS, at)),
    [-1, 0, 1, 3],
  );
  assert.equal(r.nextTalker(TURNS, 2), 5.7);
  assert.equal(r.nextTalker(TURNS, 7), 19.7, "another talker, not another turn");
  assert.equal(r.nextTalker(TURNS, 25), null);
  assert.equal(r.nextTalker(TURNS, 5.7), 19.7, "pressed twice it goes on");
  assert.equal(r.backTo(TURNS, 8.5), 5.7);
  assert.equal(r.backTo(TURNS, 6.5), 0.7);
  assert.equal(r.backTo(TURNS, 1.5), 0.7);
  assert.equal(r.backTo(TURNS, 0), 0);
});

test("replay: captions of WebVTT", () => {
  const text =
    "WEBVTT\r\n\r\nNOTE nothing\r\n\r\n1\r\n00:00:01.000 --> 00:00:02.500\r\n<v Anna>Tea &amp; <i>bread</i>?</v>\r\n\r\n01:02.000 --> 01:03.000\r\nYes\r\nplease &what;\r\n";
  const list = r.cues(text);
  assert.deepEqual(list[0], { start: 1, end: 2.5, who: "Anna", text: "Tea & bread?" });
  assert.deepEqual(list[1], { start: 62, end: 63, who: "", text: "Yes please &what;" });
  assert.equal(r.said(list, 1.5)[0].who, "Anna");
  assert.deepEqual(r.said(list, 2.5), []);
  assert.deepEqual(r.cues("WEBVTT\n\nbroken --> \nx"), []);
});

test("pauses grow, stay bounded, and start anew after a good session", () => {
  const wait = new Reconnect(() => 1);
  const pauses = [];
  let now = 10_000;
  for (let n = 0; n < 12; n += 1) {
    wait.started(now);
    const at = wait.ended(now);
    pauses.push(at - now);
    now = at;
  }
  assert.deepEqual(pauses.slice(0, 4), [0.25, 0.5, 1, 2]);
  assert.equal(pauses.at(-1), 8);
  wait.started(now);
  wait.opened(now);
  assert.ok(wait.ended(now + 60) - (now + 60) <= 0.25, "a good session");
  wait.started(now + 70);
  wait.opened(now + 70);
  wait.ended(now + 71);
  assert.ok(wait.ended(now + 72) - (now + 72) <= 2, "the hub was there a moment ago");
});

test("a hub that says no is left alone, but not for ever", () => {
  const wait = new Reconnect(() => 0);
  wait.started(0);
  wait.refused(0, 10);
  assert.equal(wait.ended(0), 10);
  wait.refused(20);
  assert.equal(wait.ended(20), 23);
  wait.refused(100, 9_999);
  assert.equal(wait.ended(100), 130);
  assert.equal(new Reconnect(() => 1).lost(5, 0.5), 5.5);
  assert.equal(new Reconnect(() => 1).lost(5, 600), 7);
});
