// Coming by invitation: a link that was opened, a picture that was scanned, or a code.

import { invitation } from "../core/routes.js";
import { PLACE } from "../core/words.js";
import { get, post } from "../shell/api.js";
import { h, icon } from "./dom.js";
import { nameForm } from "./name.js";
import { button, field, form, title } from "./parts.js";

export const join = { title: () => "Join", view, enter };

async function enter(app) {
  const { token } = app.route;
  if (!token || app.page.token === token) return;
  app.page.token = token;
  const found = await app.attempt(() => get(`/invites/${token}`));
  app.page.found = found;
  app.page.failed = !found;
  app.draw();
}

function view(app) {
  const { found } = app.page;
  return [
    title("Join"),
    h(
      "section",
      { class: "card door", "aria-label": "Invitation" },
      found ? welcome(app, found) : ask(app),
    ),
  ];
}

function welcome(app, found) {
  const go = () => {
    const id = found.space;
    app.member.join(id, { invite: found.token });
    app.go(`#/space/${id}`, true);
  };
  const as = PLACE[found.place] ?? "Listener";
  return [
    h("h2", {}, found.name),
    h("p", {}, "You are invited as ", h("b", {}, as.toLowerCase()), "."),
    app.me?.id
      ? [
          h("p", { class: "hint" }, "You go by ", h("b", {}, app.me.name), "."),
          button("Join", "door", go, { class: "primary big" }),
        ]
      : nameForm(app, "Join", go),
  ];
}

function ask(app) {
  const send = async ({ text }) => {
    const given = invitation(text);
    if (!given)
      return app.tell("A code has six digits. You may also paste the whole link.", {
        urgent: true,
        kind: "held",
      });
    if (given.token) return app.go(`#/join/${given.token}`);
    const found = await app.attempt(() => post("/codes", { code: given.code }));
    if (found) app.page.found = found;
    return app.draw();
  };
  return [
    app.page.failed &&
      h(
        "p",
        { class: "banner is-held" },
        icon("flag"),
        "This invitation is not valid any more. Ask for a new one, or enter a code.",
      ),
    form(
      send,
      field(
        "Code or link",
        h("input", {
          name: "text",
          required: true,
          inputmode: "text",
          autocomplete: "off",
          class: "code-input",
        }),
        { note: "The host reads out six digits, or sends a link." },
      ),
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "submit", class: "primary big" }, "Go on"),
      ),
    ),
  ];
}
