// All pages, by the names that core/routes.js gives them.

import { boxes } from "./boxes.js";
import { h } from "./dom.js";
import { join } from "./join.js";
import { newSpace } from "./new.js";
import { nothing, title } from "./parts.js";
import { recordings } from "./recordings.js";
import { replay } from "./replay.js";
import { settings } from "./settings.js";
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

export const PAGES = {
  spaces,
  space,
  new: newSpace,
  join,
  recordings,
  replay,
  boxes,
  settings,
  lost,
};
