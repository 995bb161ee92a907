// Why a page cannot talk, and what to do about it once.

import { h } from "./dom.js";
import { button, dialog } from "./parts.js";

/** Why there is no TALK on this address, and what to do once. */
export function explain(app, key) {
  const port = app.hub?.secure_port;
  const host = location.hostname.includes(":")
    ? `[${location.hostname.replace(/[[\]]/g, "")}]`
    : location.hostname;
  const link = `https://${host}:${port}/${location.hash}`;
  return dialog(
    app,
    key,
    "To talk, open the secure page",
    h(
      "p",
      {},
      "Browsers give a page the microphone only over HTTPS. Listening works here as well.",
    ),
    port
      ? [
          h("p", {}, h("a", { class: "button primary", href: link }, link)),
          h(
            "p",
            {},
            "The first time, your browser warns that it does not know this hub: the hub made its certificate itself, and no company vouches for it. Choose Advanced (in Safari: Show Details), then go on to the page. It asks once for each device.",
          ),
          h(
            "p",
            {},
            "So that it never warns, let the device trust the hub: ",
            h("a", { href: "/hub.crt", download: true }, "the hub's own authority"),
            ", to be installed in the device's settings. Safari on an iPhone may connect only then.",
          ),
          h("p", { class: "hint" }, "Do this only on your own network, and only for this address."),
        ]
      : h(
          "p",
          {},
          "This hub has no secure page. Whoever runs it can switch it on in its settings. On the hub's own computer, http://localhost works at once.",
        ),
    h(
      "div",
      { class: "buttons end" },
      button("Close", null, () => app.close(key)),
    ),
  );
}
