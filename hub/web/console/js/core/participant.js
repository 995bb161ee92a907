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
import { release, say, TalkKey } from "./talk.js";
import { Heartbeat, HEARTBEAT_S, LEASE_S } from "./timers.js";
import { applied, isEvent, isFloorFree, me, viewOf } from "./view.js";

/** A snapshot is one answer away; asking sooner adds to what is late already. */
const SNAPSHOT_RETRY_S = 1;

/** One browser's side of floor control. `prefix` must be new at every load of the page. */
export class Participant {
  view = null;
  #prefix;
  #reqs = 0;
  #talk;
  #hand;
  #beat = new Heartbeat();
  #heartbeat = HEARTBEAT_S;
  #isDown = false;
  #isLinked = false;
  #isLossTold = false;
  #lastSpace = null;
  #askedAt = null;
  #clock = null;
  #microphone = "none";
  #hasSound = false;
  #wants = false;

  constructor(prefix) {
    this.#prefix = prefix;
    const newReq = () => this.newReq();
    this.#talk = new TalkKey(newReq);
    this.#hand = new RaisedHand(newReq);
  }

  // --- what there is to see -------------------------------------------------------------

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
    return this.#clock === null ? null : now + this.#clock;
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
    this.#wants = why.some((effect) => effect.do === "microphone");
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
    if (this.#microphone === "asking") return [say("local", "microphone_asking")];
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

  _link_down(_event, now) {
    const effects = this.#reset(now);
    this.#talk.cooldownUntil = null;
    this.#isLinked = false;
    const wasTold = this.#isLossTold;
    this.#isLossTold = true;
    return wasTold ? effects : [...effects, say("local", "link_lost")];
  }

  #reset(now) {
    const effects = this.#silence(now);
    this.#hand.clear();
    this.#beat = new Heartbeat();
    this.view = null;
    this.#askedAt = null;
    return effects;
  }

  _ping(_event, now) {
    return this.#isLinked ? [{ do: "send", message: { t: "ping", n: this.#beat.ping(now) } }] : [];
  }

  /** This browser left the space, by its own wish or not. */
  _left(_event, now) {
    if (!this.view) return [];
    this.view = null;
    this.#lastSpace = null;
    const effects = this.#silence(now);
    this.#hand.clear();
    return effects;
  }

  // --- the hub --------------------------------------------------------------------------

  _message({ message }, now) {
    if (!this.#isLinked) return [];
    if (isEvent(message.t)) return this.#event(message, now);
    const row = MESSAGES[message.t];
    return row ? this[row](message, now) : [];
  }

  _pong({ n, grant = null, clock = 0 }, now) {
    const sentAt = this.#beat.sentAt(n);
    if (sentAt === undefined) return [];
    if (clock) this.#clock = clock - (sentAt + now) / 2;
    if (grant !== null) this.#talk.renew(grant, sentAt);
    return [{ do: "heard", roundTrip: now - sentAt }];
  }

  _snapshot(message, now) {
    const was = this.#lastSpace;
    this.#lastSpace = message.space.id;
    this.view = viewOf(message);
    this.#askedAt = null;
    if (message.clock) this.#clock = message.clock - now;
    if (was === message.space.id) return [];
    const effects = this.#talk.stop(now);
    this.#hand.clear();
    this.#talk.cooldownUntil = null;
    return effects;
  }

  #event(message, now) {
    if (!this.view) return [];
    const after = applied(this.view, message);
    if (after) {
      this.view = after;
      const isMe = message.t === "member.left" && message.id === after.you;
      return isMe && !after.admin ? [...this._left(message, now), { do: "out" }] : [];
    }
    if (this.#askedAt !== null && now < this.#askedAt + SNAPSHOT_RETRY_S) return [];
    this.#askedAt = now;
    return [{ do: "send", message: { t: "snapshot.get", req: this.newReq() } }];
  }

  _granted(message, now) {
    const wasOpen = this.#talk.isOpen;
    const effects = this.#talk.grant(message, now);
    if (this.#talk.isOpen && !wasOpen) this.#hand.clear(); // what the hand was up for
    return effects;
  }

  _queued({ req, position }, now) {
    const effects = this.#talk.isMine(req) ? this.#talk.queue(now) : [];
    return [...effects, ...this.#hand.queued(req, position, now)];
  }

  _offered({ req, expires_in_s: expiresIn }, now) {
    this.#talk.cooldownUntil = null;
    // A press that is asking under another name may be taking up this very offer.
    const isOld = this.#talk.phase === "queued" || this.#talk.isMine(req);
    const effects = isOld ? this.#talk.spend(now) : [];
    return [...effects, ...this.#hand.offered(req, expiresIn, now)];
  }

  _denied({ req, cause, retry_after_s: retry = 0, holder = null }, now) {
    const told = { ...say("deny", cause, Math.ceil(retry) || null), holder };
    return this.#no(req, told, retry, now);
  }

  _error({ code, detail, req = null, retry_after_s: retry = 0 }, now) {
    if (req === null) return [];
    return this.#no(req, { ...say("error", code), detail }, retry, now);
  }

  _cancelled({ req, cause }, now) {
    return this.#no(req, say("cancel", cause), 0, now);
  }

  _revoked(message, now) {
    return this.#talk.revoke(message, now);
  }

  _released({ req }, now) {
    this.#hand.ended(req);
    return this.#talk.isMine(req) ? this.#talk.stop(now) : [];
  }

  #no(req, told, retry, now) {
    const [isPress, isHand] = [this.#talk.isMine(req), this.#hand.knows(req)];
    this.#hand.ended(req);
    if (isPress) {
      const held = ["frozen", "held"].includes(told.cause);
      return [...this.#talk.refuse(now, retry, held), told];
    }
    return isHand ? [told] : [];
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

const MESSAGES = {
  pong: "_pong",
  snapshot: "_snapshot",
  "floor.granted": "_granted",
  "floor.queued": "_queued",
  "floor.offered": "_offered",
  "floor.denied": "_denied",
  "floor.revoked": "_revoked",
  "floor.cancelled": "_cancelled",
  "floor.released": "_released",
  error: "_error",
};

export { release };
