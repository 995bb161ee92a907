// The keyboard: the space bar talks, H raises the hand, M held coughs.
//
// Letters can be switched off in the settings. Nothing is taken from a field or a button that
// has the focus.

import { setting } from "../shell/keep.js";
import { isChair } from "../core/view.js";

const OWN = "input, textarea, select, button, a, summary, dialog, [contenteditable]";
let isSpaceDown = false;
let isCoughing = false;

export function listenToKeys(app) {
  addEventListener("keydown", (event) => down(app, event));
  addEventListener("keyup", (event) => up(app, event));
  addEventListener("blur", () => letGo(app));
}

/** Whether this key is for the page and not for what has the focus. */
function isFree(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = event.target;
  return !(target instanceof Element) || target.id === "talk" || !target.closest(OWN);
}

function down(app, event) {
  if (!app.member.view || !isFree(event) || app.dialogs.length) return;
  const onTalk = event.target.id === "talk" && event.key === "Enter";
  if (event.key === " " || onTalk) {
    event.preventDefault();
    if (event.repeat || isSpaceDown) return;
    isSpaceDown = true;
    talkKey(app, true);
  } else if (setting("shortcuts") && !event.repeat) {
    letter(app, event.key.toLowerCase());
  }
}

function letter(app, key) {
  if (key === "h") app.member.hand();
  if (key === "n" && isChair(app.member.view))
    app.attempt(() => app.member.act({ t: "floor.next" }));
  if (key === "m" && app.member.onAir) {
    isCoughing = true;
    app.member.cough(true);
  }
}

function up(app, event) {
  if (event.key === " " || event.key === "Enter") {
    if (isSpaceDown) {
      event.preventDefault();
      isSpaceDown = false;
      talkKey(app, false);
    }
  } else if (event.key.toLowerCase() === "m" && isCoughing) {
    isCoughing = false;
    app.member.cough(false);
  }
}

/** The window lost the keyboard: whatever was held is let go. */
function letGo(app) {
  if (isSpaceDown && !setting("latch")) app.member.up();
  isSpaceDown = false;
  if (isCoughing) app.member.cough(false);
  isCoughing = false;
}

/** A key or finger on TALK. With latching, one press opens and the next closes. */
export function talkKey(app, isDown) {
  if (!setting("latch")) {
    if (isDown) app.member.down();
    else app.member.up();
    return;
  }
  if (isDown) toggleTalk(app);
}

/** One press opens, the next closes: the setting, and what a screen reader's click does. */
export function toggleTalk(app) {
  const { isDown, state } = app.member.shown;
  const isOn = isDown && ["asking", "live"].includes(state);
  app.member.up();
  if (!isOn) app.member.down();
}
