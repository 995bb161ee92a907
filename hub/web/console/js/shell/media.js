// The one media session: an RTCPeerConnection with one audio section, made again when lost.
//
// The microphone's track leaves only between `open` and `close`. `close` silences the track
// before it waits for anything, so nothing is sent that was said after it.

import { Reconnect } from "../core/reconnect.js";
import { seconds } from "./line.js";

/** A LAN connects in tens of milliseconds; a storm of retries takes a second or two. */
const CONNECT_MS = 6_000;
/** Host candidates are there at once; what takes longer is a network that is going away. */
const GATHER_MS = 1_500;

export class Media {
  #pc = null;
  #sender = null;
  #track = null;
  #isOpen = false;
  #swap = Promise.resolve();
  #wanted = false;
  #timer = 0;
  #try = 0;
  #ask;
  #on;
  #reconnect = new Reconnect(Math.random);

  /** `ask(sdp)` resolves to the hub's answer; `on(what, value)` hears state and sound. */
  constructor(ask, on) {
    this.#ask = ask;
    this.#on = on;
  }

  get isConnected() {
    return this.#pc?.connectionState === "connected";
  }

  /** Whether frames may leave now. */
  get isOpen() {
    return this.#isOpen;
  }

  /** Keep a session up; `talks`: with a way out for the microphone. */
  start(talks) {
    this.talks = talks;
    this.#wanted = true;
    this.#begin();
  }

  stop() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#end();
  }

  /** The hub lost the session: begin anew within `spread` seconds. */
  lost(spread) {
    if (!this.#wanted || (this.#pc && this.#pc.signalingState === "have-local-offer")) return;
    this.#end();
    this.#later(this.#reconnect.lost(seconds(), spread));
  }

  /** Use this track (null: none) for what `open` lets out. */
  use(track) {
    this.#track = track;
    if (track) track.enabled = this.#isOpen;
    return this.#exchange();
  }

  /** Let the microphone out. */
  open() {
    this.#isOpen = true;
    if (this.#track) this.#track.enabled = true;
    return this.#exchange();
  }

  /** Let nothing out from this moment on. */
  close() {
    this.#isOpen = false;
    if (this.#track) this.#track.enabled = false;
    return this.#exchange();
  }

  /** Silence what leaves, and go on: a cough. */
  hush(on) {
    if (this.#track && this.#isOpen) this.#track.enabled = !on;
  }

  /** Figures of the stream that is heard, for the hub's list of boxes; null without one. */
  async stats() {
    if (!this.#pc) return null;
    for (const entry of (await this.#pc.getStats()).values()) {
      if (entry.type === "inbound-rtp") return entry;
    }
    return null;
  }

  #exchange() {
    const [sender, track] = [this.#sender, this.#isOpen ? this.#track : null];
    // One after the other: the last wish is the one that stands.
    this.#swap = this.#swap.then(() => sender?.replaceTrack(track)).catch(() => {});
    return this.#swap;
  }

  async #begin() {
    this.#end();
    this.#reconnect.started(seconds());
    const attempt = ++this.#try;
    const pc = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    this.#pc = pc;
    const current = () => this.#pc === pc && this.#try === attempt;
    pc.ontrack = ({ track, receiver }) => current() && this.#heard(track, receiver);
    pc.onconnectionstatechange = () => current() && this.#changed(pc);
    this.#timer = setTimeout(() => current() && this.#failed(), CONNECT_MS);
    try {
      const direction = this.talks ? "sendrecv" : "recvonly";
      this.#sender = pc.addTransceiver("audio", { direction }).sender;
      if (this.#isOpen) this.#exchange();
      await pc.setLocalDescription();
      await gathered(pc);
      if (!current()) return;
      const answer = await this.#ask(pc.localDescription.sdp);
      if (current()) await pc.setRemoteDescription({ type: "answer", sdp: answer });
    } catch (problem) {
      if (current()) this.#failed(problem);
    }
  }

  #heard(track, receiver) {
    // Played as soon as may be: the network is a LAN, and a floor is a conversation.
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
    this.#on("track", track);
  }

  #changed(pc) {
    if (pc.connectionState === "connected") {
      clearTimeout(this.#timer);
      this.#reconnect.opened(seconds());
      this.#on("sound", true);
    } else if (["failed", "closed", "disconnected"].includes(pc.connectionState)) {
      this.#failed();
    }
  }

  #failed(problem = null) {
    this.#end();
    if (problem?.code) this.#on("trouble", problem);
    if (!this.#wanted) return;
    // While the space is not live there is nothing to hear; the hub says when there is.
    if (problem?.code === "not_live" || problem?.code === "not_in_space") return;
    this.#later(this.#reconnect.ended(seconds()));
  }

  #later(at) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wanted && this.#begin(), (at - seconds()) * 1000);
  }

  #end() {
    clearTimeout(this.#timer);
    const pc = this.#pc;
    this.#pc = this.#sender = null;
    if (!pc) return;
    pc.onconnectionstatechange = pc.ontrack = null;
    pc.close();
    this.#on("sound", false);
  }
}

function gathered(pc) {
  return new Promise((resolve) => {
    const check = () => pc.iceGatheringState === "complete" && resolve();
    pc.addEventListener("icegatheringstatechange", check);
    setTimeout(resolve, GATHER_MS);
    check();
  });
}
