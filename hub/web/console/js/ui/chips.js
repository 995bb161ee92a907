// What a space is like, at a glance.

import { deletion, moment } from "../core/format.js";
import { STATE } from "../core/words.js";
import { h, icon } from "./dom.js";
import { chip } from "./parts.js";

export function chips(info) {
  const rec = info.recording;
  return [
    chip(STATE[info.state] ?? info.state, { kind: `is-${info.state}` }),
    rec &&
      chip(`REC, kept until ${deletion(rec.since, rec.keep_days)}`, {
        sign: "rec",
        kind: "is-rec",
        title: `Recorded since ${moment(rec.since)} by ${rec.by}`,
      }),
    info.locked && chip("Locked", { sign: "lock" }),
    info.captions && chip("Captions", { sign: "text" }),
    info.streamed && stream(info),
    (info.played_on ?? []).map((name) => chip(`Plays on ${name}`, { sign: "sound" })),
    (info.tags ?? []).map((tag) => chip(tag, { kind: "is-tag" })),
  ];
}

/** Others may listen without being here; whoever wants its address for a player takes the link. */
function stream(info) {
  return h(
    "a",
    {
      class: "chip is-link",
      href: `/api/v1/spaces/${info.id}/stream.opus`,
      target: "_blank",
      rel: "noopener",
      title: "Any player on the network can hear this space at this address",
    },
    icon("sound"),
    h("span", {}, "Stream"),
  );
}
