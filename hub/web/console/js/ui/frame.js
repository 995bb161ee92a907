// What stands around every page: the bar with its places, and the way back into the space.

import { h, icon } from "./dom.js";

const PLACES = [
  ["spaces", "#/spaces", "list", "Spaces"],
  ["recordings", "#/recordings", "play", "Recordings"],
  ["boxes", "#/boxes", "box", "Boxes"],
  ["settings", "#/settings", "gear", "Settings"],
];
const UNDER = { space: "spaces", new: "spaces", join: "spaces", replay: "recordings" };

export function frame(app, page) {
  const inSpace = app.route.page === "space" && app.member.space === app.route.id;
  return [
    h("header", { class: inSpace ? "top is-in-space" : "top" }, brand(app), nav(app)),
    app.trouble && h("p", { class: "banner is-bad", role: "alert" }, icon("flag"), app.trouble),
    app.hub?.open && app.me?.admin && !inSpace && openHub(),
    h("main", { id: "main", class: `page page-${app.route.page}`, tabindex: "-1" }, page.view(app)),
    page.bar?.(app) ?? stillIn(app),
  ];
}

function openHub() {
  return h(
    "p",
    { key: "open-hub", class: "banner is-held" },
    icon("flag"),
    h(
      "span",
      {},
      h("strong", {}, "This hub is open."),
      " It takes every program on its own computer for a box: for development only.",
    ),
  );
}

function brand(app) {
  return h("a", { class: "brand", href: "#/spaces" }, app.hub?.name ?? "Stagebox");
}

function nav(app) {
  const here = UNDER[app.route.page] ?? app.route.page;
  return h(
    "nav",
    { "aria-label": "Places" },
    h(
      "ul",
      {},
      PLACES.map(([page, href, sign, word]) =>
        h(
          "li",
          { key: page },
          h(
            "a",
            { href, "aria-current": page === here ? "page" : null },
            icon(sign),
            h("span", {}, word),
          ),
        ),
      ),
    ),
  );
}

/** On other pages: one is still in the space, and heard or hearing. */
function stillIn(app) {
  const { member } = app;
  if (!member.space) return null;
  const name = member.view?.space.name ?? member.space;
  return h(
    "aside",
    { class: "still", "aria-label": "The space you are in" },
    h(
      "a",
      { href: `#/space/${member.space}` },
      icon("sound"),
      h("span", {}, "You are in ", h("b", {}, name)),
    ),
    h("button", { class: "quiet", onclick: () => member.leave() }, icon("door"), "Leave"),
  );
}
