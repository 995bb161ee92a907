// Which keys the fingers on this page hold. Pure. A finger is a pointer, a key of the keyboard,
// or a click that came from no pointer; each holds one key of the panel.

/** The fingers that are down, by name. */
export class Fingers {
  #held = new Map();

  /** Put a finger on a key; tell whether that changes what is held. */
  press(finger, key) {
    const before = this.text();
    this.#held.set(finger, key);
    return this.text() !== before;
  }

  /** Lift a finger; tell whether that changes what is held. */
  lift(finger) {
    const before = this.text();
    this.#held.delete(finger);
    return this.text() !== before;
  }

  /** Lift all. */
  clear() {
    const before = this.text();
    this.#held.clear();
    return this.text() !== before;
  }

  /** Whether this finger is down. */
  has(finger) {
    return this.#held.has(finger);
  }

  /** The keys that are held, each once, in order. */
  keys() {
    return [...new Set(this.#held.values())].sort();
  }

  text() {
    return this.keys().join(" ");
  }
}
