// What is heard and how loud: one audio element, and meters of both directions.
//
// The meters only look. What is heard comes from the element, so it plays on when the page is
// put away, and in browsers that stop sound graphs.

/** The quietest that a meter shows, in dB below full scale. */
const FLOOR_DB = -54;

export class Sound {
  #element = document.createElement("audio");
  #context = null;
  #in = null;
  #out = null;
  #on;

  /** `on(what)` hears "blocked" when the browser wants a press before it plays. */
  constructor(on) {
    this.#on = on;
    this.#element.autoplay = true;
  }

  /** Play this track; null: nothing. */
  play(track) {
    this.#element.srcObject = track ? new MediaStream([track]) : null;
    this.#out = track ? this.#meter(this.#element.srcObject) : null;
    if (track) this.resume();
  }

  /** Try to play; a press of any button allows it. */
  async resume() {
    try {
      if (this.#context?.state === "suspended") this.#context.resume();
      if (this.#element.srcObject) await this.#element.play();
      this.#on("plays");
    } catch (error) {
      if (error.name === "NotAllowedError") this.#on("blocked");
    }
  }

  /** How loud, 0 to 1. */
  set volume(level) {
    this.#element.volume = Math.max(0, Math.min(1, level));
  }

  /** Meter this microphone; null: none. */
  listen(stream) {
    this.#in = stream ? this.#meter(stream) : null;
  }

  /** The level of what is heard, 0 to 1. */
  get heard() {
    return level(this.#out);
  }

  /** The level of the microphone, 0 to 1. */
  get spoken() {
    return level(this.#in);
  }

  /** The level of the microphone in dB below full scale. */
  get spokenDb() {
    return this.#in ? decibels(this.#in) : -120;
  }

  #meter(stream) {
    this.#context ??= new AudioContext({ latencyHint: "balanced" });
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 1024;
    this.#context.createMediaStreamSource(stream).connect(analyser);
    return { analyser, samples: new Float32Array(analyser.fftSize) };
  }
}

function decibels({ analyser, samples }) {
  analyser.getFloatTimeDomainData(samples);
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.max(-120, 10 * Math.log10(sum / samples.length + 1e-12));
}

function level(meter) {
  return meter ? Math.max(0, Math.min(1, 1 - decibels(meter) / FLOOR_DB)) : 0;
}
