// Where else a space is: bridges to rooms hosted elsewhere, how each is, and a form for a new one.

import { many } from "../core/format.js";
import { del, get, patch, post } from "../shell/api.js";
import { h } from "./dom.js";
import { button, chip, dialog, field, form, nothing, select, toggle } from "./parts.js";

/** While the dialog is open the page follows closely: a lost bridge is shown within two seconds. */
const LOOK_MS = 1_000;

const SYSTEM = [
  ["stagebox", "Another Stagebox hub"],
  ["janus-audiobridge", "Janus AudioBridge room"],
  ["janus-videoroom", "Janus VideoRoom room"],
  ["janus-streaming", "Janus stream: the space hears it"],
  ["livekit", "LiveKit room"],
  ["mumble", "Mumble channel"],
  ["discord-stage", "Discord stage: they hear the space (experimental)"],
  ["sip", "Telephone call (SIP)"],
  ["whip", "WHIP: they hear the space"],
  ["whep", "WHEP: the space hears them"],
  ["x", "X Space (unofficial)"],
];
const WEB = "https://… or http://…";
/** What the form asks for, by system: how an address begins, then fields and their labels. */
const ASKS = {
  stagebox: { url: WEB, token: "Token" },
  "janus-audiobridge": {
    url: "wss://… or ws://…, or https://…/janus",
    room: "Number of the room",
    pin: "PIN of the room",
  },
  "janus-videoroom": {
    url: "wss://… or ws://…, or https://…/janus",
    room: "Number of the room",
    pin: "PIN of the room",
  },
  "janus-streaming": {
    url: "wss://… or ws://…, or https://…/janus",
    room: "Number of the stream",
    pin: "PIN of the stream",
  },
  livekit: {
    url: "wss://… or ws://…",
    room: "Name of the room",
    key: "API key",
    secret: "API secret",
    token: "Or a join token",
  },
  mumble: {
    url: "mumble://server/Channel, as Mumble copies it",
    pin: "Password of the server",
    token: "Access token of the channel",
  },
  "discord-stage": {
    url: "https://discord.com/channels/…, as Discord copies the stage's link",
    token: "Token of the bot",
  },
  sip: {
    url: "sip:NUMBER@SERVER, such as sip:**612@fritz.box",
    key: "Name at the exchange",
    secret: "Password at the exchange",
    pin: "Keys to press then, such as a PIN",
  },
  whip: { url: WEB, token: "Token" },
  whep: { url: WEB, token: "Token" },
  x: { url: "https://x.com/i/spaces/…, the link of the Space" },
};
const PARTS = [
  ["listen", "Listen"],
  ["speak", "Ask to speak there"],
  ["host", "Host a new one (address: https://x.com/i/spaces)"],
];
const RISK =
  "X lets no programs into its Spaces: this way is unofficial, and may stop working on any day. " +
  "Use a spare account, and ask those who host the Space.";
/** Fields without which there is nothing to bridge to. */
const NEEDED = ["room"];
const STATE = {
  off: "off",
  connecting: "is connecting",
  joined: "joined",
  waiting: "tries again soon",
  refused: "is refused",
  ended: "nothing is there",
};
const AWAY = {
  roster: "names",
  mute: "mute",
  talker: "who talks",
  hands: "raised hands",
  recording: "a sign for recordings",
};

export async function openBridges(app) {
  const { space } = app.member;
  const look = () => get(`/spaces/${space}/bridges`);
  const seen = await app.attempt(look);
  if (!seen) return;
  const page = { space, bridges: seen.bridges, system: SYSTEM[0][0] };
  Object.assign(page, { part: PARTS[0][0], accepts: false });
  app.open("bridges", (_app, key) => sheet(app, key, page));
  const timer = setInterval(async () => {
    if (!app.dialogs.some(({ key }) => key === "bridges")) {
      clearInterval(timer);
      return;
    }
    try {
      page.bridges = (await look()).bridges;
      app.draw();
    } catch {
      // The next look tells.
    }
  }, LOOK_MS);
}

function sheet(app, key, page) {
  return dialog(
    app,
    key,
    "Bridges",
    // What changes by itself comes last: a button must not move away under a finger.
    app.me?.admin && h("section", { key: "new" }, h("h3", {}, "New bridge"), made(app, page)),
    page.bridges.length
      ? h("ul", { key: "all" }, page.bridges.map((each) => bridge(app, each)))
      : nothing("This space is bridged to no other room."),
  );
}

function bridge(app, each) {
  const admin = app.me?.admin;
  const away = Object.keys(AWAY).filter((what) => !each.can[what]);
  return h(
    "li",
    { key: each.id, class: "bridge" },
    h(
      "div",
      { class: "line" },
      h("strong", {}, each.name),
      chip(STATE[each.state], { kind: each.state === "joined" ? "is-good" : "" }),
    ),
    admin && controls(app, each),
    h("small", {}, [each.url, each.room].filter(Boolean).join(" · ")),
    each.detail && h("p", { key: "why", role: "status" }, each.detail),
    each.next_s !== null && h("p", { key: "next" }, again(each.next_s)),
    each.waits_for &&
      h("p", { key: "waits" }, `Somebody speaks over there: ${each.waits_for.replaceAll("_", " ")}.`),
    each.people.length > 0 && h("p", { key: "there" }, "There: ", each.people.map(person).join(", ")),
    each.state === "joined" &&
      away.length > 0 &&
      h("small", { key: "away" }, `Not available there: ${away.map((what) => AWAY[what]).join(", ")}.`),
  );
}

function again(seconds) {
  return `Next try in ${many(Math.ceil(seconds), "second", "seconds")}.`;
}

function person({ name, muted, talking, bridge: isBridge, hand, may_speak: may }) {
  const notes = [
    isBridge && "bridge",
    hand && "hand up",
    may === false && "listens",
    muted && may !== false && "muted",
    talking && "talks",
  ].filter(Boolean);
  return notes.length ? `${name} (${notes.join(", ")})` : name;
}

function controls(app, each) {
  const at = `/bridges/${each.id}`;
  const attempt = (work) => app.attempt(work);
  return h(
    "div",
    { class: "buttons" },
    toggle(
      `${each.name} is on`,
      each.state !== "off",
      (on) => attempt(() => patch(at, { on })),
      { of: each.id },
    ),
    button("Try now", "next", () => attempt(() => patch(at, { on: true })), {
      disabled: each.next_s === null,
    }),
    app.member.view?.space.recording &&
      button("All over there agree to the recording", "people", () =>
        attempt(() => post(`${at}/agree`, { all_were_asked: true })),
      ),
    !each.standing && button("Remove", "close", () => attempt(() => del(at)), { class: "danger" }),
    each.people
      .filter(({ id, hand, bridge: isBridge }) => id && hand && !isBridge)
      .map(({ id, name, may_speak: may }) =>
        button(may ? `${name}: no longer speak there` : `Let ${name} speak there`, "people", () =>
          attempt(() => post(`${at}/permit`, { person: id, speaks: !may })),
        ),
      ),
  );
}

function made(app, page) {
  const { url, ...asked } = ASKS[page.system];
  const choose = (system) => {
    page.system = system;
    app.draw();
  };
  const isX = page.system === "x";
  const text = (name, more = {}) => h("input", { name, autocomplete: "off", ...more });
  return form(
    (given, node) => add(app, page, given, node),
    field("What is on the other side", select(page.system, SYSTEM, choose, { name: "system" })),
    field("Name of the bridge", text("name", { maxlength: 40, required: true })),
    field("Address of the server", text("url", { inputmode: "url", required: true }), { note: url }),
    Object.entries(asked).map(([name, label]) =>
      field(label, text(name, { required: NEEDED.includes(name) })),
    ),
    isX && risk(app, page),
    h("button", { class: "primary", disabled: isX && !page.accepts }, "Bridge"),
  );
}

/** What is asked of whoever goes to X; the hub's settings must have accepted the risk, too. */
function risk(app, page) {
  const keep = (name) => (value) => {
    page[name] = value;
    app.draw();
  };
  const accepts = "I accept that X may suspend the account";
  return [
    field("What it does there", select(page.part, PARTS, keep("part"), { name: "part" })),
    toggle(accepts, page.accepts, keep("accepts"), { note: RISK }),
  ];
}

async function add(app, page, given, node) {
  const filled = Object.fromEntries(Object.entries(given).filter(([, value]) => value));
  const body = { ...filled, url: plain(filled.url), system: page.system, space: page.space };
  const bridge = await app.attempt(() => post("/bridges", body));
  if (bridge) node.reset();
}

/** An address with spaces and letters of all languages as programs write it. */
function plain(url) {
  try {
    return url.startsWith("mumble:") ? new URL(url).href : url;
  } catch {
    return url; // the hub says what is wrong with it
  }
}
