// One space: from outside a door with a look through it, from inside the whole evening.

import { clock, deletion, many, moment } from "../core/format.js";
import { consentDue, isHost, me } from "../core/view.js";
import { MODE, MODE_MEANS, STATE } from "../core/words.js";
import { get } from "../shell/api.js";
import { keep, setting } from "../shell/keep.js";
import { seconds } from "../shell/line.js";
import { canTalk } from "../shell/microphone.js";
import { h, icon } from "./dom.js";
import { hostTools } from "./host.js";
import { nameForm } from "./name.js";
import { button, chip, dialog, iconButton, nothing, running, title } from "./parts.js";
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
  const why = member.refusal?.sentence ?? (member.left?.space === app.route.id && member.left.sentence);
  if (problem && !look) {
    return [title("Space"), nothing(problem.message, h("p", {}, h("a", { href: "#/spaces" }, "To the list of spaces")))];
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

const OVER = ["ended", "archived", "purged", "cancelled"];

function door(app, { space: info, members = [], listeners = 0, mode }) {
  if (OVER.includes(info.state)) {
    return [
      h("p", {}, info.state === "cancelled" ? "This space was called off." : "This space is over."),
      attendance(app.page.stats),
      h("p", {}, h("a", { href: "#/recordings" }, "To the recordings")),
    ];
  }
  const names = members.map((one) => one.name).slice(0, 6).join(", ");
  return [
    info.starts_at && info.state === "scheduled" && h("p", { class: "when" }, icon("clock"), `Starts ${moment(info.starts_at)}`,
      h("a", { class: "quiet", href: `/api/v1/spaces/${info.id}/calendar.ics`, download: true }, "Into my calendar")),
    names && h("p", {}, h("b", {}, names), members.length > 6 ? ` and ${members.length - 6} more` : "", members.length === 1 ? " is there." : " are there."),
    h("p", { class: "hint" }, many(listeners, "listener", "listeners"), mode && ` · ${MODE[mode]}: ${MODE_MEANS[mode]}`),
    info.recording && h("p", { class: "banner is-rec" }, icon("rec"), "This space is recorded. Nobody's voice is recorded before they agree."),
    app.me?.id ? joinButtons(app, info) : nameForm(app, "Join", () => join(app, info)),
    info.hidden_allowed !== false && app.me?.id && h("p", { class: "hint" }, "Listening unnamed counts you and names you to nobody."),
    !canTalk() && h("p", { class: "hint" }, "On this address you can listen. ", button("Why not talk?", null, () => app.open("explain", explain), { class: "link" })),
  ];
}

/** Who was there: totals for everybody, people for those who ran it. */
function attendance(stats) {
  if (!stats) return null;
  const rows = [
    [stats.came, "came"],
    [stats.peak, "at once at most"],
    [Math.round(stats.talked_s / 60), "minutes of talk"],
    [stats.turns, "turns"],
    [stats.served, "hands served"],
  ];
  return [
    h("dl", { class: "figures" }, rows.map(([n, word]) => h("div", { key: word }, h("dt", {}, word), h("dd", {}, String(n))))),
    stats.people?.length > 0 &&
      h("ul", { class: "members" }, stats.people.map((one) =>
        h("li", { key: one.id, class: "line" }, h("span", {}, one.name), h("small", {}, `${many(one.turns, "turn", "turns")}, ${clock(one.talked_s)}`)))),
  ];
}

function joinButtons(app, info) {
  return [
    h("p", { class: "hint" }, "You go by ", h("b", {}, app.me.name), ". ", h("a", { href: "#/settings" }, "Change")),
    h(
      "div",
      { class: "buttons" },
      button(info.state === "live" ? "Join" : "Go in", "door", () => join(app, info), { class: "primary big" }),
      info.hidden_allowed !== false && button("Listen unnamed", "sound", () => join(app, info, true)),
    ),
  ];
}

function join(app, info, hidden = false) {
  const invite = app.page.token ?? null;
  app.member.join(info.id, { hidden, invite });
}

// --- from inside ------------------------------------------------------------------------

function inner(app) {
  const { view } = app.member;
  if (!view) {
    return [title("Space"), nothing(app.member.refusal?.sentence ?? "Joining. One moment."), h("div", { class: "buttons" }, button("Leave", "door", () => app.member.leave()))];
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
      h("div", { class: "main-column" }, stage(app), captions(app), hands(app), WIDE.matches && people(app)),
      h("div", { class: "side-column" }, hostTools(app), pins(app), !WIDE.matches && people(app), more(app)),
    ),
  ];
}

function leaveSpace(app) {
  const { view, onAir } = app.member;
  if (onAir) return app.tell("Let go of TALK first, then leave.", { urgent: true, kind: "held" });
  const others = [...view.members.values()].filter((one) => one.place === "cohost" && one.connected !== false);
  const standing = view.space.host === null;
  if (me(view)?.place === "host" && !others.length && !standing && view.members.size > 1) {
    return app.open("leave", (_app, key) => confirm(app, key, {
      heading: "Leave without a host?",
      text: "The space is paused for a minute, and ends unless you come back. Name a co-host to let it go on.",
      yes: "Leave",
      no: "Stay",
      run: () => app.member.leave(),
    }));
  }
  return app.member.leave();
}

function chips(app, info) {
  const rec = info.recording;
  return [
    chip(STATE[info.state] ?? info.state, { kind: `is-${info.state}` }),
    rec && chip(`REC, kept until ${deletion(rec.since, rec.keep_days)}`, { sign: "rec", kind: "is-rec", title: `Recorded since ${moment(rec.since)} by ${rec.by}` }),
    info.locked && chip("Locked", { sign: "lock" }),
    info.captions && chip("Captions", { sign: "text" }),
    (info.tags ?? []).map((tag) => chip(tag, { kind: "is-tag" })),
  ];
}

function banners(app, view) {
  const { member } = app;
  const due = consentDue(view);
  return [
    !member.isUp && banner("held", "pause", member.refusal?.sentence ?? "The line to the hub is broken. It comes back by itself."),
    member.isUp && !member.hasSound && view.space.state !== "backstage" && banner("note", "sound", "Sound is being connected."),
    member.soundBlocked && banner("held", "sound", "Your browser waits for a press before it plays.", button("Play the sound", "play", () => member.resumeSound(), { class: "primary" })),
    view.space.state === "frozen" && banner("held", "pause", ["The host lost contact. ", frozenFor(member, view)]),
    view.space.state === "backstage" && !isHost(view) && banner("note", "clock", "Backstage: the host starts soon."),
    member.hidden && banner("note", "people", "You listen unnamed. Raising your hand would show your name."),
    me(view)?.held && banner("held", "lock", "The host holds your microphone closed."),
    view.floor.priority && view.floor.priority !== view.you && banner("held", "flag", `${view.members.get(view.floor.priority)?.name ?? "A host"} has priority. Everybody else is paused.`),
    due > 0 && me(view) && consent(app, view, due),
  ];
}

function banner(kind, sign, text, ...more) {
  return h("div", { class: `banner is-${kind}` }, icon(sign), h("p", {}, text), ...more);
}

function frozenFor(member, view) {
  const until = view.space.frozen_until;
  if (!until) return "Nobody may talk until there is a host.";
  const left = () => Math.max(0, Math.ceil(until - member.hubNow));
  return running(() => `A co-host takes over, or the space ends, in ${left()} s.`);
}

/** Asked as long as it is not answered; "just listen" makes it a line. */
function consent(app, view, version) {
  const { recording } = view.space;
  const agree = () => app.attempt(() => app.member.act({ t: "agree", recording: version }), "You agreed. You may talk now.");
  if (app.page.listensOnly === version) {
    return banner("rec", "rec", "Recorded. You just listen, so you are not in it.", button("Agree and talk", null, agree));
  }
  const listen = () => {
    app.page.listensOnly = version;
    app.draw();
  };
  return h(
    "section",
    { class: "banner is-rec is-tall", key: "consent", role: "region", "aria-labelledby": "consent-title" },
    icon("rec"),
    h(
      "div",
      {},
      h("h2", { id: "consent-title" }, "This space is recorded"),
      h("p", {}, `${recording.by} began it. It is deleted on ${deletion(recording.since, recording.keep_days)}. Your voice is in it only if you agree, and you can take your turns out later.`),
      h("div", { class: "buttons" }, button("Agree", "mic", agree, { class: "primary" }), button("Just listen", "sound", listen)),
    ),
  );
}

function more(app) {
  const { view } = app.member;
  const mine = me(view);
  const flip = (name) => (event) => {
    keep(name, event.target.checked);
    app.draw();
  };
  const recording = view.space.recording;
  return h(
    "details",
    { class: "card more" },
    h("summary", {}, "For me"),
    h("label", { class: "toggle" }, h("input", { type: "checkbox", role: "switch", checked: setting("latch"), onchange: flip("latch") }),
      h("span", { class: "toggle-word" }, "Tap instead of hold", h("small", {}, "One press opens TALK, the next closes it."))),
    h("label", { class: "slider" }, h("span", { class: "label" }, "Loudness"),
      h("input", { type: "range", min: 0, max: 100, step: 5, value: setting("loud"), oninput: (event) => {
        keep("loud", Number(event.target.value));
        app.member.tune();
      } })),
    recording && mine?.agreed === recording.version &&
      button("Take back my agreement", "rec", () => app.attempt(() => app.member.act({ t: "agree", recording: 0 }), "You are not recorded any more.")),
    h("p", { class: "hint" }, "Keys: space bar talks, H raises the hand, M held coughs, N gives the floor to the next."),
    h("p", { class: "hint" }, running(() => line(app))),
  );
}

function line(app) {
  const { member } = app;
  const trip = Math.round(member.roundTrip * 1000);
  return member.isUp ? `Line: ${trip} ms there and back. Sound ${member.hasSound ? "connected" : "not connected"}.` : "No line to the hub.";
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
    h("div", { class: "buttons end" }, button(no, null, () => app.close(key)), button(yes, null, go, { class: "danger" })),
  );
}

/** Why there is no TALK on this address, and what to do once. */
export function explain(app, key) {
  const port = app.hub?.secure_port;
  const host = location.hostname.includes(":") ? `[${location.hostname.replace(/[[\]]/g, "")}]` : location.hostname;
  const link = `https://${host}:${port}/${location.hash}`;
  return dialog(
    app,
    key,
    "To talk, open the secure page",
    h("p", {}, "Browsers give a page the microphone only over HTTPS. Listening works here as well."),
    port
      ? [
          h("p", {}, h("a", { class: "button primary", href: link }, link)),
          h("p", {}, "The first time, your browser warns that it does not know this hub: the hub made its certificate itself, and no company vouches for it. Choose Advanced, then go on to the page. It asks once for each device."),
          h("p", { class: "hint" }, "Do this only on your own network, and only for this address."),
        ]
      : h("p", {}, "This hub has no secure page. Whoever runs it can switch it on in its settings. On the hub's own computer, http://localhost works at once."),
    h("div", { class: "buttons end" }, button("Close", null, () => app.close(key))),
  );
}

export { seconds };
