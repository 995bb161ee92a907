// How this member is doing, every ten seconds, for the hub's list of boxes.

const EVERY_S = 10;

export class Health {
  #toldAt = 0;
  #startedAt;
  #lost = 0;
  #received = 0;

  constructor(now) {
    this.#startedAt = now;
  }

  /** Whether it is time to tell. */
  isDue(now) {
    return now - this.#toldAt >= EVERY_S;
  }

  /** The message; `stats` is what the browser counted of the stream it hears, or null. */
  message(now, stats, { roundTrip, micDb, hasSound }) {
    this.#toldAt = now;
    return {
      t: "health",
      loss: this.#loss(stats ?? {}),
      late_ms: bounded(waited(stats ?? {}) * 1000, 0, 60_000),
      round_trip_ms: bounded(roundTrip * 1000, 0, 60_000),
      mic_dbfs: bounded(micDb, -120, 0),
      uptime_s: Math.floor(now - this.#startedAt),
      media: hasSound,
    };
  }

  #loss({ packetsLost = 0, packetsReceived = 0 }) {
    const lost = Math.max(0, packetsLost - this.#lost);
    const received = Math.max(0, packetsReceived - this.#received);
    [this.#lost, this.#received] = [packetsLost, packetsReceived];
    return lost + received ? lost / (lost + received) : 0;
  }
}

function waited({ jitterBufferDelay = 0, jitterBufferEmittedCount = 0 }) {
  return jitterBufferEmittedCount ? jitterBufferDelay / jitterBufferEmittedCount : 0;
}

function bounded(value, least, most) {
  return Math.max(least, Math.min(most, value));
}
