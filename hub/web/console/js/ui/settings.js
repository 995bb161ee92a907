// The settings: one's own, and those of whoever runs the hub.

import { del, get, post, put } from "../shell/api.js";
import { keep, setting } from "../shell/keep.js";
import { canTalk } from "../shell/microphone.js";
import { h } from "./dom.js";
import { nameForm } from "./name.js";
import { button, dialog, field, form, title, toggle } from "./parts.js";
import { explain } from "./explain.js";

const EVENTS = [
  ["space_started", "A space started"],
  ["space_ended", "A space ended"],
  ["hand_raised", "A hand was raised"],
];

export const settings = { title: () => "Settings", view, enter, known: enter };

async function enter(app) {
  if (!app.me?.admin || app.page.hooks) return;
  app.page.hooks = (await get("/webhooks").catch(() => ({ webhooks: [] }))).webhooks;
  app.draw();
}

function view(app) {
  return [
    title("Settings"),
    h(
      "div",
      { class: "columns" },
      h("div", { class: "main-column" }, mine(app), talking(app)),
      h("div", { class: "side-column" }, running(app), hooks(app), about(app)),
    ),
  ];
}

function mine(app) {
  return h(
    "section",
    { class: "card", "aria-labelledby": "mine" },
    h("h2", { id: "mine" }, "You"),
    nameForm(app, "Save", () => app.tell(`You go by ${app.me.name}.`)),
    h(
      "p",
      { class: "hint" },
      "Everything that the hub keeps of you: ",
      h("a", { href: "/api/v1/me/export", download: true }, "download a copy"),
      ".",
    ),
    app.me?.id && button("Forget me here", "close", () => forget(app), { class: "quiet" }),
  );
}

/** This browser has no name any more. Recordings have a button of their own for what was said. */
function forget(app) {
  if (app.member.space)
    return app.tell("Leave the space first.", { urgent: true, kind: "held" });
  return app.attempt(async () => {
    await del("/me");
    await app.refresh();
  }, "The hub has forgotten this browser.");
}

function talking(app) {
  const flip = (name) => (on) => {
    keep(name, on);
    app.draw();
  };
  return h(
    "section",
    { class: "card", "aria-labelledby": "talking" },
    h("h2", { id: "talking" }, "Talking"),
    !canTalk() &&
      h(
        "p",
        {},
        "On this address the browser gives no microphone. ",
        button("Why?", null, () => app.open("explain", explain), { class: "link" }),
      ),
    toggle("Tap instead of hold", setting("latch"), flip("latch"), {
      note: "One press opens TALK, the next closes it.",
    }),
    toggle("Letter keys", setting("shortcuts"), flip("shortcuts"), {
      note: "H hand, M cough, N next. The space bar always talks.",
    }),
    h("h3", {}, "Microphone"),
    toggle("Cancel echo", setting("echo"), flip("echo"), {
      note: "Keep it on with a loudspeaker.",
    }),
    toggle("Reduce noise", setting("noise"), flip("noise")),
    toggle("Even out loudness", setting("gain"), flip("gain"), {
      note: "These count from the next time the microphone opens.",
    }),
  );
}

// --- whoever runs the hub ---------------------------------------------------------------

function running(app) {
  const heading = h("h2", { id: "running" }, "Whoever runs the hub");
  const parts = app.me?.admin ? loggedIn(app) : app.hub?.set_up ? logIn(app) : setUp(app);
  return h("section", { class: "card", "aria-labelledby": "running" }, heading, parts);
}

function password(label, { isNew = false, note = null } = {}) {
  const autocomplete = isNew ? "new-password" : "current-password";
  const who = h("input", {
    name: "who",
    autocomplete: "username",
    value: "admin",
    class: "unseen",
    tabindex: "-1",
    "aria-hidden": "true",
    readonly: true,
  });
  return [
    who,
    field(label, h("input", { name: "password", type: "password", required: true, autocomplete }), {
      note,
    }),
  ];
}

function after(app, work, done) {
  return app.attempt(async () => {
    await work();
    await app.refresh();
    app.page.hooks = null;
    await enter(app);
  }, done);
}

function setUp(app) {
  const send = ({ password: secret, code }) =>
    after(
      app,
      () => post("/setup", { password: secret, ...(code && { code }) }),
      "The hub is set up, and you are logged in.",
    );
  return [
    h("p", {}, "Nobody runs this hub yet. Choose a password to do so."),
    form(
      send,
      password("New password", { isNew: true, note: "Eight letters or more." }),
      field(
        "Set-up code",
        h("input", { name: "code", inputmode: "numeric", autocomplete: "off" }),
        {
          note: "The hub wrote it to its log at its start. On the hub's own computer none is needed.",
        },
      ),
      h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary" }, "Set up")),
    ),
  ];
}

function logIn(app) {
  const send = ({ password: secret }) =>
    after(app, () => post("/login", { password: secret }), "You are logged in.");
  return form(
    send,
    password("Password"),
    h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary" }, "Log in")),
  );
}

function loggedIn(app) {
  return [
    h("p", {}, "You are logged in, and may do in every space what a host may."),
    h("p", {}, "Who is a known member is said under ", h("a", { href: "#/boxes" }, "Boxes"), "."),
    h(
      "div",
      { class: "buttons" },
      button("Log out", "door", () => after(app, () => post("/logout"), "You are logged out.")),
      button("Log out everywhere", null, () => everywhere(app), { class: "quiet" }),
      button("Change the password", null, () => app.open("password", changing), { class: "quiet" }),
    ),
  ];
}

function everywhere(app) {
  return after(app, () => post("/logout", { everywhere: true }), "All are logged out.");
}

function changing(app, key) {
  const send = ({ old, password: secret }) =>
    app.attempt(async () => {
      await put("/password", { old, new: secret });
      app.close(key);
    }, "The password is changed, and all others are logged out.");
  const before = h("input", {
    name: "old",
    type: "password",
    required: true,
    autocomplete: "current-password",
  });
  return dialog(
    app,
    key,
    "Change the password",
    form(
      send,
      field("Present password", before),
      password("New password", { isNew: true, note: "Eight letters or more." }),
      h("div", { class: "buttons end" }, h("button", { type: "submit", class: "primary" }, "Change")),
    ),
  );
}

function hooks(app) {
  const { hooks: list } = app.page;
  if (!app.me?.admin || !list) return null;
  const load = async () => {
    app.page.hooks = null;
    await enter(app);
  };
  const add = async (given, node) => {
    const events = EVENTS.map(([id]) => id).filter((id) => given[id]);
    const done = await app.attempt(
      () => post("/webhooks", { url: given.url, events }),
      "The webhook is added.",
    );
    if (!done) return;
    node.reset();
    app.page.secret = done.secret ?? null;
    await load();
  };
  const drop = (id) =>
    app.attempt(async () => {
      await del(`/webhooks/${id}`);
      await load();
    }, "The webhook is gone.");
  return h(
    "section",
    { class: "card", "aria-labelledby": "hooks" },
    h("h2", { id: "hooks" }, "Webhooks"),
    h("p", { class: "hint" }, "Another program is told, signed, when something happens."),
    h(
      "ul",
      {},
      list.map((hook) =>
        h(
          "li",
          { key: hook.id, class: "line" },
          h(
            "div",
            { class: "who" },
            h("span", {}, hook.url),
            h("small", {}, [toldOf(hook.events), hook.last].filter(Boolean).join(" · ")),
          ),
          button("Remove", "close", () => drop(hook.id), { class: "quiet" }),
        ),
      ),
    ),
    app.page.secret &&
      h(
        "p",
        { class: "banner is-note" },
        "The key of its signatures, shown once: ",
        h("code", {}, app.page.secret),
      ),
    form(
      add,
      field(
        "Address",
        h("input", { name: "url", type: "url", required: true, placeholder: "https://" }),
      ),
      EVENTS.map(([id, word]) =>
        h(
          "label",
          { key: id, class: "toggle" },
          h("input", { type: "checkbox", name: id, checked: true }),
          h("span", { class: "toggle-word" }, word),
        ),
      ),
      h("div", { class: "buttons" }, h("button", { type: "submit" }, "Add")),
    ),
  );
}

function toldOf(events) {
  return EVENTS.filter(([id]) => events.includes(id))
    .map(([, word]) => word)
    .join(", ");
}

function about(app) {
  const { hub } = app;
  if (!hub) return null;
  return h(
    "section",
    { class: "card", "aria-labelledby": "about" },
    h("h2", { id: "about" }, "This hub"),
    h(
      "p",
      { class: "hint" },
      `${hub.name}, Stagebox ${hub.version}. `,
      h("a", { href: "/docs" }, "Its HTTP API"),
      ".",
    ),
  );
}
