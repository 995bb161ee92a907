// One space: from outside a door with a look through it, from inside the whole evening.

import { deletion, moment } from "../core/format.js";
import { me } from "../core/view.js";
import { STATE } from "../core/words.js";
import { get } from "../shell/api.js";
import { keep, setting } from "../shell/keep.js";
import { askConsent, banners } from "./banners.js";
import { h, icon } from "./dom.js";
import { door, OVER } from "./door.js";
import { explain } from "./explain.js";
import { hostTools } from "./host.js";
import {
  button,
  chip,
  dialog,
  iconButton,
  nothing,
  running,
  slider,
  title,
  toggle,
} from "./parts.js";
import { people } from "./people.js";
import { captions, pins } from "./side.js";
import { hands, stage } from "./stage.js";
import { talkbar } from "./talkbar.js";

/** Where two columns stand side by side, as in the style sheet. */
const WIDE = matchMedia("(min-width: 900px)");
/** A look through the door is repeated this often. */
const LOOK_MS = 4_000;

export const space = {
  title: (app) => inside(app)?.space.name ?? app.page.look?.space.name ?? "Space",
  view: (app) => (isIn(app) ? inner(app) : outer(app)),
  bar: (app) => (inside(app) ? talkbar(app) : null),
  enter,
  changed: (app) => isIn(app) && askConsent(app),
  leave: (app) => clearInterval(app.page.timer),
};

function isIn(app) {
  return app.member.space === app.route.id;
}

function inside(app) {
  return isIn(app) ? app.member.view : null;
}

function enter(app) {
  const { page } = app;
  WIDE.onchange = () => app.draw();
  page.ask ??= (key, question) => confirm(app, key, question);
  page.explain ??= () => app.open("explain", explain);
  page.loadBlocked ??= async () => {
    const found = await get(`/spaces/${app.route.id}/blocked`);
    return found.members;
  };
  if (page.timer) return;
  const look = async () => {
    if (document.hidden || isIn(app) || app.route.page !== "space") return;
    try {
      page.look = await get(`/spaces/${app.route.id}`);
      page.problem = null;
      if (OVER.includes(page.look.space.state)) {
        clearInterval(page.timer);
        page.stats = await get(`/spaces/${app.route.id}/stats`).catch(() => null);
      }
    } catch (problem) {
      page.problem = problem;
    }
    app.draw();
  };
  page.timer = setInterval(look, LOOK_MS);
  look();
}

// --- from outside -----------------------------------------------------------------------

function outer(app) {
  const { look, problem } = app.page;
  const { member } = app;
  const why =
    member.refusal?.sentence ?? (member.left?.space === app.route.id && member.left.sentence);
  if (problem && !look) {
    return [
      title("Space"),
      nothing(problem.message, h("p", {}, h("a", { href: "#/spaces" }, "To the list of spaces"))),
    ];
  }
  if (!look) return [title("Space"), nothing("One moment.")];
  const { space: info } = look;
  return [
    title(info.name, h("div", { class: "chips" }, chips(app, info))),
    info.topic && h("p", { class: "topic" }, info.topic),
    why && h("p", { class: "banner is-held", role: "status" }, icon("flag"), why),
    h("section", { class: "card door", "aria-label": "Join" }, door(app, look)),
  ];
}

// --- from inside ------------------------------------------------------------------------

function inner(app) {
  const { view } = app.member;
  if (!view) {
    return [
      title("Space"),
      nothing(app.member.refusal?.sentence ?? "Joining. One moment."),
      h(
        "div",
        { class: "buttons" },
        button("Leave", "door", () => app.member.leave()),
      ),
    ];
  }
  const { space: info } = view;
  return [
    h(
      "div",
      { class: "space-head" },
      title(info.name, h("div", { class: "chips" }, chips(app, info))),
      iconButton("Leave quietly", "door", () => leaveSpace(app), { class: "leave" }),
    ),
    info.topic && h("p", { class: "topic" }, info.topic),
    banners(app, view),
    h(
      "div",
      { class: "columns" },
      h(
        "div",
        { class: "main-column" },
        stage(app),
        captions(app),
        hands(app),
        WIDE.matches && people(app),
      ),
      h(
        "div",
        { class: "side-column" },
        hostTools(app),
        pins(app),
        !WIDE.matches && people(app),
        more(app),
      ),
    ),
  ];
}

function leaveSpace(app) {
  const { view, onAir } = app.member;
  if (onAir) return app.tell("Let go of TALK first, then leave.", { urgent: true, kind: "held" });
  const others = [...view.members.values()].filter(
    (one) => one.place === "cohost" && one.connected !== false,
  );
  const standing = view.space.host === null;
  if (me(view)?.place === "host" && !others.length && !standing && view.members.size > 1) {
    return app.open("leave", (_app, key) =>
      confirm(app, key, {
        heading: "Leave without a host?",
        text: "The space is paused for a minute, and ends unless you come back. Name a co-host to let it go on.",
        yes: "Leave",
        no: "Stay",
        run: () => app.member.leave(),
      }),
    );
  }
  return app.member.leave();
}

function chips(app, info) {
  const rec = info.recording;
  return [
    chip(STATE[info.state] ?? info.state, { kind: `is-${info.state}` }),
    rec &&
      chip(`REC, kept until ${deletion(rec.since, rec.keep_days)}`, {
        sign: "rec",
        kind: "is-rec",
        title: `Recorded since ${moment(rec.since)} by ${rec.by}`,
      }),
    info.locked && chip("Locked", { sign: "lock" }),
    info.captions && chip("Captions", { sign: "text" }),
    (info.tags ?? []).map((tag) => chip(tag, { kind: "is-tag" })),
  ];
}

function more(app) {
  const { view } = app.member;
  const mine = me(view);
  const { recording } = view.space;
  const set = (name) => (value) => {
    keep(name, value);
    app.member.tune();
    app.draw();
  };
  const withdraw = () =>
    app.attempt(
      () => app.member.act({ t: "agree", recording: 0 }),
      "You are not recorded any more.",
    );
  return h(
    "details",
    { class: "card more" },
    h("summary", {}, "For me"),
    toggle("Tap instead of hold", setting("latch"), set("latch"), {
      note: "One press opens TALK, the next closes it.",
    }),
    slider("Loudness", setting("loud"), set("loud")),
    recording &&
      mine?.agreed === recording.version &&
      button("Take back my agreement", "rec", withdraw),
    h(
      "p",
      { class: "hint" },
      "Keys: space bar talks, H raises the hand, M held coughs, N gives the floor to the next.",
    ),
    h(
      "p",
      { class: "hint" },
      running(() => line(app)),
    ),
  );
}

function line(app) {
  const { member } = app;
  const trip = Math.round(member.roundTrip * 1000);
  return member.isUp
    ? `Line: ${trip} ms there and back. Sound ${member.hasSound ? "connected" : "not connected"}.`
    : "No line to the hub.";
}

// --- dialogs ----------------------------------------------------------------------------

function confirm(app, key, { heading, text, yes, no = "Cancel", run }) {
  const go = () => {
    app.close(key);
    run();
  };
  return dialog(
    app,
    key,
    heading,
    h("p", {}, text),
    h(
      "div",
      { class: "buttons end" },
      button(no, null, () => app.close(key)),
      button(yes, null, go, { class: "danger" }),
    ),
  );
}
