// The record of a space, for those who run or ran it: what was done, by whom and when.

import { deed } from "../core/deeds.js";
import { moment } from "../core/format.js";
import { get } from "../shell/api.js";
import { h } from "./dom.js";
import { button, dialog } from "./parts.js";

const PAGE = 50;

export function openLog(app) {
  app.page.log = { deeds: [], next: null, isHere: false };
  app.open("log", logDialog);
  more(app);
}

async function more(app) {
  const { log } = app.page;
  const before = log.next === null ? "" : `&before=${log.next}`;
  const path = `/spaces/${app.route.id}/audit?limit=${PAGE}${before}`;
  const found = await app.attempt(() => get(path));
  if (found) Object.assign(log, { deeds: [...log.deeds, ...found.deeds], next: found.next });
  log.isHere = true;
  app.draw();
}

function logDialog(app, key) {
  const { deeds, next, isHere } = app.page.log;
  return dialog(
    app,
    key,
    "What was done",
    h(
      "ol",
      { class: "log" },
      deeds.map((one) =>
        h(
          "li",
          { key: one.n },
          h("span", {}, deed(one)),
          h("small", {}, moment(one.at)),
        ),
      ),
    ),
    !deeds.length && h("p", { class: "hint" }, isHere ? "Nothing is written down." : "One moment."),
    next != null && button("Older", "down", () => more(app)),
  );
}
