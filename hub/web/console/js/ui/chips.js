// What a space is like, at a glance.

import { deletion, moment } from "../core/format.js";
import { STATE } from "../core/words.js";
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
    (info.tags ?? []).map((tag) => chip(tag, { kind: "is-tag" })),
  ];
}
