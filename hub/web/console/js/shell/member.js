// This browser as a member: the floor participant, its line, its sound and its microphone.
//
// One owner of all four. It tells the page two things: "change" when something that is shown
// changed, and "say" with a sentence for this browser's user.

import { captioned } from "../core/captions.js";
import { Participant } from "../core/participant.js";
import { me } from "../core/view.js";
import { sentence } from "../core/words.js";
import { Problem } from "./api.js";
import { setting } from "./keep.js";
import { Line, seconds } from "./line.js";
import { Media } from "./media.js";
import { canTalk, openMicrophone } from "./microphone.js";
import { Sound } from "./sound.js";

const ANSWER_MS = 6_000;
const HEALTH_S = 10;
/** Nobody forgets that a page has the microphone: it is let go after so long without use. */
const MICROPHONE_IDLE_S = 300;
const REACTION_S = 4;
/** Pongs that wait behind a busy page were heard: a second look before the line is dropped. */
const DEAD_AFTER_S = 2.5;

export class Member {
  captions = [];
  reactions = [];
  notices = [];
  refusal = null;
  left = null;
  soundBlocked = false;
  coughs = false;
  roundTrip = 0;
  hidden = false;
  #floor;
  #line;
  #media;
  #sound;
  #microphone = null;
  #usedAt = 0;
  #space = null;
  #invite = null;
  #waiting = new Map();
  #timer = 0;
  #beat = null;
  #beatMs = 0;
  #heardAt = 0;
  #isDoubted = false;
  #healthAt = 0;
  #startedAt = seconds();
  #stats = { lost: 0, received: 0 };
  #on;

  constructor(who, on) {
    const bytes = crypto.getRandomValues(new Uint8Array(5));
    const prefix = Array.from(bytes, (byte) => byte.toString(36)).join("").slice(0, 10);
    this.#floor = new Participant(`w${prefix}-`);
    this.#on = on;
    this.#line = new Line(who, (what, detail) => this.#heard(what, detail));
    this.#media = new Media((sdp) => this.#offer(sdp), (what, value) => this.#sounds(what, value));
    this.#sound = new Sound((what) => this.#played(what));
    document.addEventListener("visibilitychange", () => this.#visibility());
    window.addEventListener("online", () => this.#line.kick());
    window.addEventListener("pagehide", () => this.#feed({ on: "hidden" }));
  }

  // --- what there is to see -------------------------------------------------------------

  get view() {
    return this.#floor.view;
  }

  get shown() {
    return this.#floor.shown;
  }

  get isUp() {
    return this.#line.isUp;
  }

  get hasSound() {
    return this.#media.isConnected;
  }

  /** Whether audio frames leave this browser now; from its own sender, not the hub's word. */
  get onAir() {
    return this.#media.isOpen && this.hasSound && this.#microphone !== null && !this.coughs;
  }

  /** The space that this browser is in or wants to be in. */
  get space() {
    return this.#space;
  }

  get hubNow() {
    return this.#floor.hubNow(seconds()) ?? 0;
  }

  /** The level of what is heard, and of the own microphone: 0 to 1. */
  get levels() {
    return { heard: this.#sound.heard, spoken: this.#sound.spoken };
  }

  // --- what the page does ---------------------------------------------------------------

  /** Enter a space and stay in it until `leave`. */
  join(space, { invite = null, hidden = false } = {}) {
    if (this.#space && this.#space !== space) this.#out();
    this.left = this.refusal = null;
    [this.#space, this.#invite, this.hidden] = [space, invite, hidden];
    this.captions = [];
    if (this.#line.isUp) this.#enter();
    else this.#line.start();
    this.#sound.resume();
    this.#on("change");
  }

  leave() {
    if (this.view) this.#line.send({ t: "leave", req: this.#floor.newReq() });
    this.#out();
    this.#line.stop();
    this.#on("change");
  }

  down() {
    this.#usedAt = seconds();
    this.#feed({ on: "down" });
  }

  up() {
    this.#feed({ on: "up" });
  }

  hand() {
    this.#usedAt = seconds();
    this.#feed({ on: "hand" });
  }

  cough(on) {
    this.coughs = on && this.#media.isOpen;
    this.#media.hush(this.coughs);
    this.#on("change");
  }

  /** Ask something of the space; resolves to the answer, throws Problem. */
  act(message) {
    return this.#request({ ...message, req: this.#floor.newReq() });
  }

  /** Play what is heard as loud as the settings say. */
  tune() {
    const talkers = (this.view?.floor.talkers ?? []).filter((id) => id !== this.view.you);
    const own = talkers.length === 1 ? (setting("volumes")[talkers[0]] ?? 100) : 100;
    this.#sound.volume = (own / 100) * (setting("loud") / 100);
  }

  resumeSound() {
    this.#sound.resume();
  }

  // --- the line -------------------------------------------------------------------------

  #heard(what, detail) {
    if (what === "message") return this.#take(detail);
    if (what === "up") {
      this.refusal = null;
      this.#heardAt = seconds();
      this.#feed({ on: "link_up", ...detail });
      this.#pace(true);
      if (this.#space) this.#enter();
    } else if (what === "down") {
      this.#fail("no_hub");
      this.#feed({ on: "link_down" });
      this.#pace(false);
    } else {
      this.refusal = detail;
      if (detail.code === "replaced") this.#out();
    }
    this.#on("change");
    return undefined;
  }

  async #enter() {
    const message = { t: "join", space: this.#space, invite: this.#invite, hidden: this.hidden };
    const wanted = this.#space;
    try {
      await this.act(message);
      this.#invite = null; // used; the hub keeps the place that it gave
    } catch (problem) {
      if (wanted !== this.#space || problem.code === "no_hub") return;
      this.refusal = { code: problem.code, sentence: problem.message };
      this.#out();
      this.#on("change");
    }
  }

  #take(message) {
    const isReply = message.req != null && this.#waiting.has(message.req);
    const feed = isReply && message.t === "error" ? null : message;
    const before = this.view;
    if (feed) this.#feed({ on: "message", message });
    if (isReply) this.#answer(message);
    const row = OTHERS[message.t];
    if (row) this[row](message);
    if (message.t === "snapshot" && before?.space.id !== message.space.id) this.#entered();
    if (this.view !== before) this.tune();
    if (message.t !== "pong") this.#on("change");
  }

  #entered() {
    const talks = canTalk();
    if (this.hasSound && this.#media.talks === talks) return;
    this.#media.start(talks);
  }

  _left({ cause }) {
    this.left = { cause, sentence: sentence("gone", cause), space: this.#space };
    this.#out();
    this.#line.stop();
  }

  _lost({ spread_s: spread = 0 }) {
    if (this.#space && !this.hasSound) this.#media.start(canTalk());
    else this.#media.lost(spread);
  }

  _reaction({ member, mark }) {
    const one = { member, mark, at: seconds(), key: `${member}${seconds()}` };
    this.reactions = [...this.reactions, one].slice(-20);
    setTimeout(() => {
      this.reactions = this.reactions.filter((each) => each !== one);
      this.#on("change");
    }, REACTION_S * 1000);
  }

  _caption(message) {
    this.captions = captioned(this.captions, message, seconds());
  }

  _notice(message) {
    this.#on("notice", message);
  }

  #request(message) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(message.req, reject, "no_hub"), ANSWER_MS);
      this.#waiting.set(message.req, { resolve, reject, timer });
      if (!this.#line.send(message)) this.#settle(message.req, reject, "no_hub");
    });
  }

  #settle(req, reject, code) {
    clearTimeout(this.#waiting.get(req)?.timer);
    this.#waiting.delete(req);
    reject(new Problem(code, sentence("local", code)));
  }

  #answer(message) {
    const { resolve, reject, timer } = this.#waiting.get(message.req);
    clearTimeout(timer);
    this.#waiting.delete(message.req);
    if (message.t !== "error") return resolve(message);
    const { code, detail, retry_after_s: retryAfter = 0 } = message;
    const text = code === "bad_value" ? detail : sentence("error", code, { detail });
    return reject(new Problem(code, text, { retryAfter }));
  }

  #fail(code) {
    for (const [req, { reject }] of [...this.#waiting]) this.#settle(req, reject, code);
  }

  // --- the floor ------------------------------------------------------------------------

  #feed(event) {
    this.#apply(this.#floor.handle(event, seconds()));
    this.#on("change");
  }

  #apply(effects) {
    for (const effect of effects) {
      if (effect.do === "send") this.#line.send(effect.message);
      else if (effect.do === "open") this.#opens();
      else if (effect.do === "cut") this.#media.close();
      else if (effect.do === "say") this.#on("say", effect);
      else if (effect.do === "microphone") this.#wantMicrophone();
      else if (effect.do === "heard") this.#pong(effect.roundTrip);
      else if (effect.do === "out") this.#out();
    }
    if (!this.#media.isOpen) this.coughs = false;
    this.#arm();
  }

  #opens() {
    this.#media.open();
    this.#on("open");
  }

  #arm() {
    clearTimeout(this.#timer);
    const { deadline } = this.#floor;
    if (deadline !== null) {
      const wait = Math.max(0, (deadline - seconds()) * 1000 + 1);
      this.#timer = setTimeout(() => {
        this.#apply(this.#floor.tick(seconds()));
        this.#on("change");
      }, wait);
    }
    if (this.#line.isUp) this.#pace(true);
  }

  #pong(roundTrip) {
    this.roundTrip = roundTrip;
    this.#heardAt = seconds();
    this.#isDoubted = false;
  }

  #pace(on) {
    const ms = on ? this.#floor.heartbeat * 1000 : 0;
    if (ms === this.#beatMs) return;
    this.#beatMs = ms;
    if (!this.#beat) {
      this.#beat = new Worker(new URL("./beat.js", import.meta.url));
      this.#beat.onmessage = () => this.#beats();
    }
    this.#beat.postMessage(ms);
  }

  #beats() {
    const now = seconds();
    if (!this.#line.isUp) return;
    if (now - this.#heardAt > DEAD_AFTER_S) {
      if (this.#isDoubted) return this.#line.dead();
      this.#isDoubted = true;
    }
    this.#apply(this.#floor.handle({ on: "ping" }, now));
    if (now - this.#healthAt >= HEALTH_S) this.#tellHealth(now);
    if (this.#microphone && now - this.#usedAt > MICROPHONE_IDLE_S && !this.#floor.shown.hand.isUp) {
      this.#dropMicrophone();
    }
    return undefined;
  }

  async #tellHealth(now) {
    this.#healthAt = now;
    const stats = await this.#media.stats().catch(() => null);
    const { packetsLost = 0, packetsReceived = 0 } = stats ?? {};
    const lost = Math.max(0, packetsLost - this.#stats.lost);
    const received = Math.max(0, packetsReceived - this.#stats.received);
    this.#stats = { lost: packetsLost, received: packetsReceived };
    const waited = stats?.jitterBufferEmittedCount
      ? (stats.jitterBufferDelay / stats.jitterBufferEmittedCount) * 1000
      : 0;
    this.#line.send({
      t: "health",
      loss: lost + received ? Math.min(1, lost / (lost + received)) : 0,
      late_ms: Math.min(60_000, waited),
      round_trip_ms: Math.min(60_000, this.roundTrip * 1000),
      mic_dbfs: Math.max(-120, Math.min(0, this.#sound.spokenDb)),
      uptime_s: Math.floor(now - this.#startedAt),
      media: this.hasSound,
    });
  }

  // --- sound ----------------------------------------------------------------------------

  async #offer(sdp) {
    const { sdp: answer } = await this.act({ t: "media.offer", sdp });
    return answer;
  }

  #sounds(what, value) {
    if (what === "track") this.#sound.play(value);
    else if (what === "sound") this.#feed({ on: "sound", ok: value });
    this.#on("change");
  }

  #played(what) {
    this.soundBlocked = what === "blocked";
    this.#on("change");
  }

  async #wantMicrophone() {
    if (!canTalk()) return;
    this.#feed({ on: "microphone", is: "asking" });
    try {
      const stream = await openMicrophone();
      const [track] = stream.getAudioTracks();
      if (!this.#space) return track.stop();
      track.onended = () => {
        this.#dropMicrophone();
        this.#on("say", { table: "local", cause: "microphone_lost" });
      };
      this.#microphone = track;
      this.#usedAt = seconds();
      this.#sound.listen(stream);
      await this.#media.use(track);
      this.#feed({ on: "microphone", is: "ready" });
    } catch (error) {
      this.#feed({ on: "microphone", is: "none" });
      this.#on("say", { table: "local", cause: error.cause ?? "no_microphone" });
    }
    return undefined;
  }

  #dropMicrophone() {
    this.#feed({ on: "microphone", is: "none" });
    if (this.#microphone) {
      this.#microphone.onended = null;
      this.#microphone.stop();
    }
    this.#microphone = null;
    this.#media.use(null);
    this.#sound.listen(null);
  }

  #visibility() {
    if (document.hidden) this.#feed({ on: "hidden" });
    else this.#line.kick();
  }

  #out() {
    this.#feed({ on: "left" });
    this.#space = null;
    this.#media.stop();
    this.#sound.play(null);
    this.#dropMicrophone();
    this.captions = [];
  }
}

const OTHERS = {
  "space.left": "_left",
  "media.lost": "_lost",
  reaction: "_reaction",
  caption: "_caption",
  notice: "_notice",
};

export { me };
