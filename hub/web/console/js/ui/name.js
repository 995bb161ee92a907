// Saying one's name, once for each browser.

import { h, icon } from "./dom.js";
import { field, form } from "./parts.js";

/** Ask for a name, then go on with `after`. */
export function nameForm(app, word, after) {
  const send = async ({ name }) => {
    const plain = name.trim();
    if (!plain)
      return app.tell("Enter the name by which people know you.", { urgent: true, kind: "held" });
    return (await app.attempt(() => app.rename(plain))) && after();
  };
  const input = h("input", {
    name: "name",
    required: true,
    maxlength: 40,
    autocomplete: "nickname",
    value: app.me?.name ?? "",
  });
  return form(
    send,
    field("Your name", input, { note: "Everybody in the space sees it." }),
    h(
      "div",
      { class: "buttons" },
      h(
        "button",
        { type: "submit", class: "primary big" },
        word !== "Save" && icon("door"),
        h("span", {}, word),
      ),
    ),
  );
}
