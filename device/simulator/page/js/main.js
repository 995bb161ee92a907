// Joins the line to the box, the buttons and what there is to see.

import { Buttons } from "./buttons.js";
import { Line } from "./line.js";
import * as show from "./show.js";
import { WORDS } from "./words.js";

const lamp = new show.Lamp();
let name = "Stagebox";
let run = "";
let down = [];
let read = 0;

const takes = {
  box: (box) => {
    if (box.run !== run) read = 0;
    ({ name, run } = box);
    show.about(box);
  },
  lamp: (pattern) => lamp.show(pattern),
  panel: (panel) => {
    ({ down } = panel);
    show.keys(buttons.keys, down);
    show.lights(panel);
  },
  state: (state) => show.state(state, name),
  // After a break of the line everything is told again.
  news: ({ lines }) => {
    show.news(lines.filter(({ n }) => n > read));
    read = lines[lines.length - 1].n;
  },
};

const line = new Line({
  take: (message) => takes[message.type]?.(message),
  change: (how) => {
    document.body.dataset.line = how;
    show.text(document.getElementById("trouble"), how === "open" ? "" : WORDS.trouble);
    // A finger that came down without a line is none when there is one.
    buttons.release();
    if (how === "open") return;
    down = [];
    lamp.dark();
    show.keys([], down);
    show.lights({ recording: false, door: false });
  },
});

const buttons = new Buttons({
  hold: (keys) => {
    line.hold(keys);
    show.keys(keys, down);
  },
  mute: (on) => line.mute(on),
});

line.open();
