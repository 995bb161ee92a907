// What the page tells its user, for a few seconds; the same words go to the screen reader.

import { h, icon } from "./dom.js";

const ICONS = { note: "flag", good: "hand", held: "lock", bad: "close" };

export function toastList(app) {
  return app.toasts.map((toast) =>
    h(
      "div",
      { key: toast.key, class: `toast is-${toast.kind}` },
      icon(ICONS[toast.kind]),
      h("p", {}, toast.text),
      toast.undo &&
        h("button", { class: "quiet", onclick: () => undo(app, toast) }, toast.undo.word),
    ),
  );
}

function undo(app, toast) {
  app.toasts = app.toasts.filter((each) => each !== toast);
  toast.undo.run();
  app.draw();
}
