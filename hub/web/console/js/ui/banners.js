// What everybody in a space has to know just now, and the question of the recording.

import { deletion } from "../core/format.js";
import { consentDue, isHost, me } from "../core/view.js";
import { h, icon } from "./dom.js";
import { button, dialog, running } from "./parts.js";

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
    due > 0 && me(view) && consent(app, due),
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

/** Who did not agree is told so as long as the recording runs. */
function consent(app, version) {
  return banner(
    "rec",
    "rec",
    "This space is recorded. You just listen, so you are not in it.",
    button("Agree and talk", null, () => agree(app, version)),
  );
}

function agree(app, version) {
  return app.attempt(
    () => app.member.act({ t: "agree", recording: version }),
    "You agreed. You may talk now.",
  );
}

/** Ask once for each recording, and again when somebody wants to talk in it. */
export function askConsent(app) {
  const { view } = app.member;
  const due = view && me(view) ? consentDue(view) : 0;
  if (app.page.asked === due) return;
  app.page.asked = due;
  if (due) app.open("consent", consentDialog);
  else app.close("consent");
}

function consentDialog(app, key) {
  const { recording } = app.member.view?.space ?? {};
  if (!recording) return null;
  const yes = () => {
    app.close(key);
    agree(app, recording.version);
  };
  const until = deletion(recording.since, recording.keep_days);
  return dialog(
    app,
    key,
    "This space is recorded",
    h("p", {}, `${recording.by} began the recording. It is deleted on ${until}.`),
    h("p", {}, "Your voice is in it only if you agree. You can take your turns out of it later."),
    h(
      "div",
      { class: "buttons end" },
      button("Just listen", "sound", () => app.close(key)),
      button("Agree", "mic", yes, { class: "primary" }),
    ),
  );
}
