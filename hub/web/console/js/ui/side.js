// Beside the stage: what is pinned, and what is said in words.

import { moment } from "../core/format.js";
import { isChair, me } from "../core/view.js";
import { keep, setting } from "../shell/keep.js";
import { h, icon } from "./dom.js";
import { form, iconButton, select, toggle } from "./parts.js";

// --- pins -------------------------------------------------------------------------------

export function pins(app) {
  const { view } = app.member;
  if (!view.pins.length && !isChair(view)) return null;
  return h(
    "section",
    { class: "card pins", "aria-labelledby": "pins-title" },
    h("h2", { id: "pins-title" }, "Pinned"),
    view.pins.length > 0 &&
      h(
        "ul",
        {},
        [...view.pins].reverse().map((pin) => row(app, pin)),
      ),
    isChair(view) && pinForm(app),
  );
}

function row(app, pin) {
  const act = { t: "pin.remove", id: pin.id };
  return h(
    "li",
    { key: pin.id },
    icon("pin"),
    h(
      "div",
      { class: "who" },
      h("p", {}, pin.text),
      pin.url &&
        h("a", { href: pin.url, rel: "noopener noreferrer", target: "_blank" }, shortUrl(pin.url)),
      h("small", {}, `${pin.by}, ${moment(pin.at)}`),
    ),
    isChair(app.member.view) &&
      iconButton("Take this pin down", "close", () => app.attempt(() => app.member.act(act))),
  );
}

function shortUrl(url) {
  const plain = url.replace(/^https?:\/\//, "");
  return plain.length > 48 ? `${plain.slice(0, 47)}…` : plain;
}

/** A note, a link, or a note that ends in one. */
function pinForm(app) {
  const send = async ({ text }, node) => {
    const found = /(https?:\/\/\S+)\s*$/.exec(text.trim());
    const note = text
      .trim()
      .replace(found?.[0] ?? "", "")
      .trim();
    const act = { t: "pin.add", text: note || text.trim(), ...(found && { url: found[1] }) };
    if (text.trim() && (await app.attempt(() => app.member.act(act)))) node.reset();
  };
  return form(
    send,
    h(
      "div",
      { class: "inline" },
      h("input", {
        name: "text",
        maxlength: 280,
        "aria-label": "A note or a link to pin",
        placeholder: "A note or a link",
        autocomplete: "off",
      }),
      h("button", { type: "submit" }, "Pin"),
    ),
  );
}

// --- captions ---------------------------------------------------------------------------

const SIZES = [
  ["0", "Small"],
  ["1", "Normal"],
  ["2", "Large"],
  ["3", "Very large"],
];

export function captions(app) {
  const { view } = app.member;
  const lines = app.member.crowd.captions;
  if (!view.space.captions) return null;
  const isOn = setting("captions");
  return h(
    "section",
    { class: "card captions", "aria-labelledby": "captions-title" },
    h(
      "div",
      { class: "head" },
      h("h2", { id: "captions-title" }, "Captions"),
      toggle("Show", isOn, (on) => set(app, "captions", on)),
    ),
    view.space.captions_away && away(view),
    isOn &&
      h(
        "div",
        {
          class: `lines size-${setting("captionSize")}`,
          role: "log",
          "aria-live": "off",
          tabindex: "0",
          "aria-label": "What is said",
        },
        spoken(view, lines),
      ),
    h(
      "div",
      { class: "caption-tools" },
      isOn &&
        h(
          "label",
          { class: "inline" },
          "Size ",
          select(String(setting("captionSize")), SIZES, (value) =>
            set(app, "captionSize", Number(value)),
          ),
        ),
      consent(app, view),
    ),
  );
}

/** What writes the words is gone for a while; said to all, and to those who can mend it how. */
function away(view) {
  return h(
    "p",
    { key: "away", class: "banner is-held", role: "status" },
    icon("text"),
    h(
      "span",
      {},
      "Nothing is written down just now: what writes the captions does not answer. ",
      "Everybody is heard as before, and captions come back by themselves. ",
      isChair(view)
        ? "If they do not, start the captions service again; the hub's log says what is wrong."
        : "If they do not, tell the host.",
    ),
  );
}

function spoken(view, lines) {
  if (!lines.length)
    return h(
      "p",
      { key: "none", class: "hint" },
      "What members say who agreed to it appears here.",
    );
  return lines.map(({ member, n, text, final }) =>
    h(
      "p",
      { key: `${member}-${n}`, class: final ? "" : "is-draft" },
      h("b", {}, `${view.members.get(member)?.name ?? "Somebody"}: `),
      text,
    ),
  );
}

function consent(app, view) {
  const mine = me(view);
  if (!mine) return null;
  const agree = (on) => app.attempt(() => app.member.act({ t: "agree", captions: on }));
  return toggle("Write down what I say", Boolean(mine.captioned), agree, {
    note: view.space.streamed
      ? "Only your own words, and only while this is on. Who plays the stream reads them with your name."
      : "Only your own words, and only while this is on.",
  });
}

function set(app, name, value) {
  keep(name, value);
  app.draw();
}
