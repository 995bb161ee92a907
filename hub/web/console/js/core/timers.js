// What runs out while a browser asks and talks: answers, the lease, the time to talk.
//
// Times are seconds of one clock that only goes on. The base of a lease is when this browser
// sent what the hub then confirmed, so a slow network can only shorten it.

/** A hub on the same network answers in 20 ms; after a second something is stuck. */
const RESEND_S = 1;
export const MAX_SENDS = 3;
/** Never longer than agreed in the protocol: the hub's patience counts on it. */
export const LEASE_S = 2.5;
export const HEARTBEAT_S = 1;
/** Older pings renew nothing; at two a second this is 8 s, over three leases. */
const PINGS_REMEMBERED = 16;
/** Long enough to end a sentence. */
const WARNING_S = 10;
/** The hub revokes at the limit and gives this long; after it the page ends by itself. */
const LIMIT_GRACE_S = 3;
/** A finger, or a thing lying on the key: five minutes is longer than any turn. */
export const MAX_TALK_S = 300;
/** The last syllable is still in the room when the finger lifts. */
export const HANG_S = 0.15;

/** Numbers pings from 1 and remembers when the last ones were sent. */
export class Heartbeat {
  #last = 0;
  #sent = new Map();

  ping(now) {
    this.#last += 1;
    this.#sent.set(this.#last, now);
    this.#sent.delete(this.#last - PINGS_REMEMBERED);
    return this.#last;
  }

  sentAt(n) {
    return this.#sent.get(n);
  }
}

/** A request that waits for its answer; it is repeated, never for ever. */
export class Ask {
  sends = 1;

  constructor(message, now) {
    this.message = message;
    this.firstSent = now;
  }

  get deadline() {
    return this.firstSent + this.sends * RESEND_S;
  }

  get mayResend() {
    return this.sends < MAX_SENDS;
  }

  resend() {
    this.sends += 1;
    return { do: "send", message: this.message };
  }
}

/** A granted floor: until when it may be used. */
export class Burst {
  cause = "too_long";
  retryAfter = 0;
  isWarned = false;
  isRevoked = false;

  constructor(leaseFrom, now, duration) {
    this.leaseFrom = leaseFrom;
    this.started = now;
    this.extend(duration);
  }

  /** Set the time to talk: the hub's, but never over this page's own. */
  extend(duration) {
    if (this.isRevoked) return;
    const limit = Math.min(duration ?? MAX_TALK_S, MAX_TALK_S);
    this.endsAt =
      this.started + Math.min(MAX_TALK_S, limit + (duration === null ? 0 : LIMIT_GRACE_S));
    this.limitAt = duration === null ? null : this.started + limit;
    this.warnAt = limit > WARNING_S ? this.started + limit - WARNING_S : null;
    this.isWarned = false;
  }

  warn() {
    this.warnAt = null;
    this.isWarned = true;
  }

  /** End after `grace` seconds, or at its own limit if that is sooner. */
  revoke(now, grace, cause, retryAfter) {
    this.warn();
    this.endsAt = Math.min(this.endsAt, now + grace);
    this.cause = cause;
    this.retryAfter = retryAfter;
    this.isRevoked = true;
  }
}
