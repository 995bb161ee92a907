// The line to the box: one WebSocket, opened again when it breaks.

const FIRST_MS = 300;
const LONGEST_MS = 3000;
// While a finger is down it is told again and again: silence means that this page is gone.
const BEAT_MS = 250;

export class Line {
  #socket = null;
  #wait = FIRST_MS;
  #held = [];

  constructor({ take, change }) {
    this.take = take;
    this.change = change;
    setInterval(() => this.#held.length && this.#send({ type: "hold", keys: this.#held }), BEAT_MS);
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  open() {
    const socket = new WebSocket(`ws://${location.host}/panel`);
    this.#socket = socket;
    socket.onopen = () => {
      this.#wait = FIRST_MS;
      this.change("open");
    };
    socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    socket.onclose = () => {
      this.#held = [];
      this.change("broken");
      setTimeout(() => this.open(), this.#wait);
      this.#wait = Math.min(LONGEST_MS, this.#wait * 1.6);
    };
  }

  hold(keys) {
    this.#held = keys;
    this.#send({ type: "hold", keys });
  }

  mute(on) {
    this.#send({ type: "mute", on });
  }

  #send(message) {
    if (this.isOpen) this.#socket.send(JSON.stringify(message));
  }
}
