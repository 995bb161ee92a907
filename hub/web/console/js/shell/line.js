// The line to the hub: one WebSocket, opened again by itself for as long as it is wanted.
//
// Reports {up, welcome}, {down}, {refused, sentence} and each message. A line that has not
// heard a pong for the length of the lease is dead, and a new one is made.

import { Reconnect } from "../core/reconnect.js";
import { sentence } from "../core/words.js";

const OPEN_MS = 5_000;
const REPLACED = 4409;
const REFUSED = 4403;
/** The hub's own word that asking again at once is of no use. */
const HOLD_OFF = ["version", "identity", "hub_full", "not_allowed", "rate_limited", "replaced"];

export class Line {
  #socket = null;
  #reconnect = new Reconnect(Math.random);
  #wanted = false;
  #timer = 0;
  #watch = 0;
  #isUp = false;
  #error = null;
  #boot = null;
  #on;
  #who;

  /** `who()` gives {id, key, name}; `on(what, detail)` hears what happens. */
  constructor(who, on) {
    this.#who = who;
    this.#on = on;
  }

  /** Which start of the hub this is; the sound of another one is gone. */
  get boot() {
    return this.#boot;
  }

  get isUp() {
    return this.#isUp;
  }

  start() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#open();
  }

  stop() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#drop(1000);
  }

  /** Send a message; false when there is no session. */
  send(message) {
    if (!this.#isUp || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** The hub was silent for longer than a lease: begin anew. */
  dead() {
    this.#drop(4000);
  }

  /** Try now rather than later: the network is back, or the page is. */
  kick() {
    if (!this.#wanted || this.#socket) return;
    clearTimeout(this.#timer);
    this.#open();
  }

  #open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.#reconnect.started(seconds());
    this.#error = null;
    const socket = new WebSocket(`${scheme}://${location.host}/member/v1`);
    this.#socket = socket;
    this.#watch = setTimeout(() => this.#drop(4000), OPEN_MS);
    socket.onmessage = ({ data }) => this.#socket === socket && this.#take(data);
    socket.onclose = ({ code }) => this.#socket === socket && this.#closed(code);
  }

  #take(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // not ours; the hub sends JSON alone
    }
    if (this.#isUp) this.#on("message", message);
    else if (message.t === "challenge") this.#hello(message);
    else if (message.t === "welcome") this.#welcome(message);
    else if (message.t === "error") this.#error = message;
    if (message.t === "error" && message.req == null) this.#error = message;
  }

  #hello({ boot }) {
    this.#boot = boot;
    const { id, key, name } = this.#who();
    const nonce = Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) =>
      byte.toString(16).padStart(2, "0"),
    ).join("");
    const hello = {
      t: "hello",
      proto_min: 1,
      proto_max: 1,
      id,
      key,
      name,
      nonce,
      kind: "browser",
      role: "guest",
      software: "stagebox console",
    };
    this.#socket.send(JSON.stringify(hello));
  }

  #welcome(message) {
    clearTimeout(this.#watch);
    this.#isUp = true;
    this.#reconnect.opened(seconds());
    this.#on("up", message);
  }

  #drop(code) {
    const socket = this.#socket;
    if (!socket) return;
    this.#closed(code);
    socket.close();
  }

  #closed(code) {
    clearTimeout(this.#watch);
    const wasUp = this.#isUp;
    this.#socket = null;
    this.#isUp = false;
    if (wasUp) this.#on("down", { code });
    if (!this.#wanted) return;
    if (code === REPLACED) {
      this.#wanted = false;
      this.#on("refused", { code: "replaced", sentence: sentence("error", "replaced") });
      return;
    }
    this.#again(code);
  }

  #again(code) {
    const { code: why = null, detail = "", retry_after_s: wait = 0 } = this.#error ?? {};
    if (HOLD_OFF.includes(why) || code === REFUSED) {
      this.#reconnect.refused(seconds(), wait);
      this.#on("refused", {
        code: why,
        sentence: sentence("error", why ?? "internal", { detail }),
      });
    }
    const pause = this.#reconnect.ended(seconds()) - seconds();
    this.#timer = setTimeout(() => this.#open(), pause * 1000);
  }
}

/** Seconds of a clock that only goes on. */
export function seconds() {
  return performance.now() / 1000;
}
