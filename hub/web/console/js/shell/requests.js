// Requests on the line and their answers: each is settled once, by an answer or by time.

import { sentence } from "../core/words.js";
import { Problem } from "./api.js";

/** A hub on this network answers in milliseconds; setting up sound takes a second. */
const ANSWER_MS = 6_000;

export class Requests {
  #waiting = new Map();
  #send;

  /** `send(message)` returns whether it could be sent. */
  constructor(send) {
    this.#send = send;
  }

  /** Send a message with `req`; resolves to its answer, throws Problem. */
  ask(message) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#lose(message.req), ANSWER_MS);
      this.#waiting.set(message.req, { resolve, reject, timer });
      if (!this.#send(message)) this.#lose(message.req);
    });
  }

  /** Whether `message` answers a request; if so that is settled. */
  answer(message) {
    const one = this.#take(message.req);
    if (!one) return false;
    if (message.t !== "error") {
      one.resolve(message);
      return true;
    }
    const { code, detail, retry_after_s: retryAfter = 0 } = message;
    // Of a value that cannot be, the hub knows best which one and why.
    const text = code === "bad_value" ? detail : sentence("error", code, { detail });
    one.reject(new Problem(code, text, { retryAfter }));
    return true;
  }

  /** No answer comes any more: the line broke. */
  fail() {
    for (const req of [...this.#waiting.keys()]) this.#lose(req);
  }

  #lose(req) {
    this.#take(req)?.reject(new Problem("no_hub", sentence("local", "no_hub")));
  }

  #take(req) {
    const one = this.#waiting.get(req);
    this.#waiting.delete(req);
    clearTimeout(one?.timer);
    return one;
  }
}
