// The recordings: what there is, until when, and what may be done with it.

import { clock, day, many, moment, size } from "../core/format.js";
import { get } from "../shell/api.js";
import { h, icon } from "./dom.js";
import { nothing, title } from "./parts.js";

export const recordings = { title: () => "Recordings", view, enter };

async function enter(app) {
  const { page } = app;
  try {
    const found = await get("/recordings");
    [page.list, page.next] = [found.recordings, found.next];
  } catch (problem) {
    page.problem = problem;
  }
  app.draw();
}

function view(app) {
  const { list, problem } = app.page;
  return [
    title("Recordings"),
    problem && h("p", { class: "banner is-held", role: "status" }, icon("flag"), problem.message),
    list && (list.length ? h("ul", { class: "cards" }, list.map(card)) : nothing("Nothing is recorded. A host switches recording on in the space.")),
    !list && !problem && nothing("One moment."),
  ];
}

function card(one) {
  const running = one.running || one.ended_at === null;
  const facts = [
    running ? "running" : clock(one.seconds ?? one.duration_s ?? 0),
    one.talkers != null && many(Array.isArray(one.talkers) ? one.talkers.length : one.talkers, "voice", "voices"),
    one.bytes != null && size(one.bytes),
  ];
  const until = one.deleted_on ?? one.expires_at ?? one.deleted_at;
  return h(
    "li",
    { key: one.id, class: "space-card" },
    h(
      "a",
      { href: `#/recordings/${one.id}` },
      h("h3", {}, one.name ?? one.space_name ?? one.space),
      h("p", { class: "hint" }, moment(one.since ?? one.started_at), " · ", facts.filter(Boolean).join(" · ")),
      until && h("p", { class: "hint" }, `Deleted on ${day(until)}`),
    ),
    h("a", { class: "button", href: `#/recordings/${one.id}`, "aria-label": `Play ${one.name ?? one.space}` }, icon("play"), "Play"),
  );
}
