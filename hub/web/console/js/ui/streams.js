// Who hears a space without being in it: players by its addresses, and servers it is told on to.

import { many } from "../core/format.js";
import { get } from "../shell/api.js";
import { h } from "./dom.js";
import { button, dialog, nothing } from "./parts.js";

const FOR = {
  hls: "Phones and web pages",
  opus: "Players and apps",
  aac: "Players without Opus",
  mp3: "Old radios",
};

export async function openStreams(app) {
  const found = await app.attempt(() => get(`/spaces/${app.member.space}/streams`));
  if (!found) return;
  app.open("streams", (_app, key) =>
    dialog(
      app,
      key,
      "Who hears the stream?",
      h("p", {}, many(found.listeners, "player listens", "players listen"), "."),
      found.addresses.map((each) => address(app, each)),
      found.stations.length
        ? h("ul", {}, found.stations.map(station))
        : nothing("It is told on to no server. The hub's settings can name one."),
    ),
  );
}

function address(app, { kind, url, qr }) {
  const id = `address-${kind}`;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(url);
      app.tell("The address is copied.");
    } catch {
      document.getElementById(id).select();
      app.tell("Copy the marked address.");
    }
  };
  return h(
    "details",
    { key: kind, class: "more", open: kind === "hls" },
    h("summary", {}, FOR[kind]),
    h(
      "div",
      { class: "invitation" },
      h("img", { src: qr, alt: "The address as a picture to scan", loading: "lazy" }),
      h(
        "div",
        { class: "inline" },
        h("input", { id, readonly: true, value: url, "aria-label": `Address: ${FOR[kind]}` }),
        button("Copy", "link", copy, { "aria-label": `Copy the address: ${FOR[kind]}` }),
      ),
    ),
  );
}

function station({ url, state, detail }) {
  return h(
    "li",
    { key: url, class: "line" },
    h("span", {}, url),
    h("small", {}, [state.replaceAll("_", " "), detail].filter(Boolean).join(": ")),
  );
}
