// Small parts that many pages use.

import { hue, initials } from "../core/format.js";
import { figure, h, held, icon } from "./dom.js";

/** A round face with the letters of a name; the name stands beside it. */
export function face(name, extra = {}) {
  const { class: more = "", ...props } = extra;
  return h(
    "span",
    { class: `face hue-${hue(name)} ${more}`, "aria-hidden": "true", ...props },
    initials(name),
  );
}

export function chip(text, { sign = null, kind = "", title = null } = {}) {
  return h("span", { class: `chip ${kind}`, title }, sign && icon(sign), h("span", {}, text));
}

/** A button with an icon and a word. */
export function button(word, sign, onclick, extra = {}) {
  return h(
    "button",
    { type: "button", onclick, ...extra },
    sign && icon(sign),
    h("span", {}, word),
  );
}

/** A button whose word is only for those who cannot see the icon. */
export function iconButton(word, sign, onclick, extra = {}) {
  const { class: more = "", ...props } = extra;
  const all = { type: "button", class: `bare ${more}`, title: word, onclick, ...props };
  return h("button", all, icon(sign), h("span", { class: "unseen" }, word));
}

/** A switch; `of` tells apart those that have the same word on one page. */
export function toggle(word, on, onchange, { note = null, disabled = false, of = "" } = {}) {
  const noteId = note && named("note", word, of);
  return h(
    "label",
    { class: disabled ? "toggle is-off" : "toggle" },
    h("input", {
      type: "checkbox",
      role: "switch",
      checked: on,
      disabled,
      "aria-label": word,
      "aria-describedby": noteId,
      onchange: (event) => held(event.target, onchange(event.target.checked)),
    }),
    h("span", { class: "toggle-word" }, word, note && h("small", { id: noteId }, note)),
  );
}

/** A field with its label and, where something is wrong with it, a sentence. */
export function field(label, input, { note = null, wrong = null } = {}) {
  const id = named("field", label);
  const noteId = (note || wrong) && named("note", label);
  const props = {
    ...input.props,
    id,
    "aria-describedby": noteId,
    "aria-invalid": wrong ? "true" : null,
  };
  return h(
    "div",
    { class: wrong ? "field is-wrong" : "field" },
    h("label", { class: "label", for: id }, label),
    { ...input, props },
    (note || wrong) && h("small", { id: noteId, class: wrong ? "wrong" : "" }, wrong ?? note),
  );
}

function named(kind, word, of = "") {
  return `${kind}-${word.toLowerCase().replace(/[^a-z]+/g, "-")}${of}`;
}

export function select(value, options, onchange, extra = {}) {
  return h(
    "select",
    { onchange: (event) => onchange(event.target.value), ...extra },
    options.map(([id, word]) => h("option", { key: id, value: id, selected: id === value }, word)),
  );
}

/** A slider of percents. */
export function slider(label, value, oninput, { max = 100, onchange = null } = {}) {
  return h(
    "label",
    { class: "slider" },
    h("span", { class: "label" }, label, h("output", {}, ` ${value} %`)),
    h("input", {
      type: "range",
      "aria-label": label,
      "aria-valuetext": `${value} percent`,
      min: 0,
      max,
      step: 5,
      value,
      oninput: (event) => oninput(Number(event.target.value)),
      onchange: onchange && ((event) => onchange(Number(event.target.value))),
    }),
  );
}

/** A heading that takes the focus when its page opens. */
export function title(text, ...more) {
  return h("div", { class: "title" }, h("h1", { tabindex: "-1" }, text), ...more);
}

/** What a list says when it is empty. */
export function nothing(text, ...more) {
  return h("div", { class: "nothing" }, h("p", {}, text), ...more);
}

/** Bars that follow a level; `level()` is 0 to 1. */
export function meter(level) {
  return h(
    "span",
    { class: "meter", "aria-hidden": "true", tick: (node) => figure(node, "--level", level()) },
    [0, 1, 2, 3, 4].map((n) => h("i", { key: n })),
  );
}

/** A clock that runs: `text()` is asked ten times a second. */
export function running(text, extra = {}) {
  return h("span", { ...extra, own: true, tick: (node) => setText(node, text()) });
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A dialog that keeps the focus; Escape closes it. */
export function dialog(app, key, heading, ...children) {
  return h(
    "dialog",
    {
      key,
      "aria-labelledby": `${key}-title`,
      made: (node) => node.showModal(),
      oncancel: () => app.close(key),
      onclose: () => app.close(key),
      onclick: (event) => event.target.tagName === "DIALOG" && app.close(key),
    },
    h(
      "div",
      { class: "sheet" },
      h(
        "div",
        { class: "sheet-head" },
        h("h2", { id: `${key}-title` }, heading),
        iconButton("Close", "close", () => app.close(key)),
      ),
      ...children,
    ),
  );
}

/** A form that sends itself without leaving the page. */
export function form(onsubmit, ...children) {
  const submit = (event) => {
    event.preventDefault();
    onsubmit(Object.fromEntries(new FormData(event.target)), event.target);
  };
  return h("form", { onsubmit: submit, novalidate: true }, ...children);
}
