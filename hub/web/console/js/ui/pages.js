// All pages, by the names that core/routes.js gives them.
//
// What is shown first comes with the program; the others come when they are asked for, or
// when the browser has nothing else to do.

import { h } from "./dom.js";
import { nothing, title } from "./parts.js";
import { space } from "./space.js";
import { spaces } from "./spaces.js";

const lost = {
  title: () => "Nothing here",
  view: () => [
    title("Nothing here"),
    nothing(
      "There is no such page.",
      h("p", {}, h("a", { href: "#/spaces" }, "To the list of spaces")),
    ),
  ],
};

const waiting = { title: () => "One moment", view: () => [title("One moment")] };

const here = { spaces, space, lost };

const LATER = {
  new: async () => (await import("./new.js")).newSpace,
  join: async () => (await import("./join.js")).join,
  recordings: async () => (await import("./recordings.js")).recordings,
  replay: async () => (await import("./replay.js")).replay,
  boxes: async () => (await import("./boxes.js")).boxes,
  settings: async () => (await import("./settings.js")).settings,
};

/** The page of this name, or what stands in for it until `fetchPage` is done. */
export const pageOf = (name) => here[name] ?? waiting;

/** Whether the page of this name is here. */
export const isHere = (name) => name in here;

/** Have a page come; throws what `import` does. */
export async function fetchPage(name) {
  here[name] ??= await LATER[name]();
}

/** Have all pages come, so that each opens at once, even while the hub is away. */
export async function fetchPages() {
  for (const name of Object.keys(LATER)) await fetchPage(name);
}
