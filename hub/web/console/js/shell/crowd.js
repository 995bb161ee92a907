// What passes by in a space and is not of its state: words that are said, marks that are shown.

import { captioned } from "../core/captions.js";
import { seconds } from "./line.js";

/** Long enough to be seen by somebody who looks up. */
const REACTION_MS = 4_000;
/** More would cover the stage. */
const REACTIONS = 20;

export class Crowd {
  captions = [];
  reactions = [];
  #changed;

  constructor(changed) {
    this.#changed = changed;
  }

  clear() {
    this.captions = [];
    this.reactions = [];
  }

  caption(message) {
    this.captions = captioned(this.captions, message, seconds());
  }

  react({ member, mark }) {
    const one = { member, mark, key: `${member}${seconds()}` };
    this.reactions = [...this.reactions, one].slice(-REACTIONS);
    setTimeout(() => {
      this.reactions = this.reactions.filter((each) => each !== one);
      this.#changed();
    }, REACTION_MS);
  }
}
