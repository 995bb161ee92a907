// The bar under a space: HAND (or NEXT), TALK, and the reactions.
//
// Red here means that this browser's voice is leaving it, by its own sender and not by the
// hub's word; every state has its word and its icon as well as its colour.

import { clock } from "../core/format.js";
import { isChair, me, queues } from "../core/view.js";
import { MARK, MARK_SIGN } from "../core/words.js";
import { setting } from "../shell/keep.js";
import { seconds } from "../shell/line.js";
import { canTalk } from "../shell/microphone.js";
import { figure, h, icon } from "./dom.js";
import { talkKey, toggleTalk } from "./keys.js";
import { running } from "./parts.js";

export function talkbar(app) {
  const { view } = app.member;
  return h(
    "section",
    { class: "talkbar", "aria-label": "Talk" },
    h("div", { class: "side" }, isChair(view) && queues(view) ? nextButton(app) : handButton(app)),
    canTalk() ? talkButton(app) : noTalk(app),
    h("div", { class: "side" }, reactButton(app)),
    app.page.reacting && marks(app),
  );
}

// --- TALK -------------------------------------------------------------------------------

const LOOKS = {
  offline: ["wait", "pause", "No line"],
  no_space: ["wait", "pause", "Joining"],
  free: ["free", "mic", "Hold to talk"],
  busy: ["busy", "sound", "Floor is taken"],
  asking: ["asking", "mic", "Asking"],
  queued: ["waiting", "hand", "In line"],
  next: ["waiting", "hand", "You are next"],
  offered: ["offered", "mic", "Your turn"],
  live: ["live", "air", "On air"],
  held: ["held", "lock", "Held"],
  cooldown: ["held", "clock", "Wait"],
};

/** How TALK looks: [style, icon, word, what stands under it]. */
function look(app) {
  const { member } = app;
  const { state, hand, isRefused } = member.shown;
  const [kind, sign, word] = LOOKS[state];
  if (state === "live" && member.coughs) return ["held", "off", "Cough", "not heard"];
  if (state === "live" && !member.onAir) return ["asking", "mic", "Opening", "one moment"];
  if (state === "queued") return [kind, sign, word, `number ${hand.position}`];
  if (state === "busy" || state === "free") return idle(app, kind, sign, isRefused);
  return [kind, sign, word, under(state)];
}

function idle(app, kind, sign, isRefused) {
  const { view } = app.member;
  const tap = setting("latch") ? "Tap" : "Hold";
  const place = me(view)?.place ?? "listener";
  if (place === "listener") return ["busy", "sound", "Listening", listenHint(view)];
  if (isRefused) return ["busy", "pause", "Not now", "let go, try again"];
  if (queues(view) && !isChair(view)) return [kind, sign, `${tap} to ask`, "or raise your hand"];
  if (kind === "busy") return [kind, sign, "Floor is taken", "wait for your turn"];
  return [kind, sign, `${tap} to talk`, "or the space bar"];
}

function listenHint(view) {
  return queues(view) ? "hand up to talk" : "speakers talk here";
}

function under(state) {
  return (
    {
      offline: "it comes back",
      no_space: "one moment",
      asking: "one moment",
      next: "get ready",
      offered: setting("latch") ? "tap to talk" : "hold to talk",
      held: "by the host",
    }[state] ?? ""
  );
}

function talkButton(app) {
  const [kind, sign, word, sub] = look(app);
  const { isDown, state } = app.member.shown;
  return h(
    "button",
    {
      id: "talk",
      type: "button",
      class: `talk is-${kind}${isDown ? " is-down" : ""}${app.member.shown.isWarned ? " is-warned" : ""}`,
      "aria-pressed": String(isDown),
      onpointerdown: (event) => press(app, event),
      onpointerup: () => lift(app),
      onpointercancel: () => lift(app),
      onlostpointercapture: () => lift(app),
      oncontextmenu: (event) => event.preventDefault(),
      onclick: (event) => clicked(app, event),
      tick: (node) => figure(node, "--level", state === "live" ? app.member.levels.spoken : 0),
    },
    h("span", { class: "talk-ring", "aria-hidden": "true" }),
    h("span", { class: "talk-face" }, icon(sign), h("b", {}, word), detail(app, state, sub)),
  );
}

/** What counts stands still for a screen reader: the clock is for the eye. */
function detail(app, state, sub) {
  const { member } = app;
  if (state === "live" && member.onAir)
    return running(() => left(member), { "aria-hidden": "true" });
  if (state === "offered") {
    const words = member.shown.isDown ? "let go, then press" : sub;
    return running(() => `${words} · ${toGo(member.shown.hand.offerUntil)}`);
  }
  if (state === "cooldown") return running(() => toGo(member.shown.cooldownUntil));
  return h("span", {}, sub);
}

function left(member) {
  const turn = member.shown.turn;
  if (!turn) return "";
  const now = seconds();
  return turn.until === null ? clock(now - turn.since) : `${clock(turn.until - now + 0.99)} left`;
}

function toGo(until) {
  return until === null ? "" : `${Math.max(0, Math.ceil(until - seconds()))} s`;
}

let finger = null;

function press(app, event) {
  if (event.button !== 0) return;
  finger = event.pointerId;
  event.currentTarget.setPointerCapture(event.pointerId);
  app.member.resumeSound();
  talkKey(app, true);
}

function lift(app) {
  if (finger === null) return;
  finger = null;
  talkKey(app, false);
}

/** A click that no finger and no key made is a screen reader's: it opens, the next one closes. */
function clicked(app, event) {
  if (event.detail === 0 && finger === null && event.pointerType !== "mouse") toggleTalk(app);
}

/** Where a browser gives no microphone, TALK says why and where it does. */
function noTalk(app) {
  return h(
    "button",
    { id: "talk", type: "button", class: "talk is-held", onclick: () => app.page.explain?.() },
    h(
      "span",
      { class: "talk-face" },
      icon("lock"),
      h("b", {}, "Listening"),
      h("span", {}, "why can I not talk?"),
    ),
  );
}

// --- beside it --------------------------------------------------------------------------

function handButton(app) {
  const { view, shown } = app.member;
  const off = !queues(view) || !canTalk() || !me(view);
  const { isUp } = shown.hand;
  return h(
    "button",
    {
      type: "button",
      class: `round ${isUp ? "is-up" : ""}`,
      "aria-pressed": String(isUp),
      "aria-label": isUp ? "Lower your hand" : "Raise your hand",
      disabled: off && !isUp,
      onclick: () => app.member.hand(),
    },
    icon("hand"),
    h("span", {}, isUp ? "Lower" : "Hand"),
  );
}

function nextButton(app) {
  const waiting = app.member.view.floor.queue?.length ?? 0;
  return h(
    "button",
    {
      type: "button",
      class: waiting ? "round is-call" : "round",
      onclick: () => app.attempt(() => app.member.act({ t: "floor.next" })),
    },
    icon("next"),
    h("span", {}, waiting ? `Next (${waiting})` : "Next"),
  );
}

function reactButton(app) {
  const flip = () => {
    app.page.reacting = !app.page.reacting;
    app.draw();
  };
  return h(
    "button",
    {
      type: "button",
      class: "round",
      "aria-expanded": String(Boolean(app.page.reacting)),
      onclick: flip,
    },
    icon("smile"),
    h("span", {}, "React"),
  );
}

function marks(app) {
  const send = (mark) => {
    app.page.reacting = false;
    app.attempt(() => app.member.act({ t: "react", mark }));
    app.draw();
  };
  return h(
    "div",
    { class: "marks", role: "group", "aria-label": "Reactions" },
    Object.entries(MARK).map(([mark, word]) =>
      h(
        "button",
        { key: mark, type: "button", class: "bare", title: word, onclick: () => send(mark) },
        h("span", { "aria-hidden": "true" }, MARK_SIGN[mark]),
        h("span", { class: "unseen" }, word),
      ),
    ),
  );
}
