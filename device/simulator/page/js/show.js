// What there is to see, from the box's messages into the page.

import { lit, seen, still } from "./lamp.js";
import { WORDS } from "./words.js";

const MAX_LINES = 200;
const CAPTIONS = 3;
const FLOOR_DBFS = -60;

const $ = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function text(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

// --- the lamp -------------------------------------------------------------------------

export class Lamp {
  #node = $("lamp");
  #pattern = null;
  #began = 0;
  #timer = 0;

  constructor() {
    calm.addEventListener("change", () => this.#draw());
  }

  show(pattern) {
    this.#pattern = pattern;
    this.#began = performance.now() - pattern.age_ms;
    this.#node.dataset.pattern = pattern.name;
    text($("lamp-color"), pattern.called);
    text($("lamp-beat"), pattern.color === "off" ? "" : `\u00b7 ${pattern.beat}`);
    text($("lamp-means"), pattern.means);
    this.#draw();
  }

  /** Nothing is known of the lamp any more. */
  dark() {
    clearTimeout(this.#timer);
    this.#pattern = null;
    this.#node.dataset.pattern = "";
    text($("lamp-color"), WORDS.unknown);
    text($("lamp-beat"), "");
    text($("lamp-means"), WORDS.no_answer);
    this.#put("off", 0);
  }

  #draw() {
    clearTimeout(this.#timer);
    if (this.#pattern === null) return;
    const now = performance.now() - this.#began;
    const { color, level, left } = calm.matches ? still(this.#pattern) : lit(this.#pattern, now);
    this.#put(color, level);
    if (left < Infinity) this.#timer = setTimeout(() => this.#draw(), left);
  }

  #put(color, level) {
    // A lamp that is off keeps its colour, in which it fades.
    this.#node.dataset.lit = String(level > 0);
    if (level > 0) this.#node.dataset.color = color;
    this.#node.style.setProperty("--level", seen(level));
  }
}

// --- keys and small lamps -------------------------------------------------------------

export function keys(mine, down) {
  for (const button of document.querySelectorAll("button[data-key]")) {
    const isDown = mine.includes(button.dataset.key) || down.includes(button.dataset.key);
    button.classList.toggle("is-down", isDown);
    button.setAttribute("aria-pressed", String(isDown));
  }
  const isMute = down.includes("mute");
  $("mute").setAttribute("aria-checked", String(isMute));
  text($("mute").querySelector("b"), isMute ? WORDS.on : WORDS.off);
}

export function lights({ recording, door }) {
  $("rec").dataset.lit = String(recording);
  text($("rec").querySelector("span"), recording ? WORDS.rec_lit : WORDS.rec_dark);
  $("door").dataset.lit = String(door);
  text($("door").querySelector("span"), door ? WORDS.on_air : WORDS.off_air);
}

// --- where the box stands -------------------------------------------------------------

export function about(box) {
  text($("name"), box.name);
  for (const button of document.querySelectorAll("button[data-key]")) {
    button.hidden = !box.keys.includes(button.dataset.key);
  }
  $("mute").hidden = !box.keys.includes("mute");
}

export function state(now, name) {
  text($("state"), now.words);
  document.title = `${name}: ${now.words}`;
  text($("hub"), [now.link, now.detail].filter(Boolean).join(", "));
  text($("space"), now.space ? `${now.space}, ${people(now.members)}` : WORDS.nowhere);
  text($("talkers"), now.talkers.join(", ") || WORDS.nobody);
  text($("queue"), now.queue.map((who, at) => `${at + 1}. ${who}`).join("  ") || WORDS.nobody);
  for (const node of document.querySelectorAll(".hand, .hand-name")) text(node, now.hand);
  meter($("mic"), $("mic-words"), now.microphone);
  meter($("speaker"), $("speaker-words"), now.loudspeaker);
}

const people = (count) => (count === 1 ? WORDS.member : WORDS.members.replace("{n}", count));

function meter(bar, words, { label, dbfs }) {
  const level = Math.min(0, Math.max(FLOOR_DBFS, dbfs));
  bar.setAttribute("aria-valuenow", String(level));
  bar.setAttribute("aria-valuetext", dbfs <= FLOOR_DBFS ? WORDS.silent : `${dbfs} dBFS`);
  bar.firstElementChild.style.setProperty("--share", String(1 - level / FLOOR_DBFS));
  text(words, label);
}

// --- what happened --------------------------------------------------------------------

export function news(lines) {
  const now = Date.now();
  for (const line of lines) {
    note(line, now);
    if (line.said || line.text) caption(line);
    if (line.event === "gesture") text($("meant"), line.words);
  }
}

function note({ ago_ms: ago, words, event }, now) {
  const row = document.createElement("li");
  row.dataset.event = event;
  const at = document.createElement("time");
  at.textContent = new Date(now - ago).toLocaleTimeString([], { hour12: false });
  const told = document.createElement("span");
  told.textContent = words;
  row.append(at, told);
  const log = $("log");
  log.prepend(row);
  while (log.children.length > MAX_LINES) log.lastElementChild.remove();
}

function caption({ said = "", text: shown = "", tone = "" }) {
  const box = $("captions");
  box.querySelector(".quiet")?.remove();
  const entry = document.createElement("p");
  entry.textContent = said ? `\u201c${said}\u201d` : shown;
  const small = document.createElement("small");
  const sound = tone ? `\u266a ${tone}` : "";
  const more = said && shown !== said ? shown : "";
  small.textContent = [sound, more].filter(Boolean).join(" \u00b7 ");
  entry.append(small);
  box.append(entry);
  while (box.children.length > CAPTIONS) box.firstElementChild.remove();
}
