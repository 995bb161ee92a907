// Inviting: two plainly worded links, a code to read out, and a picture to scan.

import { spoken } from "../core/format.js";
import { post } from "../shell/api.js";
import { h } from "./dom.js";
import { button, dialog } from "./parts.js";

const DAY_S = 86_400;

export function inviteDialog(app, key) {
  const made = app.page.invite;
  const ask = (place) => app.attempt(() => make(app, place));
  return dialog(
    app,
    key,
    "Invite",
    h("p", {}, "A speaker gets a place on the stage. A listener hears, and may raise a hand."),
    h(
      "div",
      { class: "buttons" },
      button("Invite speakers", "mic", () => ask("speaker"), {
        class: made?.place === "speaker" ? "primary" : "",
        "aria-pressed": String(made?.place === "speaker"),
      }),
      button("Invite listeners", "sound", () => ask("listener"), {
        class: made?.place === "listener" ? "primary" : "",
        "aria-pressed": String(made?.place === "listener"),
      }),
    ),
    made && invitation(app, made),
  );
}

async function make(app, place) {
  const body = { place, ttl_s: DAY_S, uses: 100 };
  app.page.invite = await post(`/spaces/${app.member.space}/invites`, body);
}

function invitation(app, made) {
  const { link } = made;
  const code = `${made.code.slice(0, 3)} ${made.code.slice(3)}`;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
      app.tell("The link is copied.");
    } catch {
      const input = document.getElementById("invite-link");
      input.select();
      app.tell("Copy the marked link.");
    }
  };
  return h(
    "div",
    { class: "invitation", key: made.token },
    h("img", { src: made.qr, alt: "The link as a picture to scan", width: 200, height: 200 }),
    h("p", {}, "Code to read out"),
    h("p", { class: "code", "aria-label": made.code.split("").join(" ") }, code),
    h(
      "div",
      { class: "inline" },
      h("input", { id: "invite-link", readonly: true, value: link, "aria-label": "Link" }),
      button("Copy", "link", copy),
    ),
    navigator.share && button("Share", null, () => navigator.share({ url: link }).catch(() => {})),
    h(
      "small",
      { class: "hint" },
      `Good for ${spoken(made.expires_in_s)} and ${made.place === "speaker" ? "a place to speak" : "listening"}.`,
    ),
  );
}
