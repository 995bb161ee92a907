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

/** Ask for the microphone. Throws an Error whose `cause` names a sentence of LOCAL. */
export async function openMicrophone() {
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
