// One space: from outside a door with a look through it, from inside the whole evening.

import { get } from "../shell/api.js";
import { chips } from "./chips.js";
import { h, icon } from "./dom.js";
import { door, OVER } from "./door.js";
import { explain } from "./explain.js";
import { nothing, title } from "./parts.js";

/** A look through the door is repeated this often. */
const LOOK_MS = 4_000;

/** What is behind the door: it comes while one stands before it. */
let room = null;

async function fetchRoom(app) {
  if (room) return;
  try {
    room = await import("./room.js");
  } catch {
    return; // the hub is away; the next look tries again
  }
  room.onTurn(app.draw);
  app.draw();
}

export const space = {
  title: (app) => inside(app)?.space.name ?? app.page.look?.space.name ?? "Space",
  view: (app) => (isIn(app) ? inner(app) : outer(app)),
  bar: (app) => (inside(app) ? room?.talkbar(app) : null),
  enter,
  changed: (app) => isIn(app) && room?.askConsent(app),
  leave: (app) => clearInterval(app.page.timer),
};

function isIn(app) {
  return app.member.space === app.route.id;
}

function inside(app) {
  return isIn(app) ? app.member.view : null;
}

function inner(app) {
  return room ? room.inner(app) : [title("Space"), nothing("Joining. One moment.")];
}

function enter(app) {
  const { page } = app;
  page.ask ??= (key, question) => room.confirm(app, key, question);
  page.explain ??= () => app.open("explain", explain);
  page.loadBlocked ??= async () => {
    const found = await get(`/spaces/${app.route.id}/blocked`);
    return found.members;
  };
  if (page.timer) return;
  const look = async () => {
    if (document.hidden || app.route.page !== "space") return;
    if (!isIn(app)) await lookIn(app, page);
    fetchRoom(app);
  };
  page.timer = setInterval(look, LOOK_MS);
  look();
}

async function lookIn(app, page) {
  try {
    page.look = await get(`/spaces/${app.route.id}`);
    page.problem = null;
    if (OVER.includes(page.look.space.state)) {
      clearInterval(page.timer);
      page.stats = await get(`/spaces/${app.route.id}/stats`).catch(() => null);
    }
  } catch (problem) {
    page.problem = problem;
  }
  app.draw();
}

// --- from outside -----------------------------------------------------------------------

function outer(app) {
  const { look, problem } = app.page;
  const { member } = app;
  const why =
    member.refusal?.sentence ?? (member.left?.space === app.route.id && member.left.sentence);
  if (problem && !look) {
    return [
      title("Space"),
      nothing(problem.message, h("p", {}, h("a", { href: "#/spaces" }, "To the list of spaces"))),
    ];
  }
  if (!look) return [title("Space"), nothing("One moment.")];
  const { space: info } = look;
  return [
    title(info.name, h("div", { class: "chips" }, chips(info))),
    info.topic && h("p", { class: "topic" }, info.topic),
    why && h("p", { class: "banner is-held", role: "status" }, icon("flag"), why),
    h("section", { class: "card door", "aria-label": "Join" }, door(app, look)),
  ];
}
