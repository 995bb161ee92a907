// The boxes and browsers that the hub knows, and how each is doing.

import { clock, moment } from "../core/format.js";
import { del, get, patch } from "../shell/api.js";
import { NEAR_MS, adding, look as lookAround, trusted } from "./adding.js";
import { certificate, fetchCertificate } from "./certificate.js";
import { h, icon } from "./dom.js";
import { ledger } from "./ledger.js";
import { button, chip, dialog, field, form, nothing, title, toggle } from "./parts.js";

const LOOK_MS = 5_000;
const ROLE = { guest: "guest box", studio: "studio box", speaker: "smart speaker" };
/** Beyond these a figure is worth a look: what is heard then suffers. */
const BAD = { loss: 0.05, late_ms: 200, round_trip_ms: 150 };

export const boxes = {
  title: () => "Boxes",
  view,
  enter,
  leave: (app) => clearInterval(app.page.timer),
};

function enter(app) {
  const { page } = app;
  page.look ??= async () => {
    if (document.hidden || app.route.page !== "boxes") return;
    try {
      const near = page.adding?.open && page.turn++ % (LOOK_MS / NEAR_MS) !== 0;
      await lookAround(page);
      if (!near) {
        page.list = (await get("/boxes")).boxes;
        await fetchCertificate(page);
      }
      page.problem = null;
    } catch (problem) {
      page.problem = problem;
    }
    app.draw();
  };
  page.turn ??= 0;
  page.timer ??= setInterval(() => {
    if (page.adding?.open || page.turn++ % (LOOK_MS / NEAR_MS) === 0) page.look();
  }, NEAR_MS);
  page.look();
}

function view(app) {
  const { list, problem } = app.page;
  return [
    title("Boxes"),
    problem && h("p", { class: "banner is-held", role: "status" }, icon("flag"), problem.message),
    ...[adding(app)].flat(),
    list &&
      (list.length
        ? h(
            "ul",
            { class: "cards" },
            list.map((box) => card(app, box)),
          )
        : nothing("No box has come yet. Plug one in on this network, and add it here.")),
    certificate(app),
    ledger(app),
    !list && !problem && nothing("One moment."),
  ];
}

function card(app, box) {
  const { health = null, connected: online } = box;
  return h(
    "li",
    { key: box.id, class: "box-card card" },
    h(
      "div",
      { class: "head" },
      h("h2", {}, box.name),
      chip(online ? "connected" : "away", { kind: online ? "is-good" : "" }),
      trusted(box),
    ),
    h(
      "p",
      { class: "hint" },
      [
        box.kind === "browser" ? "browser" : (ROLE[box.role] ?? box.kind),
        box.space && `in ${box.space}`,
        box.address,
        box.software,
      ]
        .filter(Boolean)
        .join(" · "),
    ),
    box.twice &&
      h(
        "p",
        { class: "banner is-bad", role: "alert" },
        icon("flag"),
        "Two machines use this box's key. Remove it, reset it, and add it again.",
      ),
    health && online && h("dl", { class: "figures" }, figures(health)),
    h("p", { class: "hint" }, when(box)),
    tools(app, box),
  );
}

function when(box) {
  if (!box.connected) return `Last seen ${moment(box.last_seen)}.`;
  const told = box.told_s == null ? "" : ` Told ${Math.round(box.told_s)} s ago.`;
  return `Connected for ${clock(box.since_s ?? 0)}.${told}`;
}

function figures(health) {
  const rows = [
    ["Loss", percent(health.loss), health.loss > BAD.loss],
    ["Waiting", `${Math.round(health.late_ms)} ms`, health.late_ms > BAD.late_ms],
    [
      "There and back",
      `${Math.round(health.round_trip_ms)} ms`,
      health.round_trip_ms > BAD.round_trip_ms,
    ],
    ["Microphone", health.mic_dbfs <= -119 ? "silent" : `${Math.round(health.mic_dbfs)} dB`, false],
    ["Sound", health.media ? "connected" : "not connected", !health.media],
    ["Stumbles", String(health.xruns ?? 0), (health.xruns ?? 0) > 50],
    ["Up for", clock(health.uptime_s ?? 0), false],
    health.battery != null && ["Battery", percent(health.battery), health.battery < 0.2],
  ];
  return rows
    .filter(Boolean)
    .map(([word, value, bad]) =>
      h(
        "div",
        { key: word, class: bad ? "is-bad" : "" },
        h("dt", {}, word),
        h("dd", {}, value, bad && " !"),
      ),
    );
}

/** An empty name is the one that it gives itself. */
function renaming(app, key, box, run) {
  const send = ({ name }) => {
    app.close(key);
    run(name.trim() || null);
  };
  return dialog(
    app,
    key,
    `Rename ${box.name}`,
    form(
      send,
      field(
        "Name",
        h("input", { name: "name", value: box.name, maxlength: 40, autocomplete: "off" }),
        { note: `Left empty: ${box.own_name}, as it calls itself.` },
      ),
      h("div", { class: "buttons end" }, h("button", { type: "submit", class: "primary" }, "Save")),
    ),
  );
}

function removing(box) {
  return (app, key) => {
    const send = () => {
      app.close(key);
      app.attempt(async () => {
        await del(`/boxes/${box.id}`);
        await app.page.look();
      }, `${box.name} was removed.`);
    };
    return dialog(
      app,
      key,
      `Remove ${box.name}?`,
      h("p", {}, "It is disconnected at once. It comes back only with a new code."),
      h(
        "div",
        { class: "buttons end" },
        button("Keep it", null, () => app.close(key)),
        button("Remove it", null, send, { class: "danger" }),
      ),
    );
  };
}

function percent(share) {
  return `${(share * 100).toFixed(share < 0.1 && share > 0 ? 1 : 0)} %`;
}

function tools(app, box) {
  const change = (body, done) =>
    app.attempt(async () => {
      await patch(`/boxes/${box.id}`, body);
      await app.page.look();
    }, done);
  const rename = () =>
    app.open("rename", (_app, key) =>
      renaming(app, key, box, (name) => change({ name }, "Renamed.")),
    );
  return [
    toggle("Known member", Boolean(box.known), (known) => change({ known }), {
      note: "May speak where only known members do.",
      of: box.id,
    }),
    h(
      "div",
      { class: "buttons" },
      button("Rename", null, rename, { class: "quiet", "aria-label": `Rename ${box.name}` }),
      box.standing === "active" &&
        button("Remove", null, () => app.open("remove", removing(box)), {
          class: "quiet",
          "aria-label": `Remove ${box.name}`,
        }),
    ),
  ];
}
