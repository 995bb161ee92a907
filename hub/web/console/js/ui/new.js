// Opening a space: three ready-made kinds, now or on a day.

import { MODE, MODE_MEANS, SPEAK } from "../core/words.js";
import { post, onceKey } from "../shell/api.js";
import { h } from "./dom.js";
import { nameForm } from "./name.js";
import { field, form, select, title } from "./parts.js";
import { withZone, zoneName } from "../core/moment.js";

const PRESETS = [
  [
    "walkie",
    "Walkie-talkie",
    "A few people. Press and talk, one at a time.",
    { mode: "walkie", speak: "everyone" },
  ],
  [
    "evening",
    "Evening with guests",
    "A host, raised hands, and an audience.",
    { mode: "moderated", speak: "everyone" },
  ],
  [
    "show",
    "Lecture or show",
    "Only those whom you invite talk.",
    { mode: "stage", speak: "invited" },
  ],
];

export const newSpace = { title: () => "New space", view, enter };

function enter(app) {
  app.page.draft ??= {
    preset: "evening",
    name: "",
    topic: "",
    tags: "",
    when: "now",
    at: "",
    mode: "moderated",
    speak: "everyone",
  };
  app.page.once ??= onceKey();
}

function view(app) {
  const { draft, wrong = {} } = app.page;
  if (!draft) return title("New space");
  if (app.me && !app.me.id) {
    return [
      title("New space"),
      h(
        "section",
        { class: "card" },
        h("p", {}, "You will be its host."),
        nameForm(app, "Go on", () => app.draw()),
      ),
    ];
  }
  const set = (name) => (value) => {
    draft[name] = value;
    if (wrong) wrong[name] = null;
    app.draw();
  };
  const text = (name, max) =>
    h("input", {
      name,
      maxlength: max,
      value: draft[name],
      autocomplete: "off",
      oninput: (event) => set(name)(event.target.value),
    });
  return [
    title("New space"),
    form(
      () => send(app),
      presets(app, draft),
      field("Name", text("name", 40), {
        note: "Left empty, the hub makes one up.",
        wrong: wrong.name,
      }),
      field("Topic", text("topic", 120), { wrong: wrong.topic }),
      field("Tags", text("tags", 80), {
        note: "Up to three, with commas between.",
        wrong: wrong.tags,
      }),
      when(draft, set, wrong),
      h(
        "details",
        { class: "card" },
        h("summary", {}, "How the floor is given"),
        field("Mode", select(draft.mode, Object.entries(MODE), set("mode")), {
          note: MODE_MEANS[draft.mode],
        }),
        field("Who may speak", select(draft.speak, Object.entries(SPEAK), set("speak"))),
      ),
      h(
        "div",
        { class: "buttons end" },
        h("button", { type: "submit", class: "primary big" }, WORD[draft.when]),
      ),
    ),
  ];
}

const WORD = { now: "Open it now", backstage: "Go backstage", later: "Put it into the calendar" };

function presets(app, draft) {
  const choose = (id, values) => () => {
    Object.assign(draft, values, { preset: id });
    app.draw();
  };
  return h(
    "fieldset",
    { class: "presets" },
    h("legend", {}, "What kind of space?"),
    PRESETS.map(([id, word, text, values]) =>
      h(
        "label",
        { key: id, class: "preset" },
        h("input", {
          type: "radio",
          name: "preset",
          value: id,
          checked: draft.preset === id,
          onchange: choose(id, values),
        }),
        h("span", {}, h("b", {}, word), h("small", {}, text)),
      ),
    ),
  );
}

function when(draft, set, wrong) {
  const options = [
    ["now", "Now"],
    ["backstage", "Backstage first: the audience waits"],
    ["later", "On a day"],
  ];
  return [
    field("When", select(draft.when, options, set("when"))),
    draft.when === "later" &&
      field(
        "Day and time",
        h("input", {
          type: "datetime-local",
          value: draft.at,
          oninput: (event) => set("at")(event.target.value),
        }),
        {
          note: `In your time zone, ${zoneName(new Date())}. Boxes hear of it five minutes before.`,
          wrong: wrong.starts_at,
        },
      ),
  ];
}

async function send(app) {
  const { draft } = app.page;
  if (draft.when === "later" && !draft.at) {
    app.page.wrong = { starts_at: "Choose a day and a time." };
    return app.draw();
  }
  const body = {
    ...(draft.name.trim() && { name: draft.name.trim() }),
    topic: draft.topic.trim(),
    tags: draft.tags
      .split(",")
      .map((tag) => tag.trim())
      .filter(Boolean),
    mode: draft.mode,
    speak: draft.speak,
    backstage: draft.when === "backstage",
    ...(draft.when === "later" && { starts_at: withZone(draft.at) }),
  };
  try {
    const made = await post("/spaces", body, { "Idempotency-Key": app.page.once });
    const { id } = made.space;
    if (draft.when !== "later") app.member.join(id);
    app.go(`#/space/${id}`, true);
  } catch (problem) {
    app.page.once = onceKey();
    app.page.wrong = problem.field ? { [problem.field]: problem.message } : {};
    app.tell(problem.message, { urgent: true, kind: "bad" });
  }
  return undefined;
}
