// The host's tools: what a host or co-host does to the space.

import { withZone } from "../core/moment.js";
import { isChair, isHost, queues } from "../core/view.js";
import { MODE, MODE_MEANS, SPEAK } from "../core/words.js";
import { openBridges } from "./bridges.js";
import { h } from "./dom.js";
import { openInvite } from "./invite.js";
import { openLog } from "./log.js";
import { button, dialog, field, form, select, toggle } from "./parts.js";
import { openSpeakers } from "./speakers.js";
import { openStreams } from "./streams.js";

export function hostTools(app) {
  const { view } = app.member;
  if (!isChair(view)) return null;
  const state = view.space.state;
  return h(
    "section",
    { class: "card host", "aria-labelledby": "host-title" },
    h("h2", { id: "host-title" }, "Run the space"),
    ["draft", "scheduled", "backstage"].includes(state) && backstage(app),
    h(
      "div",
      { class: "buttons" },
      floorTools(app),
      button("Invite", "link", () => openInvite(app)),
      button("Settings", "tune", () => app.open("edit", editDialog)),
      button("Log", "clock", () => openLog(app)),
      button("Bridges", "link", () => openBridges(app)),
      button("Speakers", "sound", () => openSpeakers(app)),
      view.space.streamed && button("Listeners of the stream", "sound", () => openStreams(app)),
    ),
    h("div", { class: "toggles" }, switches(app)),
    isHost(view) && button("End for everyone", "close", () => end(app), { class: "danger" }),
  );
}

function act(app, message, done) {
  return app.attempt(() => app.member.act(message), done);
}

function floorTools(app) {
  const { floor } = app.member.view;
  const mine = floor.priority === app.member.view.you;
  return [
    queues(app.member.view) &&
      button("Next", "next", () => act(app, { t: "floor.next" }), {
        class: floor.queue?.length ? "call" : "",
      }),
    button(
      floor.held ? "Let all go" : "Hold all",
      "pause",
      () => act(app, { t: "floor.hold", on: !floor.held }),
      {
        "aria-pressed": String(Boolean(floor.held)),
        class: floor.held ? "held" : "",
      },
    ),
    button("Priority", "flag", () => act(app, { t: "floor.priority", on: !mine }), {
      "aria-pressed": String(mine),
      class: mine ? "held" : "",
      title: "Everybody else is paused while this is on",
    }),
  ];
}

function switches(app) {
  const { space } = app.member.view;
  const edit = (change) => act(app, { t: "space.edit", ...change });
  const days = space.recording?.keep_days;
  return [
    toggle("Record", Boolean(space.recording), (on) => act(app, { t: "record.set", on }), {
      note: space.recording
        ? `Kept for ${days} days. Only those who agreed are in it.`
        : "Everybody is told, and asked before their first word.",
    }),
    toggle("Captions", space.captions, (on) => edit({ captions: on }), {
      note: app.hub?.captions
        ? "Of those who agree to it."
        : "This hub has none; its settings can change that.",
      disabled: !app.hub?.captions && !space.captions,
    }),
    toggle("Stream", space.streamed, (on) => edit({ streamed: on }), {
      note: streamNote(app, space),
      disabled: !app.hub?.streams && !space.streamed,
    }),
    toggle("Lock", space.locked, (on) => edit({ locked: on }), { note: "Nobody else comes in." }),
  ];
}

function streamNote(app, space) {
  if (!app.hub?.streams) return "This hub has none; its settings can change that.";
  const reads = space.captions ? " and reads its captions, with names" : "";
  return `Any player on the network hears it${reads}. The address is behind the sign Stream.`;
}

// --- backstage and the end --------------------------------------------------------------

/** Before the space is live: who is heard already, and the way out. */
function backstage(app) {
  const { view, hasSound } = app.member;
  const others = [...view.members.values()].filter((member) => member.connected !== false);
  const checks = [
    [app.member.isUp, "The hub answers"],
    [hasSound, "Your sound is connected"],
    [app.member.shown.microphone === "ready", "Your microphone is open to this page"],
    [
      others.length > 1,
      others.length > 1 ? `${others.length - 1} others are here` : "Nobody else is here yet",
    ],
  ];
  return h(
    "div",
    { class: "backstage" },
    h("p", {}, "The audience hears nothing yet. Talk to your speakers, then start."),
    h(
      "ul",
      { class: "checks" },
      checks.map(([ok, word]) =>
        h("li", { key: word, class: ok ? "is-ok" : "" }, ok ? "✓ " : "– ", word),
      ),
    ),
    isHost(view) &&
      button(
        "Start now",
        "play",
        () => act(app, { t: "space.start" }, "The space is live. All microphones are closed."),
        { class: "primary big" },
      ),
    view.space.state === "scheduled" &&
      isHost(view) &&
      button(
        "Call it off",
        "close",
        () => act(app, { t: "space.cancel" }, "The space was called off."),
        { class: "danger quiet" },
      ),
  );
}

async function end(app) {
  const asked = await app.attempt(() => app.member.act({ t: "space.end" }));
  if (!asked || asked.t !== "space.confirm") return;
  const others = Math.max(0, asked.members - 1);
  app.open("end", (_app, key) =>
    app.page.ask(key, {
      heading: "End for everyone?",
      text: `${others === 1 ? "One other person is" : `${others} others are`} in the space. Everybody is put out, and it cannot be started again.`,
      yes: "Yes, end",
      no: "Keep going",
      run: () => act(app, { t: "space.end", token: asked.token }),
    }),
  );
  setTimeout(() => app.close("end"), asked.expires_in_s * 1000);
}

// --- settings ---------------------------------------------------------------------------

function editDialog(app, key) {
  const { space, floor } = app.member.view;
  const draft = (app.page.edit ??= start(space, floor));
  const send = async () => {
    const change = changes(draft, start(space, floor));
    if (!Object.keys(change).length || (await act(app, { t: "space.edit", ...change }, "Saved."))) {
      app.page.edit = null;
      app.close(key);
    }
  };
  const set = (name) => (value) => {
    draft[name] = value;
    app.draw();
  };
  const text = (name, max) =>
    h("input", {
      value: draft[name],
      maxlength: max,
      oninput: (event) => set(name)(event.target.value),
    });
  const number = (name, min, max) =>
    h("input", {
      type: "number",
      min,
      max,
      inputmode: "numeric",
      value: draft[name],
      oninput: (event) => set(name)(event.target.value),
    });
  return dialog(
    app,
    key,
    "Settings of the space",
    form(
      send,
      field("Name", text("name", 40)),
      field("Topic", text("topic", 120)),
      field("Tags", text("tags", 80), { note: "Up to three, with commas between." }),
      field("How the floor is given", select(draft.mode, Object.entries(MODE), set("mode")), {
        note: MODE_MEANS[draft.mode],
      }),
      field("Who may speak", select(draft.speak, Object.entries(SPEAK), set("speak"))),
      h(
        "div",
        { class: "pair" },
        field("Open microphones", number("open_limit", 1, 64)),
        field("Seconds to talk", number("talk_limit_s", 0, 86400), { note: "0: no limit" }),
        field("Hands in line at most", number("queue_limit", 0, 10000), {
          note: "Left empty: as it is.",
        }),
        field("Places on the stage", number("stage_limit", 1, 1000)),
        field("Days a recording is kept", number("keep_days", 0, 365), {
          note: "0: deleted at the end",
        }),
      ),
      ["draft", "scheduled"].includes(space.state) &&
        field(
          "Day and time",
          h("input", {
            type: "datetime-local",
            value: draft.at,
            oninput: (event) => set("at")(event.target.value),
          }),
          { note: "Left empty: as it is. In your own time zone." },
        ),
      toggle("Listening unnamed is allowed", draft.hidden_allowed, set("hidden_allowed")),
      h("div", { class: "buttons end" }, h("button", { type: "submit", class: "primary" }, "Save")),
      blocked(app),
    ),
  );
}

function start(space, floor) {
  return {
    name: space.name,
    topic: space.topic ?? "",
    tags: (space.tags ?? []).join(", "),
    mode: floor.mode,
    speak: space.speak ?? "everyone",
    open_limit: String(floor.open_limit),
    talk_limit_s: String(floor.talk_limit_s ?? 0),
    stage_limit: String(space.stage_limit ?? 13),
    keep_days: space.recording ? String(space.recording.keep_days) : "",
    queue_limit: "",
    at: "",
    hidden_allowed: space.hidden_allowed ?? true,
  };
}

const NUMBERS = ["queue_limit", "open_limit", "talk_limit_s", "stage_limit", "keep_days"];

/** What differs, in the types of the wire. */
export function changes(draft, before) {
  const out = {};
  for (const [name, value] of Object.entries(draft)) {
    if (value === before[name] || (NUMBERS.includes(name) && value === "")) continue;
    if (NUMBERS.includes(name)) out[name] = Number(value);
    else if (name === "at") out.starts_at = withZone(value);
    else if (name === "tags")
      out.tags = value
        .split(",")
        .map((tag) => tag.trim())
        .filter(Boolean);
    else out[name] = value;
  }
  return out;
}

function blocked(app) {
  const list = app.page.blocked;
  const load = async () => {
    app.page.blocked = (await app.attempt(() => app.page.loadBlocked())) || [];
    app.draw();
  };
  if (!list) return button("Who is blocked?", null, load, { class: "quiet" });
  const lift = async (id) => {
    if (await act(app, { t: "member.unblock", member: id }, "They may come again.")) await load();
  };
  return h(
    "div",
    { class: "blocked" },
    h("h3", {}, "Blocked"),
    list.length
      ? h(
          "ul",
          {},
          list.map(({ id, name }) =>
            h(
              "li",
              { key: id, class: "line" },
              h("span", {}, name),
              button("Let in again", null, () => lift(id), { class: "quiet" }),
            ),
          ),
        )
      : h("p", { class: "hint" }, "Nobody."),
  );
}
