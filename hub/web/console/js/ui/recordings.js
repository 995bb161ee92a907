// The recordings: what there is, until when, and what may be done with it.

import { clock, day, many, moment } from "../core/format.js";
import { get } from "../shell/api.js";
import { h, icon } from "./dom.js";
import { button, chip, nothing, title } from "./parts.js";

/** One that has just ended is there a moment later. */
const LOOK_MS = 4_000;

export const recordings = {
  title: () => "Recordings",
  view,
  enter,
  leave: (app) => clearInterval(app.page.timer),
};

function enter(app) {
  const { page } = app;
  page.look ??= async () => {
    if (document.hidden || app.page !== page) return;
    try {
      const found = await get("/recordings");
      [page.list, page.next, page.problem] = [found.recordings, found.next, null];
    } catch (problem) {
      page.problem = problem;
    }
    app.draw();
  };
  page.timer ??= setInterval(page.look, LOOK_MS);
  page.look();
}

function view(app) {
  const { list, problem } = app.page;
  return [
    title("Recordings"),
    problem && h("p", { class: "banner is-held", role: "status" }, icon("flag"), problem.message),
    list &&
      (list.length
        ? h("ul", { class: "cards" }, list.map(card))
        : nothing(
            "There is no recording that you may hear. A host switches recording on in the space.",
          )),
    app.page.next && button("More", "down", () => more(app)),
    !list && !problem && nothing("One moment."),
  ];
}

async function more(app) {
  const { page } = app;
  clearInterval(page.timer); // a list that grows stays as it is
  const found = await app.attempt(() => get(`/recordings?cursor=${encodeURIComponent(page.next)}`));
  if (!found) return;
  page.list = [...page.list, ...found.recordings];
  page.next = found.next;
  app.draw();
}

function card(one) {
  const facts = one.running
    ? ["running now"]
    : [clock(one.seconds), many(one.talkers, "voice", "voices"), one.mine && "yours among them"];
  return h(
    "li",
    { key: one.id, class: "space-card" },
    h(
      one.running ? "div" : "a",
      { href: one.running ? null : `#/recordings/${one.id}`, class: "what" },
      h("h3", {}, one.name),
      h("p", { class: "hint" }, moment(one.since), " · ", facts.filter(Boolean).join(" · ")),
      one.deleted_on && h("p", { class: "hint" }, `Deleted on ${day(one.deleted_on)}`),
    ),
    one.running
      ? chip("REC", { sign: "rec", kind: "is-rec" })
      : h(
          "a",
          { class: "button", href: `#/recordings/${one.id}`, "aria-label": `Play ${one.name}` },
          icon("play"),
          "Play",
        ),
  );
}
