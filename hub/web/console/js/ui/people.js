// The members by place, and what may be done with each.

import { many } from "../core/format.js";
import { away, byPlace, isChair, isHost } from "../core/view.js";
import { KIND, PLACE, PLACES } from "../core/words.js";
import { keep, setting } from "../shell/keep.js";
import { h, icon } from "./dom.js";
import { button, face, slider } from "./parts.js";

const CHAIRS = ["host", "cohost"];

export function people(app) {
  const { view } = app.member;
  const groups = byPlace(view);
  const onStage = groups.host.length + groups.cohost.length + groups.speaker.length;
  return h(
    "section",
    { class: "card people", "aria-labelledby": "people-title" },
    h(
      "div",
      { class: "head" },
      h("h2", { id: "people-title" }, `People (${view.members.size})`),
      h("small", {}, `${onStage} of ${view.space.stage_limit ?? 13} on the stage`),
    ),
    Object.entries(groups).map(
      ([place, members]) => members.length > 0 && group(app, place, members),
    ),
    view.space.hidden > 0 &&
      h("p", { class: "hint" }, `${many(view.space.hidden, "listener", "listeners")} unnamed`),
  );
}

function group(app, place, members) {
  return [
    h("h3", { key: `h-${place}` }, members.length > 1 ? PLACES[place] : PLACE[place]),
    h(
      "ul",
      { key: `l-${place}`, class: "members" },
      members.map((member) => row(app, member)),
    ),
  ];
}

function row(app, member) {
  const { view } = app.member;
  const isMe = member.id === view.you;
  // Whose place changes moves to another list, and stays open there: the row that it leaves
  // behind is shut by the browser, which is nobody's wish.
  const opened = ({ target }) => {
    if (!target.isConnected) return;
    if (target.open) app.page.member = member.id;
    else if (app.page.member === member.id) app.page.member = null;
  };
  return h(
    "li",
    { key: member.id, class: away(member) ? "member is-away" : "member" },
    h(
      "details",
      { name: "member", open: app.page.member === member.id, ontoggle: opened },
      h(
        "summary",
        {},
        face(member.name),
        h(
          "span",
          { class: "who" },
          h("b", {}, isMe ? `${member.name} (you)` : member.name),
          h("small", {}, facts(app, member)),
        ),
        member.muted && icon("off"),
        icon("tune"),
      ),
      h("div", { class: "member-tools" }, isMe ? own(app, member) : tools(app, member)),
    ),
  );
}

function facts(app, member) {
  const { view } = app.member;
  const recorded = view.space.recording && member.agreed === view.space.recording.version;
  const words = [
    away(member)
      ? "away, expected back"
      : member.role === "speaker"
        ? "smart speaker"
        : KIND[member.kind],
    view.floor.talkers?.includes(member.id) && "talking",
    member.muted && "muted by its own switch",
    member.held && "held",
    view.space.recording && member.place !== "listener" && (recorded ? "recorded" : "not recorded"),
    member.volume !== undefined && member.volume !== 100 && `volume ${member.volume} %`,
  ];
  return words.filter(Boolean).join(", ");
}

/** What one may do about oneself. */
function own(app, member) {
  const listen = () => place(app, member, "listener", "You are in the audience now.");
  const speak = () => place(app, member, "speaker", "You are a speaker now.");
  return [
    member.place === "listener"
      ? h("p", { class: "hint" }, "You are listening. Raise your hand to talk.")
      : button("Step down to the audience", "down", () => confirmStepDown(app, member, listen)),
    CHAIRS.includes(member.place) && button("Be a speaker only", null, speak),
  ];
}

function confirmStepDown(app, member, listen) {
  if (member.place !== "host") return listen();
  return app.tell("A host who steps down gives the space away. Make another member host first.", {
    urgent: true,
    kind: "held",
  });
}

function tools(app, member) {
  const { view } = app.member;
  return [
    slider("Volume for me", setting("volumes")[member.id] ?? 100, (value) => {
      keep("volumes", { ...setting("volumes"), [member.id]: value });
      app.member.tune();
      app.draw();
    }),
    h("small", { class: "hint" }, "Counts while this member talks alone."),
    isChair(view) && chairTools(app, member),
  ];
}

function chairTools(app, member) {
  const act = (message, done) => () =>
    app.attempt(() => app.member.act({ ...message, member: member.id }), done);
  const isProtected = CHAIRS.includes(member.place) && !isHost(app.member.view);
  const hold = member.held ? "Let go" : "Hold microphone closed";
  return [
    slider("Volume for all", member.volume ?? 100, () => {}, {
      max: 200,
      onchange: (volume) => act({ t: "member.volume", volume })(),
    }),
    h(
      "div",
      { class: "buttons" },
      !isProtected &&
        member.place !== "host" &&
        button(hold, member.held ? "mic" : "pause", act({ t: "floor.hold", on: !member.held })),
      placeButtons(app, member),
    ),
    !isProtected &&
      member.place !== "host" &&
      h(
        "div",
        { class: "buttons" },
        button("Remove", "door", () => remove(app, member, false), { class: "danger quiet" }),
        button("Block", "lock", () => block(app, member), { class: "danger quiet" }),
      ),
  ];
}

function placeButtons(app, member) {
  const { view } = app.member;
  const to = (where, word, done) => button(word, null, () => place(app, member, where, done));
  const { name, place: now } = member;
  if (member.role === "speaker")
    return h("small", { class: "hint" }, "A smart speaker only listens.");
  return [
    now === "listener" && to("speaker", "Make speaker", `${name} is a speaker now.`),
    now === "speaker" && to("listener", "Move to audience", `${name} is in the audience now.`),
    isHost(view) &&
      now === "cohost" &&
      to("speaker", "No co-host any more", `${name} is a speaker now.`),
    isHost(view) && now === "speaker" && to("cohost", "Make co-host", `${name} is co-host now.`),
    isHost(view) &&
      now !== "host" &&
      now !== "listener" &&
      to("host", "Make host", `${name} is host now.`),
  ];
}

function place(app, member, where, done) {
  const act = { t: "member.place", member: member.id, place: where };
  app.attempt(() => app.member.act(act), done);
}

/** A member that was put out may come again: the way back is a new invitation, said at once. */
async function remove(app, member, forGood) {
  const act = { t: "member.remove", member: member.id, block: forGood };
  if (!(await app.attempt(() => app.member.act(act)))) return;
  if (!forGood) return app.tell(`${member.name} is out, and may come again.`);
  const lift = { t: "member.unblock", member: member.id };
  const run = () => app.attempt(() => app.member.act(lift), `${member.name} may come again.`);
  return app.tell(`${member.name} is blocked.`, { undo: { word: "Undo", run } });
}

function block(app, member) {
  app.open("block", (_app, key) =>
    app.page.ask(key, {
      heading: `Block ${member.name}?`,
      text: "They are put out at once, and cannot come back under another name from the same device.",
      yes: "Block",
      run: () => remove(app, member, true),
    }),
  );
}
