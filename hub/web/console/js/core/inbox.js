// What the hub's messages mean to the press, the hand and the view of the space.
//
// One row for each type of message; a type without a row concerns somebody else.

import { say } from "./talk.js";
import { Heartbeat } from "./timers.js";
import { applied, isEvent, viewOf } from "./view.js";

/** A snapshot is one answer away; asking sooner adds to what is late already. */
const SNAPSHOT_RETRY_S = 1;
/** These refuse because of a hold, and not because of this press. */
const HOLDS = ["frozen", "held"];

/** Hands each message to the part that it concerns. Pure. */
export class Inbox {
  view = null;
  #talk;
  #hand;
  #newReq;
  #beat = new Heartbeat();
  #lastSpace = null;
  #askedAt = null;
  #clock = null;

  constructor(talk, hand, newReq) {
    this.#talk = talk;
    this.#hand = hand;
    this.#newReq = newReq;
  }

  /** Take one message of the session; return what to do, in order. */
  handle(message, now) {
    if (isEvent(message.t)) return this.#event(message, now);
    const row = MESSAGES[message.t];
    return row ? this[row](message, now) : [];
  }

  /** The next ping, which is sent at `now`. */
  ping(now) {
    return { t: "ping", n: this.#beat.ping(now) };
  }

  /** The hub's clock at `now`; null before the hub said where it stands. */
  hubNow(now) {
    return this.#clock === null ? null : now + this.#clock;
  }

  /** Pings count from 1 again, and the space is to be learnt anew. */
  newSession() {
    this.#beat = new Heartbeat();
    this.view = null;
    this.#askedAt = null;
  }

  /** Forget the space: this browser is not in it any more. */
  leave() {
    this.view = null;
    this.#lastSpace = null;
  }

  // --- the space ------------------------------------------------------------------------

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
      return isMe && !after.admin ? [{ do: "out" }] : [];
    }
    if (this.#askedAt !== null && now < this.#askedAt + SNAPSHOT_RETRY_S) return [];
    this.#askedAt = now;
    return [{ do: "send", message: { t: "snapshot.get", req: this.#newReq() } }];
  }

  // --- the floor ------------------------------------------------------------------------

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
    if (isPress) return [...this.#talk.refuse(now, retry, HOLDS.includes(told.cause)), told];
    return isHand ? [told] : [];
  }
}

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
