// Inviting: a link, a code to read out and a picture to scan; and what holds of it, to take back.

import { moment, spoken } from "../core/format.js";
import { isHost } from "../core/view.js";
import { PLACE } from "../core/words.js";
import { get, post } from "../shell/api.js";
import { h } from "./dom.js";
import { button, dialog, field, select } from "./parts.js";

const LASTS = [
  ["3600", "An hour"],
  ["86400", "A day"],
  ["1209600", "Two weeks"],
];
const USES = [
  ["1", "One person"],
  ["10", "10 people"],
  ["100", "100 people"],
  ["1000", "1000 people"],
];
const GIVES = { listener: "listening", speaker: "a place to speak", cohost: "a co-host's place" };

/** Open the dialog, with the invitations that hold. */
export function openInvite(app) {
  app.page.inviting ??= { ttl: "86400", uses: "100" };
  app.page.invites = null;
  app.open("invite", inviteDialog);
  load(app);
}

async function load(app) {
  const found = await app.attempt(() => get(`/spaces/${app.member.space}/invites`));
  app.page.invites = found?.invites ?? [];
  app.draw();
}

function inviteDialog(app, key) {
  const { invite: made, inviting: wish } = app.page;
  const kind = (place, word, sign) =>
    button(word, sign, () => make(app, place), {
      class: made?.place === place ? "primary" : "",
      "aria-pressed": String(made?.place === place),
    });
  const set = (name) => (value) => {
    wish[name] = value;
    app.draw();
  };
  return dialog(
    app,
    key,
    "Invite",
    h("p", {}, "A speaker gets a place on the stage. A listener hears, and may raise a hand."),
    h(
      "div",
      { class: "pair" },
      field("Good for", select(wish.ttl, LASTS, set("ttl"))),
      field("And for", select(wish.uses, USES, set("uses"))),
    ),
    h(
      "div",
      { class: "buttons" },
      kind("speaker", "Invite speakers", "mic"),
      kind("listener", "Invite listeners", "sound"),
      isHost(app.member.view) && kind("cohost", "Invite co-hosts", "people"),
    ),
    made && invitation(app, made),
    living(app),
  );
}

async function make(app, place) {
  const { ttl, uses } = app.page.inviting;
  const body = { place, ttl_s: Number(ttl), uses: Number(uses) };
  const made = await app.attempt(() => post(`/spaces/${app.member.space}/invites`, body));
  if (!made) return;
  app.page.invite = made;
  await load(app);
}

const shown = (code) => `${code.slice(0, 3)} ${code.slice(3)}`;

function invitation(app, made) {
  const { link } = made;
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
    h("p", { class: "code", "aria-label": made.code.split("").join(" ") }, shown(made.code)),
    h(
      "div",
      { class: "inline" },
      h("input", { id: "invite-link", readonly: true, value: link, "aria-label": "Link" }),
      button("Copy", "link", copy),
    ),
    navigator.share && button("Share", null, () => navigator.share({ url: link }).catch(() => {})),
    h("small", { class: "hint" }, `Good for ${spoken(made.expires_in_s)} and ${GIVES[made.place]}.`),
  );
}

// --- what holds -------------------------------------------------------------------------

function living(app) {
  const list = app.page.invites;
  if (!list?.length) return null;
  return h(
    "section",
    { class: "living", "aria-labelledby": "living-title" },
    h("h3", { id: "living-title" }, "Invitations that hold"),
    h(
      "ul",
      {},
      list.map((one) => row(app, one)),
    ),
    h("small", { class: "hint" }, "Who came by one that you revoke stays."),
  );
}

function row(app, one) {
  const name = `${PLACE[one.place].toLowerCase()} ${shown(one.code)}`;
  const until = new Date(Date.now() + one.expires_in_s * 1000).toISOString();
  const facts = [one.by && `by ${one.by}`, `${one.uses} may still come`, `until ${moment(until)}`];
  const show = () => {
    app.page.invite = one;
    app.draw();
  };
  return h(
    "li",
    { key: one.token, class: "line" },
    h(
      "div",
      { class: "who" },
      h("b", {}, `${PLACE[one.place]} · ${shown(one.code)}`),
      h("small", {}, facts.filter(Boolean).join(" · ")),
    ),
    button("Show", null, show, { class: "quiet", "aria-label": `Show ${name}` }),
    button("Revoke", null, () => revoke(app, one), {
      class: "danger quiet",
      "aria-label": `Revoke ${name}`,
    }),
  );
}

async function revoke(app, { token }) {
  const act = { t: "invite.revoke", token };
  const done = "The invitation is taken back: its link and its code lead nowhere any more.";
  if ((await app.attempt(() => app.member.act(act), done)) && app.page.invite?.token === token) {
    app.page.invite = null;
  }
  await load(app);
}
