// From mouse, touch, keyboard and screen reader to fingers on keys. Whatever takes the page away
// from its user lifts every finger.

import { Fingers } from "./fingers.js";

const KEYBOARD = new Map([
  [" ", "talk"],
  ["t", "talk"],
  ["h", "hand"],
  ["n", "hand"],
  ["s", "status"],
  ["+", "volume_up"],
  ["=", "volume_up"],
  ["ArrowUp", "volume_up"],
  ["-", "volume_down"],
  ["ArrowDown", "volume_down"],
]);
const PRESSES = new Set([" ", "Enter"]);
// A click that no finger makes is a tap of this length; TALK it holds until the next.
const TAP_MS = 120;

export class Buttons {
  #fingers = new Fingers();
  #slide = document.getElementById("mute");

  /** `hold` is called with all held keys at each change, `mute` with where the switch goes. */
  constructor({ hold, mute }) {
    this.hold = hold;
    this.mute = mute;
    for (const button of document.querySelectorAll("button[data-key]")) this.#listen(button);
    this.#slide.addEventListener("mousedown", (event) => event.preventDefault());
    this.#slide.addEventListener("click", () => this.#flip());
    addEventListener("keydown", (event) => this.#keyDown(event));
    addEventListener("keyup", (event) => this.#keyUp(event));
    addEventListener("blur", () => this.release());
    addEventListener("pagehide", () => this.release());
    document.addEventListener("visibilitychange", () => document.hidden && this.release());
  }

  get keys() {
    return this.#fingers.keys();
  }

  release() {
    this.#tell(this.#fingers.clear());
  }

  #listen(button) {
    const { key } = button.dataset;
    const name = (event) => `pointer ${event.pointerId}`;
    const lift = (event) => this.#tell(this.#fingers.lift(name(event)));
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      if (event.shiftKey) this.#toggle(`kept ${key}`, key);
      else this.#tell(this.#fingers.press(name(event), key));
    });
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(kind, lift);
    }
    // The keyboard's own focus stays where it is, so that the space bar stays TALK.
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("click", (event) => event.detail === 0 && this.#click(key));
  }

  /** A screen reader presses a button without a finger. */
  #click(key) {
    const finger = `click ${key}`;
    if (key === "talk") {
      this.#toggle(finger, key);
      return;
    }
    this.#tell(this.#fingers.press(finger, key));
    setTimeout(() => this.#tell(this.#fingers.lift(finger)), TAP_MS);
  }

  #toggle(finger, key) {
    const isDown = this.#fingers.has(finger);
    this.#tell(isDown ? this.#fingers.lift(finger) : this.#fingers.press(finger, key));
  }

  #flip() {
    this.mute(this.#slide.getAttribute("aria-checked") !== "true");
  }

  #keyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = this.#keyOf(event);
    if (key === undefined) return;
    event.preventDefault();
    if (event.repeat) return;
    if (key === "mute") this.#flip();
    else this.#tell(this.#fingers.press(`key ${event.code}`, key));
  }

  #keyUp(event) {
    if (!this.#fingers.has(`key ${event.code}`)) return;
    event.preventDefault();
    this.#tell(this.#fingers.lift(`key ${event.code}`));
  }

  #keyOf({ key, target }) {
    if (PRESSES.has(key) && target instanceof HTMLButtonElement) {
      return target === this.#slide ? "mute" : target.dataset.key;
    }
    if (key.startsWith("Arrow") && target.id === "log") return undefined;
    const small = key.length === 1 ? key.toLowerCase() : key;
    return small === "m" ? "mute" : KEYBOARD.get(small);
  }

  #tell(isNew) {
    if (isNew) this.hold(this.#fingers.keys());
  }
}
