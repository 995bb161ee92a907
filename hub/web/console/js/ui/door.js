// The door of a space: who is there, and how to come in.

import { clock, many, moment } from "../core/format.js";
import { MODE, MODE_MEANS } from "../core/words.js";
import { canTalk } from "../shell/microphone.js";
import { h, icon } from "./dom.js";
import { explain } from "./explain.js";
import { nameForm } from "./name.js";
import { button } from "./parts.js";

export const OVER = ["ended", "archived", "purged", "cancelled"];

export function door(app, { space: info, members = [], listeners = 0, mode }) {
  if (OVER.includes(info.state)) {
    return [
      h("p", {}, info.state === "cancelled" ? "This space was called off." : "This space is over."),
      attendance(app.page.stats),
      app.page.stats?.people && button("What was done", "clock", () => showLog(app)),
      h("p", {}, h("a", { href: "#/recordings" }, "To the recordings")),
    ];
  }
  const names = members
    .map((one) => one.name)
    .slice(0, 6)
    .join(", ");
  return [
    info.starts_at &&
      info.state === "scheduled" &&
      h(
        "p",
        { class: "when" },
        icon("clock"),
        `Starts ${moment(info.starts_at)}`,
        h(
          "a",
          { class: "quiet", href: `/api/v1/spaces/${info.id}/calendar.ics`, download: true },
          "Into my calendar",
        ),
      ),
    names &&
      h(
        "p",
        {},
        h("b", {}, names),
        members.length > 6 ? ` and ${members.length - 6} more` : "",
        members.length === 1 ? " is there." : " are there.",
      ),
    h(
      "p",
      { class: "hint" },
      many(listeners, "listener", "listeners"),
      mode && ` · ${MODE[mode]}: ${MODE_MEANS[mode]}`,
    ),
    info.recording &&
      h(
        "p",
        { class: "banner is-rec" },
        icon("rec"),
        "This space is recorded. Nobody's voice is recorded before they agree.",
      ),
    way(app, info),
    info.hidden_allowed !== false &&
      app.me?.id &&
      h("p", { class: "hint" }, "Listening unnamed counts you and names you to nobody."),
    !canTalk() &&
      h(
        "p",
        { class: "hint" },
        "On this address you can listen. ",
        button("Why not talk?", null, () => app.open("explain", explain), { class: "link" }),
      ),
  ];
}

/** Who was there: totals for everybody, people for those who ran it. */
function attendance(stats) {
  if (!stats) return null;
  const rows = [
    [stats.came, "came"],
    [stats.peak, "at once at most"],
    [clock(stats.talked_s), "talked"],
    [stats.turns, "turns"],
    [stats.served, "hands served"],
  ];
  return [
    h(
      "dl",
      { class: "figures" },
      rows.map(([n, word]) => h("div", { key: word }, h("dt", {}, word), h("dd", {}, String(n)))),
    ),
    stats.people?.length > 0 &&
      h(
        "ul",
        { class: "members" },
        stats.people.map((one) =>
          h(
            "li",
            { key: one.id, class: "line" },
            h("span", {}, one.name),
            h("small", {}, `${many(one.turns, "turn", "turns")}, ${clock(one.talked_s)}`),
          ),
        ),
      ),
  ];
}

/** Only who ran the space asks for it, so it comes when it is asked for. */
function showLog(app) {
  return app.attempt(async () => {
    const { openLog } = await import("./log.js");
    openLog(app);
  });
}

/** In, by name; while the hub has not said who this is, nothing. */
function way(app, info) {
  if (!app.me) return null;
  return app.me.id ? joinButtons(app, info) : nameForm(app, "Join", () => join(app, info));
}

function joinButtons(app, info) {
  return [
    h(
      "p",
      { class: "hint" },
      "You go by ",
      h("b", {}, app.me.name),
      ". ",
      h("a", { href: "#/settings" }, "Change"),
    ),
    h(
      "div",
      { class: "buttons" },
      button(info.state === "live" ? "Join" : "Go in", "door", () => join(app, info), {
        class: "primary big",
      }),
      info.hidden_allowed !== false &&
        button("Listen unnamed", "sound", () => join(app, info, true)),
    ),
  ];
}

function join(app, info, hidden = false) {
  const invite = app.page.token ?? null;
  app.member.join(info.id, { hidden, invite });
}
