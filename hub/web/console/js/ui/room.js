// Behind the door: the whole evening of a space, for those who are in it.

import { me } from "../core/view.js";
import { keep, setting } from "../shell/keep.js";
import { askConsent, banners } from "./banners.js";
import { chips } from "./chips.js";
import { h } from "./dom.js";
import { hostTools } from "./host.js";
import { button, dialog, iconButton, nothing, running, slider, title, toggle } from "./parts.js";
import { people } from "./people.js";
import { captions, pins } from "./side.js";
import { hands, stage } from "./stage.js";
import { talkbar } from "./talkbar.js";

export { askConsent, talkbar };

/** Where two columns stand side by side, as in the style sheet. */
const WIDE = matchMedia("(min-width: 900px)");

/** Draw anew when the columns stand otherwise. */
export const onTurn = (draw) => (WIDE.onchange = draw);

export function inner(app) {
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
      title(info.name, h("div", { class: "chips" }, chips(info))),
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

/** Ask before something is done. */
export function confirm(app, key, { heading, text, yes, no = "Cancel", run }) {
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
