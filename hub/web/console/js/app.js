// The console: what it knows, which page is shown, and how it speaks to its user.

import { route } from "./core/routes.js";
import { NEWS, sentence } from "./core/words.js";
import { get, put } from "./shell/api.js";
import { asGuest, render, startTicking } from "./ui/dom.js";
import { frame } from "./ui/frame.js";
import { fetchPage, fetchPages, isHere, pageOf } from "./ui/pages.js";
import { toastList } from "./ui/toasts.js";

const TOAST_MS = 5_000;
/** More would cover the page. */
const TOASTS = 3;
/** By then the first view is drawn; nobody has read it. */
const NEAR_MS = 50;
/** By then the first view stands, and what it needs besides has been asked for. */
const IDLE_MS = 1_500;

/** In no space. What it takes to be in one comes when the first view stands. */
const outside = {
  space: null,
  view: null,
  refusal: null,
  left: null,
  onAir: false,
  join: (...where) =>
    attempt(async () => {
      await comeNear();
      app.member.join(...where);
    }),
};
let coming = null;

/** Everything that the pages see. `draw` is called after any change. */
const app = {
  hub: null,
  me: null,
  route: route(location.hash),
  member: outside,
  trouble: null,
  toasts: [],
  dialogs: [],
  page: {},
  draw,
  go,
  tell,
  attempt,
  open,
  close,
  rename,
  refresh,
};

const [toasts, polite, urgentWords] = ["toasts", "polite", "urgent"].map(asGuest);
let isDue = false;

/** Show what changed, once for any number of changes in one turn. */
function draw() {
  if (isDue) return;
  isDue = true;
  const soon = document.hidden ? (run) => setTimeout(run, 100) : requestAnimationFrame;
  soon(() => {
    isDue = false;
    const page = pageOf(app.route.page);
    render(document.getElementById("app"), frame(app, page));
    render(
      document.getElementById("dialogs"),
      app.dialogs.map(({ key, view }) => view(app, key)),
    );
    render(toasts, toastList(app));
    queueMicrotask(bringUp);
    const name = page.title(app);
    document.title = `${app.member.onAir ? "● " : ""}${name} · ${app.hub?.name ?? "Stagebox"}`;
  });
}

/** While a dialog is open all else is out of sight and of hearing: what is told is told in it. */
function bringUp() {
  const top = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  for (const node of [toasts, polite, urgentWords]) {
    if (node.parentNode !== top) top.append(node);
  }
}

/** Go to another page; `replace` leaves no step back. */
function go(hash, replace = false) {
  if (replace) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
  turn();
}

/**
 * Tell the user in a sentence: seen, and read aloud. `undo` adds a button {word, run}. What is
 * `about` the same thing takes the place of what was said before.
 */
function tell(text, { urgent = false, undo = null, kind = "note", about = text } = {}) {
  const toast = { key: `t${performance.now()}${app.toasts.length}`, text, undo, kind, about };
  const others = app.toasts.filter((each) => each.about !== about);
  app.toasts = [...others, toast].slice(-TOASTS);
  setTimeout(
    () => {
      app.toasts = app.toasts.filter((each) => each !== toast);
      draw();
    },
    undo ? 10_000 : TOAST_MS,
  );
  aloud(text, urgent);
  draw();
}

/** Have a screen reader say it, without showing it. */
function aloud(text, urgent = false) {
  const region = urgent ? urgentWords : polite;
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 50);
}

/** Do something that may fail; a failure becomes a sentence. Returns its result, or null. */
async function attempt(work, done = null) {
  try {
    const result = await work();
    if (done) tell(done);
    draw();
    return result ?? true;
  } catch (problem) {
    tell(problem.message, { urgent: true, kind: "bad" });
    return null;
  }
}

/** Open a dialog: `view(app, key)` describes it. One of each key at a time. */
function open(key, view) {
  app.dialogs = [...app.dialogs.filter((each) => each.key !== key), { key, view }];
  draw();
}

function close(key) {
  app.dialogs = app.dialogs.filter((each) => each.key !== key);
  draw();
}

/** Take a name for this browser. */
async function rename(name) {
  app.me = await put("/me", { name });
  draw();
}

/** Ask the hub again who it is and who we are. */
async function refresh() {
  try {
    [app.hub, app.me] = await Promise.all([get("/hub"), get("/me")]);
    app.trouble = null;
  } catch (problem) {
    app.trouble = problem.message;
    setTimeout(refresh, 3_000);
  }
  draw();
}

function turn() {
  const before = app.route;
  app.route = route(location.hash);
  const isNew = before.page !== app.route.page || before.id !== app.route.id;
  if (isNew) {
    pageOf(before.page).leave?.(app);
    app.page = {};
    app.dialogs = [];
  }
  enter();
  draw();
  if (isNew) {
    requestAnimationFrame(() => {
      scrollTo(0, 0);
      document.querySelector("h1")?.focus({ preventScroll: true });
    });
  }
}

/** Come to the page of the route, which may have to be fetched first. */
function enter() {
  const name = app.route.page;
  if (isHere(name)) return pageOf(name).enter?.(app);
  return attempt(async () => {
    try {
      await fetchPage(name);
    } catch {
      throw new Error(sentence("local", "no_hub"));
    }
    if (app.route.page === name) pageOf(name).enter?.(app);
  });
}

function heard(what, detail) {
  if (what === "say") {
    const { table, cause, number, holder, detail: words } = detail;
    const text = sentence(table, cause, { number, holder, detail: words });
    const good = table === "hand" || cause === "link_back" || cause === "by_self";
    const urgent = !good || cause === "offered";
    tell(text, { urgent, kind: good ? "good" : "held", about: "floor" });
    if (cause === "consent_needed") app.page.asked = 0;
  } else if (what === "open") {
    app.toasts = app.toasts.filter((each) => each.about !== "floor");
    aloud("On air.", true);
  } else if (what === "notice") {
    tell(`${detail.name} ${NEWS[detail.news] ?? ""}`);
  }
  pageOf(app.route.page).changed?.(app);
  draw();
}

/** Have the rest come: the line to the hub, sound, the keys. Throws a sentence. */
function comeNear() {
  coming ??= fetchMember().catch(() => {
    coming = null; // the next wish tries again
    throw new Error(sentence("local", "no_hub"));
  });
  return coming;
}

async function fetchMember() {
  const [{ Member }, { listenToKeys }] = await Promise.all([
    import("./shell/member.js"),
    import("./ui/keys.js"),
  ]);
  app.member = new Member(() => app.me, heard);
  listenToKeys(app);
}

async function start() {
  startTicking();
  addEventListener("hashchange", turn);
  addEventListener("popstate", turn);
  draw();
  // The page asks for its own while the hub says who we are.
  const entered = enter();
  await refresh();
  await entered;
  pageOf(app.route.page).known?.(app);
  draw();
  // What does not come now comes when it is asked for.
  setTimeout(() => comeNear().catch(() => {}), NEAR_MS);
  setTimeout(() => fetchPages().catch(() => {}), IDLE_MS);
}

start();
