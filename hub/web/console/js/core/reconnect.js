// When to try again: growing pauses with full jitter, short while the hub was there lately.

const FIRST_CEILING_S = 0.25;
/** While the hub was there a short time ago it is most likely starting again. */
const RECENT_CEILING_S = 2;
const LAST_CEILING_S = 8;
const RECENT_S = 600;
/** A session that lasted this long was not part of the trouble. */
const STABLE_S = 10;
/** A hub that said no means it for a while. */
const REFUSED_S = 3;
const LONGEST_REFUSAL_S = 30;

/** Decides when the next try starts. `random` returns 0 to 1; times are seconds. */
export class Reconnect {
  #random;
  #failures = 0;
  #started = -Infinity;
  #opened = null;
  #seen = -Infinity;
  #notBefore = -Infinity;

  constructor(random) {
    this.#random = random;
  }

  started(now) {
    this.#started = now;
  }

  opened(now) {
    this.#opened = this.#seen = now;
    this.#notBefore = -Infinity;
  }

  /** When to start the next try: this one failed, or its session ended. */
  ended(now) {
    let since = this.#started;
    if (this.#opened !== null) {
      since = this.#seen = now;
      if (now - this.#opened >= STABLE_S) this.#failures = 0;
      this.#opened = null;
    }
    const last = now - this.#seen < RECENT_S ? RECENT_CEILING_S : LAST_CEILING_S;
    const ceiling = Math.min(last, FIRST_CEILING_S * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    return Math.max(now, since + this.#random() * ceiling, this.#notBefore);
  }

  /** The hub lost it by its own fault and says so: within `spread` seconds. */
  lost(now, spread) {
    return now + this.#random() * Math.min(spread, RECENT_CEILING_S);
  }

  /** The hub said no, and perhaps for how long. */
  refused(now, retryAfter = 0) {
    const wait = Math.min(Math.max(retryAfter, REFUSED_S), LONGEST_REFUSAL_S);
    this.#notBefore = Math.max(this.#notBefore, now + wait);
  }
}
