// The heartbeat's clock, on a thread of its own: a page that is put away has slow timers.

export class Heart {
  #worker = null;
  #ms = 0;
  #beats;

  constructor(beats) {
    this.#beats = beats;
  }

  /** Beat every so many seconds; 0: not at all. */
  pace(seconds) {
    const ms = seconds * 1000;
    if (ms === this.#ms) return;
    this.#ms = ms;
    if (!this.#worker) {
      this.#worker = new Worker(new URL("./beat.js", import.meta.url));
      this.#worker.onmessage = this.#beats;
    }
    this.#worker.postMessage(ms);
  }
}
