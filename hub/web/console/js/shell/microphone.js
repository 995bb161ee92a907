// The microphone: asked for when a finger first wants it, and let go when it is not needed.

import { setting } from "./keep.js";

const WHY = {
  NotAllowedError: "microphone_denied",
  SecurityError: "microphone_denied",
  NotFoundError: "no_microphone",
  OverconstrainedError: "no_microphone",
  NotReadableError: "microphone_busy",
  AbortError: "microphone_busy",
};

/** Whether a browser gives this page a microphone at all: only on HTTPS and on localhost. */
export function canTalk() {
  return Boolean(window.isSecureContext && navigator.mediaDevices?.getUserMedia);
}

/** Nobody forgets that a page has the microphone: it is let go after so long without use. */
const IDLE_S = 300;

/** The microphone of this page: none, or one open track that `media` may let out. */
export class Microphone {
  #track = null;
  #usedAt = 0;
  #media;
  #sound;
  #on;

  /** `on(is, cause)` hears what it is: none, asking or ready, and why if it is gone. */
  constructor(media, sound, on) {
    this.#media = media;
    this.#sound = sound;
    this.#on = on;
  }

  get isOpen() {
    return this.#track !== null;
  }

  /** A finger wants it, or has it. */
  use(now) {
    this.#usedAt = now;
  }

  isIdle(now) {
    return this.isOpen && now - this.#usedAt > IDLE_S;
  }

  /** Ask for it; `isWanted()` says whether anybody still does when it comes. */
  async open(isWanted) {
    this.#on("asking");
    try {
      const stream = await openMicrophone();
      const [track] = stream.getAudioTracks();
      if (!isWanted()) {
        track.stop();
        return;
      }
      track.onended = () => this.drop("microphone_lost");
      this.#track = track;
      this.#sound.listen(stream);
      await this.#media.use(track);
      this.#on("ready");
    } catch (error) {
      this.#on("none", error.cause ?? "no_microphone");
    }
  }

  /** Let it go: the browser's own sign of it goes dark. */
  drop(cause = null) {
    if (this.#track) {
      this.#track.onended = null;
      this.#track.stop();
    }
    this.#track = null;
    this.#media.use(null);
    this.#sound.listen(null);
    this.#on("none", cause);
  }
}

/** Ask for the microphone. Throws an Error whose `cause` names a sentence of LOCAL. */
async function openMicrophone() {
  const audio = {
    channelCount: 1,
    echoCancellation: setting("echo"),
    noiseSuppression: setting("noise"),
    autoGainControl: setting("gain"),
  };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new Error("no microphone", { cause: WHY[error.name] ?? "no_microphone" });
  }
}
