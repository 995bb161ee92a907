// One press of TALK after another, on the TALK table.
//
// The press knows its own request. Nothing but a grant of that request, while the finger is
// still down and the lease runs, opens the microphone. Effects are plain objects:
// {do: "send", message}, {do: "open"}, {do: "hang", until}, {do: "cut"}, {do: "say", ...}.

import { step, TALK } from "./floor.js";
import { Ask, Burst, HANG_S, LEASE_S, MAX_TALK_S } from "./timers.js";

/** These take the floor back without blame, and the host may give it again. */
const HOLD_CAUSES = ["host_hold", "pre_empted", "frozen"];
const ACTIVE = ["asking", "queued", "live", "tail"];
const OPEN = ["live", "tail"];

/** The TALK key and the burst it opens. Pure: events and `now` in, effects out. */
export class TalkKey {
  phase = "up";
  isHeld = false;
  isRefused = false;
  cooldownUntil = null;
  leaseS = LEASE_S;
  #newReq;
  #req = "";
  #askedAt = 0;
  #ask = null;
  #burst = null;
  #tailUntil = null;
  #stuckAt = null;

  constructor(newReq) {
    this.#newReq = newReq;
  }

  // --- the finger -----------------------------------------------------------------------

  press(now) {
    this.#stuckAt = now + MAX_TALK_S * 2;
    return this.#step("press", now);
  }

  /** Ask for nothing until the finger was seen up. */
  bar(now) {
    this.#stuckAt = now + MAX_TALK_S * 2;
    const effects = this.#step("bar", now);
    this.isRefused = true;
    return effects;
  }

  lift(now) {
    this.#stuckAt = null;
    this.isHeld = this.isRefused = false;
    return this.#step("lift", now);
  }

  /** Let nothing leave from now on, and spend the press. */
  stop(now, { held = false, retryAfter = 0 } = {}) {
    const wasActive = this.isActive;
    const effects = this.#step("stop", now);
    if (wasActive) this.#noteRefusal(now, retryAfter, held);
    return effects;
  }

  // --- the hub --------------------------------------------------------------------------

  isMine(req) {
    return req === this.#req && this.isActive;
  }

  grant(message, now) {
    if (!this.isMine(message.req)) return [release(message.req)];
    if (this.#burst) {
      if (this.phase === "live") this.#burst.extend(message.duration_s ?? null);
      return [];
    }
    if (now >= this.#askedAt + this.leaseS) {
      return [...this.refuse(now), release(message.req), say("local", "no_answer")];
    }
    this.#burst = new Burst(this.#askedAt, now, message.duration_s ?? null);
    return this.#step("grant", now);
  }

  /** The press earned a place in the queue instead of the floor. */
  queue(now) {
    return this.#step("queue", now);
  }

  /** This press opens nothing: an offer or a lowered hand came since. */
  spend(now) {
    return this.#step("spend", now);
  }

  refuse(now, retryAfter = 0, held = false) {
    const effects = this.#step("refuse", now);
    this.#noteRefusal(now, retryAfter, held);
    return effects;
  }

  revoke(message, now) {
    const { req, cause, grace_s: grace = 0, retry_after_s: retryAfter = 0 } = message;
    if (!this.isMine(req)) return [release(req)];
    const told = say("revoke", cause);
    if (this.#burst && grace > 0) {
      this.#burst.revoke(now, grace, cause, retryAfter);
      return [told];
    }
    return [...this.stop(now, { held: HOLD_CAUSES.includes(cause), retryAfter }), told];
  }

  /** Renew the lease as of a ping that was sent at `sentAt`. */
  renew(req, sentAt) {
    if (this.#burst && req === this.#req) {
      this.#burst.leaseFrom = Math.max(this.#burst.leaseFrom, sentAt);
    }
  }

  // --- time -----------------------------------------------------------------------------

  get isOpen() {
    return this.#burst !== null;
  }

  get isActive() {
    return ACTIVE.includes(this.phase);
  }

  get isWarned() {
    return this.#burst?.isWarned ?? false;
  }

  /** Since when and until when this turn runs; null when there is none. */
  get turn() {
    return this.#burst && { since: this.#burst.started, until: this.#burst.limitAt };
  }

  get deadline() {
    const burst = this.#burst;
    const times = [this.#tailUntil, this.#stuckAt, this.cooldownUntil, this.#ask?.deadline];
    if (burst) times.push(burst.leaseFrom + this.leaseS, burst.endsAt, burst.warnAt);
    return times.reduce(
      (least, at) => (at != null && (least === null || at < least) ? at : least),
      null,
    );
  }

  /** Do what time asks for; what closes comes first. */
  tick(now) {
    const effects = this.#tickBurst(now);
    if (due(this.#tailUntil, now)) effects.push(...this.#step("tail_over", now));
    effects.push(...this.#tickAsk(now));
    if (due(this.#stuckAt, now)) {
      effects.push(...this.stop(now), say("local", "stuck"));
      this.#stuckAt = null;
      this.isRefused = true;
    }
    if (due(this.cooldownUntil, now)) this.cooldownUntil = null;
    return effects;
  }

  #tickBurst(now) {
    const burst = this.#burst;
    if (!burst) return [];
    if (now >= burst.leaseFrom + this.leaseS) return [...this.stop(now), say("revoke", "lost")];
    if (now >= burst.endsAt) {
      const options = { held: HOLD_CAUSES.includes(burst.cause), retryAfter: burst.retryAfter };
      const told = burst.isRevoked ? [] : [say("revoke", burst.cause)];
      return [...this.stop(now, options), ...told];
    }
    if (due(burst.warnAt, now)) {
      burst.warn();
      return [say("local", "warning")];
    }
    return [];
  }

  #tickAsk(now) {
    if (!this.#ask || now < this.#ask.deadline) return [];
    if (this.#ask.mayResend) return [this.#ask.resend()];
    return [...this.refuse(now), release(this.#req), say("local", "no_answer")];
  }

  // --- the table ------------------------------------------------------------------------

  #step(cue, now) {
    const [phase, act] = step(TALK, this.phase, cue);
    this.phase = phase;
    if (phase !== "asking") this.#ask = null;
    const effects = this.#act(act, now);
    if (!OPEN.includes(phase)) this.#burst = this.#tailUntil = null;
    return effects;
  }

  #act(act, now) {
    switch (act) {
      case "ask":
        return this.#sendRequest(now);
      case "withdraw":
        return [release(this.#req)];
      case "open":
        return [{ do: "open" }];
      case "hang":
        this.#tailUntil = now + HANG_S;
        return [];
      case "close":
      case "cut":
        return [{ do: "cut" }, release(this.#req)];
      case "cut_ask":
        return [{ do: "cut" }, release(this.#req), ...this.#sendRequest(now)];
      default:
        return [];
    }
  }

  #sendRequest(now) {
    this.#req = this.#newReq();
    this.#askedAt = now;
    this.#burst = this.#tailUntil = null;
    this.#ask = new Ask({ t: "floor.request", req: this.#req, via: "talk" }, now);
    return [{ do: "send", message: this.#ask.message }];
  }

  #noteRefusal(now, retryAfter, held) {
    const isDown = this.phase !== "up";
    this.isHeld = isDown && held;
    this.isRefused = isDown && !held;
    if (retryAfter > 0) this.cooldownUntil = now + retryAfter;
  }
}

/** The effect of telling this browser's own user. */
export function say(table, cause, number = null) {
  return { do: "say", table, cause, number };
}

/** The effect of giving `req` back, whatever became of it. */
export function release(req) {
  return { do: "send", message: { t: "floor.release", req } };
}

function due(time, now) {
  return time !== null && now >= time;
}
