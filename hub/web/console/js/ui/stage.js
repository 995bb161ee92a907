// Who talks, who may press now, and whose hands are up.

import { clock, waited } from "../core/format.js";
import { isChair, me, named, queues, talkers } from "../core/view.js";
import { MARK, MARK_SIGN, PLACE } from "../core/words.js";
import { seconds } from "../shell/line.js";
import { figure, h, icon } from "./dom.js";
import { button, face, iconButton, meter, running } from "./parts.js";

export function stage(app) {
  const { view } = app.member;
  const talking = talkers(view, app.member.hubNow);
  const offered = named(view, view.floor.offered);
  return h(
    "section",
    { class: "stage", "aria-labelledby": "stage-title" },
    h("h2", { id: "stage-title" }, "On the floor"),
    h(
      "ul",
      { class: "talkers" },
      talking.map((one, index) => talker(app, one, index)),
      offered.map((member) => called(app, member)),
      !talking.length &&
        !offered.length &&
        h("li", { key: "none", class: "silence" }, quiet(app, view)),
    ),
    floats(app),
  );
}

function quiet(app, view) {
  if (view.space.state === "frozen") return "Nobody may talk until there is a host.";
  if (view.floor.held) return "The host holds the floor. Nobody may talk.";
  if (view.space.state === "backstage") return "Backstage. The audience hears nothing yet.";
  const place = me(view)?.place ?? "listener";
  return place === "listener" ? "Nobody talks just now." : "Nobody talks. The floor is free.";
}

function talker(app, { member, used }, index) {
  const isMe = member.id === app.member.view.you;
  const level = () => (isMe ? app.member.levels.spoken : app.member.levels.heard);
  const time = () => talkers(app.member.view, app.member.hubNow)[index];
  return h(
    "li",
    { key: member.id, class: isMe ? "talker is-me" : "talker" },
    face(member.name, { tick: (node) => figure(node, "--level", level()) }),
    h(
      "div",
      { class: "who" },
      h("b", {}, isMe ? `${member.name} (you)` : member.name),
      h(
        "small",
        {},
        isMe && app.member.onAir ? "on air" : "talking",
        " · ",
        running(() => timed(time())),
      ),
      used !== null &&
        h("span", {
          class: "timer",
          "aria-hidden": "true",
          tick: (node) => figure(node, "--used", time()?.used ?? 0),
        }),
    ),
    meter(level),
    isChair(app.member.view) && !isMe && hold(app, member),
  );
}

function timed(one) {
  if (!one || one.seconds === null) return "now";
  return one.left === null ? clock(one.seconds) : `${clock(one.left)} left`;
}

function hold(app, member) {
  if (["host", "cohost"].includes(member.place)) return null;
  const act = { t: "floor.hold", on: true, member: member.id };
  return iconButton(`Hold ${member.name}`, "pause", () => app.attempt(() => app.member.act(act)));
}

function called(app, member) {
  const isMe = member.id === app.member.view.you;
  return h(
    "li",
    { key: `o${member.id}`, class: "talker is-called" },
    face(member.name),
    h(
      "div",
      { class: "who" },
      h("b", {}, isMe ? `${member.name} (you)` : member.name),
      h("small", {}, isMe ? "your turn: hold TALK" : "has the floor offered"),
    ),
    icon("hand"),
  );
}

/** Reactions, for a moment. */
function floats(app) {
  const { view } = app.member;
  const { reactions } = app.member.crowd;
  return h(
    "ul",
    { class: "floats", "aria-label": "Reactions" },
    reactions.map(({ key, member, mark }) =>
      h(
        "li",
        { key },
        h("span", { "aria-hidden": "true" }, MARK_SIGN[mark]),
        h("small", {}, view.members.get(member)?.name ?? "Somebody"),
        h("span", { class: "unseen" }, MARK[mark]),
      ),
    ),
  );
}

// --- hands ------------------------------------------------------------------------------

/** When each hand was first seen up, by this page's clock. */
function sinceWhen(app, ids) {
  const known = app.page.hands ?? new Map();
  const now = seconds();
  app.page.hands = new Map(ids.map((id) => [id, known.get(id) ?? now]));
  return app.page.hands;
}

export function hands(app) {
  const { view } = app.member;
  const ids = view.floor.queue ?? [];
  if (!queues(view) && !ids.length) return null;
  const since = sinceWhen(app, ids);
  return h(
    "section",
    { class: "hands", "aria-labelledby": "hands-title" },
    h(
      "div",
      { class: "head" },
      h("h2", { id: "hands-title" }, `Hands${ids.length ? ` (${ids.length})` : ""}`),
      isChair(view) &&
        ids.length > 0 &&
        button("Clear all", null, () => clearAll(app), { class: "quiet" }),
    ),
    ids.length
      ? h(
          "ol",
          {},
          named(view, ids).map((member, n) =>
            hand(app, member, n + 1, since.get(member.id), ids.length),
          ),
        )
      : h("p", { class: "hint" }, "No hands are up."),
  );
}

function clearAll(app) {
  app.attempt(() => app.member.act({ t: "floor.clear" }), "All hands are down.");
}

function hand(app, member, position, since, last) {
  const { view } = app.member;
  const isMe = member.id === view.you;
  const marks = [
    PLACE[member.place],
    member.muted && "muted",
    member.connected === false && "away",
  ];
  return h(
    "li",
    { key: member.id, class: isMe ? "hand is-me" : "hand" },
    h("span", { class: "position" }, position === 1 ? "1 next" : String(position)),
    face(member.name),
    h(
      "div",
      { class: "who" },
      h("b", {}, isMe ? `${member.name} (you)` : member.name),
      h(
        "small",
        {},
        marks.filter(Boolean).join(", "),
        " · ",
        running(() => waited(seconds() - since)),
      ),
    ),
    isChair(view) && handTools(app, member, position, last),
  );
}

function handTools(app, member, position, last) {
  const act = (message) => () =>
    app.attempt(() => app.member.act({ ...message, member: member.id }));
  const { name } = member;
  const move = (to) => act({ t: "floor.move", position: to });
  return h(
    "div",
    { class: "tools" },
    iconButton(`Move ${name} up`, "up", move(position - 1), { disabled: position === 1 }),
    iconButton(`Move ${name} down`, "down", move(position + 1), { disabled: position === last }),
    iconButton(`Take ${name}'s hand down`, "close", act({ t: "floor.clear" })),
    button("Grant", null, act({ t: "floor.next" }), {
      class: "call",
      "aria-label": `Give the floor to ${name}`,
    }),
  );
}
