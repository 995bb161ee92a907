// The list of spaces: live ones first, then what is to come.

import { many, moment } from "../core/format.js";
import { MODE, STATE } from "../core/words.js";
import { get } from "../shell/api.js";
import { h, icon } from "./dom.js";
import { OVER } from "./door.js";
import { button, chip, nothing, title } from "./parts.js";

const LOOK_MS = 4_000;
const OPEN = ["live", "frozen", "backstage"];
const TO_COME = ["scheduled", "draft"];

export const spaces = {
  title: () => "Spaces",
  view,
  enter,
  leave: (app) => clearInterval(app.page.timer),
};

function enter(app) {
  const { page } = app;
  page.q ??= "";
  page.look ??= async () => {
    if (document.hidden || app.route.page !== "spaces") return;
    try {
      const found = await get(`/spaces?q=${encodeURIComponent(page.q)}`);
      [page.list, page.next, page.problem] = [found.spaces, found.next, null];
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
    title(
      "Spaces",
      h(
        "div",
        { class: "buttons" },
        h("a", { class: "button primary", href: "#/new" }, icon("plus"), "New space"),
        h(
          "a",
          { class: "button", href: "#/join", "aria-label": "Join by code" },
          icon("link"),
          "By code",
        ),
      ),
    ),
    search(app),
    problem && h("p", { class: "banner is-bad", role: "alert" }, icon("flag"), problem.message),
    list && groups(app, list),
    !list && !problem && nothing("One moment."),
  ];
}

function search(app) {
  const look = (event) => {
    app.page.q = event.target.value.slice(0, 100);
    clearTimeout(app.page.typing);
    app.page.typing = setTimeout(app.page.look, 250);
  };
  return h("input", {
    class: "search",
    type: "search",
    "aria-label": "Search by name, topic or tag",
    placeholder: "Search",
    maxlength: 100,
    value: app.page.q,
    oninput: look,
  });
}

function groups(app, list) {
  const some = (states) => list.filter((one) => states.includes(one.space.state));
  const [live, coming] = [some(OPEN), some(TO_COME)];
  const over = app.page.over ?? [];
  if (!list.length && app.page.q) return nothing("No space has these words.");
  return [
    !list.length && nothing("There is no space yet. Open one."),
    group("Now", live),
    group("To come", coming),
    group("Over", over),
    app.page.next && button("More", "down", () => showMore(app)),
    !app.page.over &&
      button("Show those that are over", "clock", () => showOver(app), { class: "quiet" }),
  ];
}

async function showOver(app) {
  const found = await app.attempt(() => get("/spaces?state=archived&limit=100"));
  if (!found) return;
  app.page.over = found.spaces;
  if (!found.spaces.length) app.tell("No space is over yet.");
  app.draw();
}

async function showMore(app) {
  const { page } = app;
  clearInterval(page.timer); // a list that grows stays as it is
  const path = `/spaces?q=${encodeURIComponent(page.q)}&cursor=${encodeURIComponent(page.next)}`;
  const found = await app.attempt(() => get(path));
  if (!found) return;
  page.list = [...page.list, ...found.spaces];
  page.next = found.next;
  app.draw();
}

function group(word, list) {
  if (!list.length) return null;
  return h(
    "section",
    { key: word, "aria-label": word },
    h("h2", {}, word),
    h("ul", { class: "cards" }, list.map(card)),
  );
}

function card({ space, mode, members, talkers, waiting, host }) {
  const facts = [
    !OVER.includes(space.state) && many(members + (space.hidden ?? 0)),
    talkers > 0 && `${talkers} talking`,
    waiting > 0 && many(waiting, "hand up", "hands up"),
    MODE[mode],
  ];
  return h(
    "li",
    { key: space.id, class: `space-card is-${space.state}` },
    h(
      "a",
      { href: `#/space/${space.id}` },
      h(
        "div",
        { class: "chips" },
        chip(STATE[space.state] ?? space.state, { kind: `is-${space.state}` }),
        space.recording && chip("REC", { sign: "rec", kind: "is-rec" }),
        space.locked && chip("Locked", { sign: "lock" }),
      ),
      h("h3", {}, space.name),
      space.topic && h("p", {}, space.topic),
      h(
        "p",
        { class: "hint" },
        host && `${host} hosts · `,
        space.starts_at && space.state === "scheduled"
          ? moment(space.starts_at)
          : facts.filter(Boolean).join(" · "),
      ),
      space.tags?.length > 0 &&
        h(
          "div",
          { class: "chips" },
          space.tags.map((tag) => chip(tag, { kind: "is-tag" })),
        ),
    ),
    OPEN.includes(space.state) &&
      h(
        "a",
        { class: "button", href: `#/space/${space.id}`, "aria-label": `Join ${space.name}` },
        icon("door"),
        "Join",
      ),
  );
}
