// One recording: heard, skipped through by talker, read, taken home, and deleted.

import { clock, day, moment } from "../core/format.js";
import { backTo, chapterAt, cues, nextTalker, said, SPEEDS } from "../core/replay.js";
import { del, get, patch } from "../shell/api.js";
import { keep, setting } from "../shell/keep.js";
import { h, icon } from "./dom.js";
import { button, dialog, field, form, nothing, select, title } from "./parts.js";

export const replay = {
  title: (app) => app.page.one?.name ?? "Recording",
  view,
  enter,
  leave: (app) => app.page.audio?.pause(),
};

async function enter(app) {
  const { page } = app;
  const path = `/recordings/${app.route.id}`;
  try {
    page.one = await get(path);
    page.chapters = page.one.chapters;
    page.cues = page.one.captions ? await captions(path) : [];
  } catch (problem) {
    page.problem = problem;
  }
  app.draw();
}

async function captions(path) {
  const answer = await fetch(`/api/v1${path}/captions.vtt`).catch(() => null);
  return answer?.ok ? cues(await answer.text()) : [];
}

function view(app) {
  const { one, problem } = app.page;
  if (problem)
    return [
      title("Recording"),
      nothing(problem.message, h("p", {}, h("a", { href: "#/recordings" }, "To the recordings"))),
    ];
  if (!one) return [title("Recording"), nothing("One moment.")];
  return [
    title(one.name),
    h(
      "p",
      { class: "hint" },
      `${moment(one.since, { year: true })}, ${clock(one.seconds)} long, recorded by ${one.by}`,
      one.deleted_on && ` · deleted on ${day(one.deleted_on)}`,
    ),
    one.notice && h("p", { class: "hint" }, `Its first words: “${one.notice}”`),
    h("section", { class: "card player", "aria-label": "Player" }, player(app)),
    h(
      "div",
      { class: "columns" },
      h("div", { class: "main-column" }, chapters(app)),
      h("div", { class: "side-column" }, tools(app, one)),
    ),
  ];
}

function player(app) {
  const { page } = app;
  const at = () => page.audio?.currentTime ?? 0;
  const jump = (seconds) => {
    if (seconds === null || !page.audio) return;
    page.audio.currentTime = seconds;
    page.audio.play();
  };
  page.jump = jump;
  const speed = (value) => {
    keep("speed", Number(value));
    if (page.audio) page.audio.playbackRate = Number(value);
    app.draw();
  };
  return [
    h("audio", {
      controls: true,
      preload: "metadata",
      src: `/api/v1/recordings/${app.route.id}/audio`,
      "aria-label": "The recording",
      made: (node) => {
        page.audio = node;
        node.currentTime = page.one.start;
        node.playbackRate = setting("speed");
      },
      ontimeupdate: () => moved(app, page, at()),
      onplay: (event) => (event.target.playbackRate = setting("speed")),
    }),
    h(
      "div",
      { class: "buttons" },
      button("Turn before", "back", () => jump(backTo(page.chapters, at()))),
      button("Next talker", "skip", () => jump(nextTalker(page.chapters, at()))),
      h(
        "label",
        { class: "inline" },
        "Speed ",
        select(
          String(setting("speed")),
          SPEEDS.map((one) => [String(one), `${one}×`]),
          speed,
        ),
      ),
    ),
    page.cues?.length > 0 &&
      h(
        "p",
        { class: `lines now size-${setting("captionSize")}` },
        page.said ? [h("b", {}, page.said.who ? `${page.said.who}: ` : ""), page.said.text] : " ",
      ),
  ];
}

/** Draw only when another turn or another caption begins. */
function moved(app, page, at) {
  if (app.page !== page) return; // the player ends a little after its page
  const chapter = chapterAt(page.chapters, at);
  const now = said(page.cues ?? [], at).at(-1) ?? null;
  if (chapter === page.chapter && now === page.said) return;
  [page.chapter, page.said] = [chapter, now];
  app.draw();
}

function chapters(app) {
  const { page } = app;
  if (!page.chapters.length) return nothing("Nobody's voice is in it.");
  return h(
    "section",
    { class: "card", "aria-labelledby": "turns" },
    h("h2", { id: "turns" }, "Turns"),
    h(
      "ol",
      { class: "turns" },
      page.chapters.map((turn, index) =>
        h(
          "li",
          { key: index },
          h(
            "button",
            {
              type: "button",
              class: "turn",
              "aria-current": index === page.chapter ? "true" : null,
              onclick: () => page.jump(Math.max(0, turn.start - 0.3)),
            },
            h("span", { class: "position" }, clock(turn.start)),
            h("b", {}, turn.name),
            h("small", {}, clock((turn.end ?? turn.start) - turn.start)),
          ),
        ),
      ),
    ),
  );
}

function tools(app, one) {
  const path = `/recordings/${app.route.id}`;
  const gone = async (what, done) => {
    if (!(await app.attempt(() => del(`${path}${what}`), done))) return;
    if (what) enter(app);
    else app.go("#/recordings", true);
  };
  return h(
    "section",
    { class: "card", "aria-labelledby": "its" },
    h("h2", { id: "its" }, "This recording"),
    h(
      "div",
      { class: "buttons column" },
      h(
        "a",
        { class: "button", href: `/api/v1${path}/export`, download: true },
        icon("down"),
        "Take a copy home",
      ),
      one.mine &&
        button(
          "Take my turns out",
          "mic",
          () =>
            sure(
              app,
              "mine",
              "Take your turns out?",
              "Your voice and your captions are deleted from this recording. The rest stays.",
              "Take out",
              () => gone("/mine", "Your turns are out."),
            ),
          { class: "quiet" },
        ),
      one.may_delete &&
        button(
          "Change it",
          "tune",
          () => app.open("change", (_app, key) => change(app, key, one)),
          { class: "quiet" },
        ),
      one.may_delete &&
        button(
          "Delete now",
          "close",
          () =>
            sure(
              app,
              "gone",
              "Delete this recording?",
              "Sound, captions and names are deleted, and do not come back.",
              "Delete",
              () => gone("", "It is deleted."),
            ),
          { class: "danger quiet" },
        ),
    ),
  );
}

/** Its name, where playing begins, and how long it is kept, which can only become less. */
function change(app, key, one) {
  const send = async ({ name, start, days }) => {
    const body = {
      ...(name.trim() && name.trim() !== one.name && { name: name.trim() }),
      ...(Number(start) !== one.start && { start: Number(start) }),
      ...(Number(days) < one.keep_days && { keep_days: Number(days) }),
    };
    if (!(await app.attempt(() => patch(`/recordings/${one.id}`, body), "Saved."))) return;
    app.close(key);
    await enter(app);
  };
  const now = Math.floor(app.page.audio?.currentTime ?? one.start);
  return dialog(
    app,
    key,
    "Change the recording",
    form(
      send,
      field(
        "Name",
        h("input", { name: "name", value: one.name, maxlength: 40, autocomplete: "off" }),
      ),
      field(
        "Begin at second",
        h("input", { name: "start", type: "number", min: 0, step: "any", value: one.start }),
        { note: `The player stands at ${now}.` },
      ),
      field(
        "Days it is kept",
        h("input", {
          name: "days",
          type: "number",
          min: 0,
          max: one.keep_days,
          value: one.keep_days,
        }),
        { note: "It can only become less." },
      ),
      h("div", { class: "buttons end" }, h("button", { type: "submit", class: "primary" }, "Save")),
    ),
  );
}

function sure(app, key, heading, text, yes, run) {
  app.open(key, () =>
    dialog(
      app,
      key,
      heading,
      h("p", {}, text),
      h(
        "div",
        { class: "buttons end" },
        button("Cancel", null, () => app.close(key)),
        button(
          yes,
          null,
          () => {
            app.close(key);
            run();
          },
          { class: "danger" },
        ),
      ),
    ),
  );
}
