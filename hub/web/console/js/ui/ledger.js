// What whoever runs the hub may look up about boxes: what happened to them, and their releases.

import { day, moment, size } from "../core/format.js";
import { get } from "../shell/api.js";
import { h } from "./dom.js";

export function ledger(app) {
  if (!app.me?.admin) return null;
  return [
    part(app, "history", "What happened to boxes", "/enrolment/history", events),
    part(app, "releases", "Releases for boxes", "/updates", releases),
  ];
}

/** A part that is fetched when somebody opens it, and anew each time. */
function part(app, name, word, path, show) {
  const opened = async ({ target }) => {
    if (!target.open) return;
    const found = await app.attempt(() => get(path));
    if (found) app.page[name] = found;
    app.draw();
  };
  const found = app.page[name];
  return h(
    "details",
    { key: name, class: "card more", ontoggle: opened },
    h("summary", {}, word),
    found ? show(found) : h("p", { class: "hint" }, "One moment."),
  );
}

function events({ events: list }) {
  if (!list.length) return h("p", { class: "hint" }, "Nothing yet.");
  return h(
    "ol",
    { class: "log" },
    list.map(({ at, kind, name, detail }, index) =>
      h(
        "li",
        { key: index },
        h("span", {}, [`${name}: ${kind.replaceAll("_", " ")}`, detail].filter(Boolean).join(", ")),
        h("small", {}, moment(at)),
      ),
    ),
  );
}

function releases({ folder, releases: list, troubles, boxes }) {
  const stale = boxes.filter((box) => box.stale);
  return [
    h("p", { class: "hint" }, `Boxes fetch what lies in ${folder} by themselves.`),
    !list.length && h("p", { class: "hint" }, "There is none."),
    h(
      "ul",
      {},
      list.map((one) =>
        h(
          "li",
          { key: `${one.build}${one.role}${one.architecture}${one.python}`, class: "line" },
          h("span", {}, `${one.version} for ${one.role}, ${one.architecture}, Python ${one.python}`),
          h("small", {}, `${day(one.made)}, ${size(one.size)}`),
        ),
      ),
    ),
    troubles.map(({ file, detail }) =>
      h("p", { key: file || "all", class: "banner is-held" }, h("span", {}, `${file} ${detail}`)),
    ),
    stale.length > 0 &&
      h(
        "p",
        { class: "banner is-held" },
        h("span", {}, `A newer release waits for ${stale.map((box) => box.name).join(", ")}.`),
      ),
  ];
}
