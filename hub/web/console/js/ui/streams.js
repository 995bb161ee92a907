// Who hears a space without being in it: players by its address, and servers it is told on to.

import { many } from "../core/format.js";
import { get } from "../shell/api.js";
import { h } from "./dom.js";
import { dialog, nothing } from "./parts.js";

export async function openStreams(app) {
  const found = await app.attempt(() => get(`/spaces/${app.member.space}/streams`));
  if (!found) return;
  app.open("streams", (_app, key) =>
    dialog(
      app,
      key,
      "Who hears the stream?",
      h("p", {}, many(found.listeners, "player listens", "players listen"), "."),
      h("input", { readonly: true, value: found.url, "aria-label": "Address for players" }),
      found.stations.length
        ? h("ul", {}, found.stations.map(station))
        : nothing("It is told on to no server. The hub's settings can name one."),
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
