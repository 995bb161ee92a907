// This browser as a member: the floor participant, its line, its sound and its microphone.
//
// One owner of all four. It tells the page two things: "change" when something that is shown
// changed, and "say" with a sentence for this browser's user.

import { Participant } from "../core/participant.js";
import { sentence } from "../core/words.js";
import { Crowd } from "./crowd.js";
import { Health } from "./health.js";
import { Heart } from "./heart.js";
import { setting } from "./keep.js";
import { Line, seconds } from "./line.js";
import { Media } from "./media.js";
import { canTalk, Microphone } from "./microphone.js";
import { Requests } from "./requests.js";
import { Sound } from "./sound.js";

/** Pongs that wait behind a busy page were heard: a second look before the line is dropped. */
const DEAD_AFTER_S = 2.5;

export class Member {
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
  #microphone;
  #space = null;
  #invite = null;
  #requests = new Requests((message) => this.#line.send(message));
  #heart = new Heart(() => this.#beats());
  #health = new Health(seconds());
  #timer = 0;
  #boot = null;
  #last = null;
  #heardAt = 0;
  #isDoubted = false;
  #on;

  /** `who()` gives {id, key, name}; `on(what, detail)` hears change, say, open and notice. */
  constructor(who, on) {
    const bytes = crypto.getRandomValues(new Uint8Array(5));
    const prefix = Array.from(bytes, (byte) => byte.toString(36))
      .join("")
      .slice(0, 10);
    this.#floor = new Participant(`w${prefix}-`);
    this.#on = on;
    this.#line = new Line(who, (what, detail) => this.#heard(what, detail));
    this.#media = new Media(
      (sdp) => this.#offer(sdp),
      (what, value) => this.#sounds(what, value),
    );
    this.#sound = new Sound((what) => this.#played(what));
    this.#microphone = new Microphone(this.#media, this.#sound, (is, cause) =>
      this.#mic(is, cause),
    );
    this.crowd = new Crowd(() => on("change"));
    document.addEventListener("visibilitychange", () => this.#visibility());
    window.addEventListener("online", () => this.#line.kick());
    window.addEventListener("pagehide", () => this.#feed({ on: "hidden" }));
  }

  // --- what there is to see -------------------------------------------------------------

  /** The space; while the line is broken, as it was last known. */
  get view() {
    return this.#floor.view ?? this.#last;
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
    return this.#media.isOpen && this.hasSound && this.#microphone.isOpen && !this.coughs;
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
    this.crowd.clear();
    if (this.#line.isUp) this.#enter();
    else this.#line.start();
    this.#sound.resume();
    this.#on("change");
  }

  leave() {
    if (this.#floor.view) this.#line.send({ t: "leave", req: this.#floor.newReq() });
    this.#out();
    this.#line.stop();
    this.#on("change");
  }

  down() {
    this.#microphone.use(seconds());
    this.#feed({ on: "down" });
  }

  up() {
    this.#feed({ on: "up" });
  }

  hand() {
    this.#microphone.use(seconds());
    this.#feed({ on: "hand" });
  }

  cough(on) {
    this.coughs = on && this.#media.isOpen;
    this.#media.hush(this.coughs);
    this.#on("change");
  }

  /** Ask something of the space; resolves to the answer, throws Problem. */
  act(message) {
    return this.#requests.ask({ ...message, req: this.#floor.newReq() });
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
      if (this.#boot !== this.#line.boot) this.#media.stop();
      this.#boot = this.#line.boot;
      this.#heardAt = seconds();
      this.#feed({ on: "link_up", ...detail });
      this.#heart.pace(this.#floor.heartbeat);
      if (this.#space) this.#enter();
    } else if (what === "down") {
      this.#requests.fail();
      this.#feed({ on: "link_down", wanted: !this.#space });
      this.#heart.pace(0);
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
    const before = this.#floor.view;
    // A refusal of an act is its asker's; all else may concern the floor.
    const isAnswer = this.#requests.answer(message);
    if (!isAnswer || message.t !== "error") this.#feed({ on: "message", message });
    const row = OTHERS[message.t];
    if (row) this[row](message);
    if (message.t === "snapshot" && before?.space.id !== message.space.id) this.#entered();
    if (this.#floor.view !== before) this.tune();
    this.#last = this.#floor.view ?? this.#last;
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

  _reaction(message) {
    this.crowd.react(message);
  }

  _caption(message) {
    this.crowd.caption(message);
  }

  _notice(message) {
    this.#on("notice", message);
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
      else if (effect.do === "microphone") this.#microphone.open(() => this.#space !== null);
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
    if (this.#line.isUp) this.#heart.pace(this.#floor.heartbeat);
  }

  #pong(roundTrip) {
    this.roundTrip = roundTrip;
    this.#heardAt = seconds();
    this.#isDoubted = false;
  }

  #beats() {
    const now = seconds();
    if (!this.#line.isUp) return;
    if (now - this.#heardAt > DEAD_AFTER_S) {
      if (this.#isDoubted) return this.#line.dead();
      this.#isDoubted = true;
    }
    this.#apply(this.#floor.handle({ on: "ping" }, now));
    if (this.#health.isDue(now)) this.#tellHealth(now);
    if (this.#microphone.isIdle(now) && !this.#floor.shown.hand.isUp) this.#microphone.drop();
    return undefined;
  }

  async #tellHealth(now) {
    const stats = await this.#media.stats().catch(() => null);
    const { roundTrip, hasSound } = this;
    const facts = { roundTrip, hasSound, micDb: this.#sound.spokenDb };
    this.#line.send(this.#health.message(now, stats, facts));
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

  #mic(is, cause = null) {
    this.#feed({ on: "microphone", is });
    if (cause) this.#on("say", { table: "local", cause });
  }

  #visibility() {
    if (document.hidden) this.#feed({ on: "hidden" });
    else this.#line.kick();
  }

  #out() {
    this.#feed({ on: "left" });
    this.#space = this.#last = null;
    this.#media.stop();
    this.#sound.play(null);
    this.#microphone.drop();
    this.crowd.clear();
  }
}

const OTHERS = {
  "space.left": "_left",
  "media.lost": "_lost",
  reaction: "_reaction",
  caption: "_caption",
  notice: "_notice",
};
