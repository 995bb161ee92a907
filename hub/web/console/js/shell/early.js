// What the first view needs of the hub, asked for before the rest of the program is here.
//
// This file stands alone so that the browser can run it while it still fetches the others.

import { route } from "../core/routes.js";

/** An answer that nobody has taken by then is too old to be shown. */
const FRESH_MS = 5_000;

const asked = new Map();

function ask(path) {
  const answer = fetch(`/api/v1${path}`, { credentials: "same-origin" }).catch(() => null);
  asked.set(path, answer);
}

/** The response to GET of this path that is on its way, once; else null. */
export function early(path) {
  const answer = asked.get(path) ?? null;
  asked.delete(path);
  return answer;
}

const first = route(location.hash);
if (first.page === "space") ask(`/spaces/${first.id}`);
ask("/hub");
ask("/me");
setTimeout(() => asked.clear(), FRESH_MS);
