// The floor participant: what one browser does about fingers, hub messages and time.
//
// TalkKey follows the press of TALK and RaisedHand the place in the queue. The participant
// decides which of their cues an event is: it knows the line, the space and the microphone,
// and bars a press that cannot lead anywhere. Whatever takes one of these away while the
// microphone is open closes it first and tells the hub afterwards. Every stop spends the
// press: only a finger that comes down again asks again.
//
// Effects are carried out in order. `tick` is due at `deadline`. `now` is in seconds and
// never goes back.

import { RaisedHand } from "./hand.js";
import { Inbox } from "./inbox.js";
import { say, TalkKey } from "./talk.js";
import { HEARTBEAT_S, LEASE_S } from "./timers.js";
import { isFloorFree, me } from "./view.js";

// Why a press does nothing yet; if it is still held then, it counts.
const WAIT = "microphone_asking";

/** One browser's side of floor control. `prefix` must be new at every load of the page. */
export class Participant {
  #prefix;
  #reqs = 0;
  #talk;
  #hand;
  #inbox;
  #heartbeat = HEARTBEAT_S;
  #isDown = false;
  #isLinked = false;
  #isLossTold = false;
  #microphone = "none";
  #hasSound = false;
  #wants = false;

  constructor(prefix) {
    this.#prefix = prefix;
    const newReq = () => this.newReq();
    this.#talk = new TalkKey(newReq);
    this.#hand = new RaisedHand(newReq);
    this.#inbox = new Inbox(this.#talk, this.#hand, newReq);
  }

  // --- what there is to see -------------------------------------------------------------

  /** The space as this browser knows it; null outside a space. */
  get view() {
    return this.#inbox.view;
  }

  /** How this browser stands to the floor, in one word. */
  get state() {
    const [talk, hand] = [this.#talk, this.#hand];
    if (!this.#isLinked) return "offline";
    if (!this.view) return "no_space";
    if (talk.phase === "asking") return "asking";
    if (talk.isOpen) return "live";
    if (talk.isHeld || me(this.view)?.held) return "held";
    if (hand.phase === "offered") return "offered";
    if (hand.phase === "waiting") return hand.position === 1 ? "next" : "queued";
    if (talk.cooldownUntil !== null) return "cooldown";
    return isFloorFree(this.view) ? "free" : "busy";
  }

  /** What the page shows besides the state. */
  get shown() {
    const { phase, position, offerUntil, since } = this.#hand;
    return {
      state: this.state,
      isDown: this.#isDown,
      isRefused: this.#talk.isRefused,
      isWarned: this.#talk.isWarned,
      cooldownUntil: this.#talk.cooldownUntil,
      turn: this.#talk.turn,
      hand: { isUp: phase !== "down", phase, position, offerUntil, since },
      microphone: this.#microphone,
    };
  }

  /** Seconds from one ping to the next: half as long while talking. */
  get heartbeat() {
    return this.#talk.isOpen ? this.#heartbeat / 2 : this.#heartbeat;
  }

  get deadline() {
    const [a, b] = [this.#talk.deadline, this.#hand.deadline];
    return a === null || b === null ? (a ?? b) : Math.min(a, b);
  }

  /** The hub's clock at `now`; null before the hub said where it stands. */
  hubNow(now) {
    return this.#inbox.hubNow(now);
  }

  newReq() {
    this.#reqs += 1;
    return `${this.#prefix}${this.#reqs}`;
  }

  // --- events in, effects out -----------------------------------------------------------

  /** Take one event {on, ...}; return what to do, in order. */
  handle(event, now) {
    const dueNow = this.#runOut(now);
    return this.#finish([...dueNow, ...(this[EVENTS[event.on]](event, now) ?? [])]);
  }

  tick(now) {
    return this.#finish(this.#runOut(now));
  }

  #runOut(now) {
    return [...this.#talk.tick(now), ...this.#hand.tick(now)];
  }

  #finish(effects) {
    for (const { message } of effects) {
      if (message?.t === "floor.release") this.#hand.withdraw(message.req);
    }
    return this.#isLinked ? effects : effects.filter((effect) => effect.do !== "send");
  }

  // --- fingers --------------------------------------------------------------------------

  _down(_event, now) {
    if (this.#isDown) return [];
    this.#isDown = true;
    return this.#press(now);
  }

  #press(now) {
    this.#wants = false;
    const why = this.#whyNot(now);
    if (!why) return this.#talk.press(now);
    // A microphone that comes while this finger is still down serves this press.
    this.#wants = why.some(({ do: act, cause }) => act === "microphone" || cause === WAIT);
    return [...this.#talk.bar(now), ...why];
  }

  _up(_event, now) {
    if (!this.#isDown) return [];
    this.#isDown = this.#wants = false;
    return this.#talk.lift(now);
  }

  _hand(_event, now) {
    if (!this.view) return [say("local", this.#isLinked ? "no_space" : "link_lost")];
    if (this.#talk.isOpen || this.#talk.phase === "asking") return [];
    const raising = this.#hand.phase === "down" && this.#microphone === "none";
    const first = raising ? [{ do: "microphone" }] : [];
    return [...first, ...this.#talk.spend(now), ...this.#hand.tap(now)];
  }

  #whyNot(now) {
    if (!this.#isLinked) return [say("local", "link_lost")];
    if (!this.view) return [say("local", "no_space")];
    const until = this.#talk.cooldownUntil;
    if (until !== null) return [say("deny", "retry_after", Math.ceil(until - now))];
    if (this.#microphone === "none") return [{ do: "microphone" }];
    if (this.#microphone === "asking") return [say("local", WAIT)];
    return this.#hasSound ? null : [say("local", "no_sound")];
  }

  // --- microphone, sound, page ----------------------------------------------------------

  /** `is`: none, asking or ready. */
  _microphone({ is }, now) {
    this.#microphone = is;
    if (is !== "ready") return is === "none" && this.#talk.isActive ? this.#silence(now) : [];
    if (!this.#wants || !this.#isDown) return [];
    this.#talk.lift(now);
    return this.#press(now);
  }

  /** Whether sound can leave: the media session is connected. */
  _sound({ ok }, now) {
    this.#hasSound = ok;
    return ok || !this.#talk.isOpen ? [] : [...this.#silence(now), say("local", "no_sound")];
  }

  /** The page was put away. */
  _hidden(_event, now) {
    if (!this.#talk.isActive) return [];
    return [...this.#silence(now), say("local", "hidden")];
  }

  // --- the line -------------------------------------------------------------------------

  _link_up({ heartbeat_ms: beat = 1000, lease_ms: lease = 2500 }, now) {
    const effects = this.#reset(now);
    this.#talk.leaseS = Math.min(lease / 1000, LEASE_S);
    this.#heartbeat = Math.min(beat / 1000, HEARTBEAT_S);
    this.#isLinked = true;
    const wasTold = this.#isLossTold;
    this.#isLossTold = false;
    return wasTold ? [...effects, say("local", "link_back")] : effects;
  }

  /** `wanted`: this page closed it, so there is nothing to tell. */
  _link_down({ wanted = false }, now) {
    const effects = this.#reset(now);
    this.#talk.cooldownUntil = null;
    this.#isLinked = false;
    if (wanted) return effects;
    const wasTold = this.#isLossTold;
    this.#isLossTold = true;
    return wasTold ? effects : [...effects, say("local", "link_lost")];
  }

  #reset(now) {
    const effects = this.#silence(now);
    this.#hand.clear();
    this.#inbox.newSession();
    return effects;
  }

  _ping(_event, now) {
    return this.#isLinked ? [{ do: "send", message: this.#inbox.ping(now) }] : [];
  }

  /** This browser left the space, by its own wish or not. */
  _left(_event, now) {
    if (!this.view) return [];
    this.#inbox.leave();
    const effects = this.#silence(now);
    this.#hand.clear();
    return effects;
  }

  // --- the hub --------------------------------------------------------------------------

  _message({ message }, now) {
    if (!this.#isLinked) return [];
    const effects = this.#inbox.handle(message, now);
    return effects.some((effect) => effect.do === "out")
      ? [...this._left(null, now), ...effects]
      : effects;
  }

  /** Close the microphone before anything else. */
  #silence(now) {
    const rest = this.#talk.stop(now).filter((effect) => effect.do !== "cut");
    return [{ do: "cut" }, ...rest];
  }
}

const EVENTS = {
  down: "_down",
  up: "_up",
  hand: "_hand",
  microphone: "_microphone",
  sound: "_sound",
  hidden: "_hidden",
  link_up: "_link_up",
  link_down: "_link_down",
  ping: "_ping",
  left: "_left",
  message: "_message",
};
