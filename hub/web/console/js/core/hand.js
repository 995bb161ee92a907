// The raised hand: a place in the queue, on the HAND table.
//
// The hub names the place by the request that earned it, and by a later request of the same
// member if it likes. The last few names are kept, so that lowering the hand withdraws
// whatever the hub calls it.

import { HAND, step } from "./floor.js";
import { release, say } from "./talk.js";
import { Ask } from "./timers.js";

const NAMES_KEPT = 4;
/** What was withdrawn a moment ago may still be spoken of in messages on their way. */
const WITHDRAWN_KEPT = 16;

/** The hand of this browser. Pure: events and `now` in, effects out. */
export class RaisedHand {
  phase = "down";
  position = null;
  offerUntil = null;
  since = null;
  #newReq;
  #names = [];
  #withdrawn = [];
  #ask = null;

  constructor(newReq) {
    this.#newReq = newReq;
  }

  /** Raise the hand, or take it down. */
  tap(now) {
    const names = [...this.#names];
    return this.#step("tap") === "raise" ? this.#raise(now) : this.#lower(names);
  }

  knows(req) {
    return this.#names.includes(req);
  }

  queued(req, position, now) {
    if (!this.#name(req)) return [];
    const [was, before] = [this.phase, this.position];
    this.#step("queue");
    this.position = position;
    this.since ??= now;
    if (was !== "waiting") return [say("hand", "queued", position)];
    return position === 1 && before !== 1 ? [say("hand", "next", 1)] : [];
  }

  offered(req, expiresIn, now) {
    if (!this.#name(req)) return [];
    const was = this.phase;
    this.#step("offer");
    this.offerUntil = now + expiresIn;
    return was === "offered" ? [] : [say("hand", "offered", Math.round(expiresIn))];
  }

  /** `req` waits no more. An older name ends nothing. */
  ended(req) {
    if (this.#names.at(-1) === req) this.clear();
    else this.#names = this.#names.filter((name) => name !== req);
  }

  clear() {
    this.#step("end");
  }

  /** This browser released `req`: what the hub still says of it is late. */
  withdraw(req) {
    this.#withdrawn = [...this.#withdrawn, req].slice(-WITHDRAWN_KEPT);
    this.ended(req);
  }

  get deadline() {
    return this.#ask?.deadline ?? null;
  }

  tick(now) {
    if (!this.#ask || now < this.#ask.deadline) return [];
    if (this.#ask.mayResend) return [this.#ask.resend()];
    const { req } = this.#ask.message;
    this.withdraw(req);
    return [release(req), say("local", "no_answer")];
  }

  #step(cue) {
    const [phase, act] = step(HAND, this.phase, cue);
    this.phase = phase;
    if (phase !== "asked") this.#ask = null;
    if (phase !== "waiting") this.position = null;
    if (phase !== "offered") this.offerUntil = null;
    if (phase === "down") {
      this.#names = [];
      this.since = null;
    }
    return act;
  }

  #raise(now) {
    const request = { t: "floor.request", req: this.#newReq(), via: "hand" };
    this.#names.push(request.req);
    this.#ask = new Ask(request, now);
    return [{ do: "send", message: request }];
  }

  #lower(names) {
    this.#withdrawn = [...this.#withdrawn, ...names].slice(-WITHDRAWN_KEPT);
    return [...names.map(release), say("cancel", "by_self")];
  }

  /** Make `req` the newest name, unless it was withdrawn. */
  #name(req) {
    if (this.#withdrawn.includes(req)) return false;
    this.#names = [...this.#names.filter((name) => name !== req), req].slice(-NAMES_KEPT);
    return true;
  }
}
