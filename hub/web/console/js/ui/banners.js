// What everybody in a space has to know just now, and the question of the recording.

import { deletion } from "../core/format.js";
import { consentDue, isHost, me } from "../core/view.js";
import { h, icon } from "./dom.js";
import { button, running } from "./parts.js";

export function banners(app, view) {
  const { member } = app;
  const due = consentDue(view);
  return [
    !member.isUp &&
      banner(
        "held",
        "pause",
        member.refusal?.sentence ?? "The line to the hub is broken. It comes back by itself.",
      ),
    member.isUp &&
      !member.hasSound &&
      view.space.state !== "backstage" &&
      banner("note", "sound", "Sound is being connected."),
    member.soundBlocked &&
      banner(
        "held",
        "sound",
        "Your browser waits for a press before it plays.",
        button("Play the sound", "play", () => member.resumeSound(), { class: "primary" }),
      ),
    view.space.state === "frozen" &&
      banner("held", "pause", ["The host lost contact. ", frozenFor(member, view)]),
    view.space.state === "backstage" &&
      !isHost(view) &&
      banner("note", "clock", "Backstage: the host starts soon."),
    member.hidden &&
      banner("note", "people", "You listen unnamed. Raising your hand would show your name."),
    me(view)?.held && banner("held", "lock", "The host holds your microphone closed."),
    view.floor.priority &&
      view.floor.priority !== view.you &&
      banner(
        "held",
        "flag",
        `${view.members.get(view.floor.priority)?.name ?? "A host"} has priority. Everybody else is paused.`,
      ),
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
  const agree = () =>
    app.attempt(
      () => app.member.act({ t: "agree", recording: version }),
      "You agreed. You may talk now.",
    );
  if (app.page.listensOnly === version) {
    return banner(
      "rec",
      "rec",
      "Recorded. You just listen, so you are not in it.",
      button("Agree and talk", null, agree),
    );
  }
  const listen = () => {
    app.page.listensOnly = version;
    app.draw();
  };
  return h(
    "section",
    {
      class: "banner is-rec is-tall",
      key: "consent",
      role: "region",
      "aria-labelledby": "consent-title",
    },
    icon("rec"),
    h(
      "div",
      {},
      h("h2", { id: "consent-title" }, "This space is recorded"),
      h(
        "p",
        {},
        `${recording.by} began it. It is deleted on ${deletion(recording.since, recording.keep_days)}. Your voice is in it only if you agree, and you can take your turns out later.`,
      ),
      h(
        "div",
        { class: "buttons" },
        button("Agree", "mic", agree, { class: "primary" }),
        button("Just listen", "sound", listen),
      ),
    ),
  );
}
