// The certificate by which boxes know the hub, and changing it.

import { Problem, get, post } from "../shell/api.js";
import { h } from "./dom.js";
import { button } from "./parts.js";

/** Fetch what there is to show; a hub without TLS has none. */
export async function fetchCertificate(page) {
  try {
    page.certificate = await get("/box-certificate");
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.code !== "no_secure_port") throw problem;
    page.certificate = null;
  }
}

export function certificate(app) {
  const found = app.page.certificate;
  if (!found) return null;
  return h(
    "details",
    { class: "card" },
    h("summary", {}, "The hub's certificate"),
    h("p", { class: "hint words" }, shown(found.pin)),
    ...(found.next ? changing(app, found) : steady(app)),
  );
}

function steady(app) {
  return [
    h("p", {}, "Boxes know this hub by it. Change it if somebody may have copied the hub's disk."),
    button("Make the next one", null, () => send(app, "next", "Boxes are being told."), {
      class: "quiet",
    }),
  ];
}

function changing(app, found) {
  return [
    h("p", {}, `Next: `, h("span", { class: "words" }, shown(found.next))),
    h("p", {}, `${found.moved} of ${found.boxes} boxes have come with the next one.`),
    h("p", { class: "hint" }, "A box that has not must be enrolled again after the change."),
    button("Finish the change", null, () => send(app, "finish", "The certificate is changed."), {
      class: found.moved === found.boxes ? "primary" : "danger",
    }),
  ];
}

function send(app, what, done) {
  return app.attempt(async () => {
    app.page.certificate = await post(`/box-certificate/${what}`);
  }, done);
}

function shown(pin) {
  return `${pin.slice(0, 32).match(/.{4}/g).join(" ")} …`;
}
