// Speakers that people own: which are on the network, and which of them play this space.

import { many } from "../core/format.js";
import { del, get, patch } from "../shell/api.js";
import { h } from "./dom.js";
import { button, chip, dialog, nothing, slider, toggle } from "./parts.js";

/** While the dialog is open the page follows closely: a speaker that was unplugged is soon seen. */
const LOOK_MS = 1_000;
/** A finger that drags a slider is one wish a quarter of a second, not fifty. */
const PACE_MS = 250;

const KIND = {
  dlna: "DLNA",
  snapcast: "Snapcast",
  chromecast: "Chromecast",
  airplay: "AirPlay",
};
const STATE = {
  absent: "is not there",
  held: "waits for the stream",
  starting: "starts",
  playing: "plays this space",
  waiting: "tries again soon",
  refused: "refuses",
  stopped: "was stopped there",
};

export async function openSpeakers(app) {
  const { space } = app.member;
  const look = () => get(`/spaces/${space}/speakers`);
  const seen = await app.attempt(look);
  if (!seen) return;
  const page = { space, ...seen, look, turning: null };
  app.open("speakers", (_app, key) => sheet(app, key, page));
  const timer = setInterval(async () => {
    if (!app.dialogs.some(({ key }) => key === "speakers")) {
      clearInterval(timer);
      return;
    }
    await again(app, page);
  }, LOOK_MS);
}

async function again(app, page) {
  try {
    Object.assign(page, await page.look());
    app.draw();
  } catch {
    // The next look tells.
  }
}

function sheet(app, key, page) {
  return dialog(
    app,
    key,
    "Speakers",
    h("p", {}, "Play this space on speakers in the house."),
    !page.streamed && unstreamed(app, page),
    page.speakers.length
      ? h("ul", { key: "all" }, page.speakers.map((each) => speaker(app, page, each)))
      : nothing("No speaker was found on the network. Switch one on; it appears here by itself."),
  );
}

function unstreamed(app, page) {
  const begin = async () => {
    await app.attempt(() => patch(`/spaces/${page.space}`, { streamed: true }));
    await again(app, page);
  };
  return h(
    "div",
    { key: "unstreamed", class: "line", role: "status" },
    h("p", {}, "Speakers play the space's stream, and that is off."),
    button("Switch the stream on", "sound", begin, { disabled: !app.hub?.streams }),
  );
}

function speaker(app, page, each) {
  const at = `/spaces/${page.space}/speakers/${each.id}`;
  const wish = async (body) => {
    await app.attempt(() => patch(at, body));
    await again(app, page);
  };
  const wanted = each.here && each.state !== "stopped";
  return h(
    "li",
    { key: each.id, class: "bridge" },
    toggle(`Play in ${each.name}`, wanted, (on) => wish({ on }), {
      of: each.id,
      note: each.elsewhere ? "It plays another space." : KIND[each.kind],
      disabled: each.elsewhere,
    }),
    h(
      "div",
      { class: "line" },
      h("small", {}, each.address),
      each.here &&
        chip(STATE[each.state] ?? each.state, { kind: each.state === "playing" ? "is-good" : "" }),
    ),
    each.detail && h("p", { key: "why", role: "status" }, each.detail),
    each.next_s !== null &&
      h("p", { key: "next" }, `Next try in ${many(Math.ceil(each.next_s), "second", "seconds")}.`),
    each.state === "playing" && each.volume !== null && volume(app, page, each, wish),
    !each.there &&
      each.here &&
      button("Forget it", "close", async () => {
        await app.attempt(() => del(at));
        await again(app, page);
      }),
  );
}

function volume(app, page, each, wish) {
  const turned = page.turning?.id === each.id ? page.turning.percent : each.volume;
  const turn = (percent) => {
    const first = !page.turning;
    page.turning = { id: each.id, percent };
    if (!first) return;
    setTimeout(async () => {
      const { percent: last } = page.turning;
      await wish({ volume: last });
      page.turning = null;
      app.draw();
    }, PACE_MS);
  };
  return slider(`Volume of ${each.name}`, turned, turn);
}
