// Playing a recording: its chapters are turns of talkers; silence between them is skipped.

export const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
/** Playing on to the very start of a turn would cut its first sound. */
const LEAD_S = 0.3;
/** A press of "back" within this of a turn's start means the turn before. */
const JUST_BEGUN_S = 2;

/** The chapter that is heard at `at`: the last one that began; -1 before the first. */
export function chapterAt(chapters, at) {
  let found = -1;
  chapters.forEach((chapter, index) => {
    if (chapter.start <= at + 0.001) found = index;
  });
  return found;
}

/** Where the next talker begins after `at`; null after the last. */
export function nextTalker(chapters, at) {
  const now = chapters[chapterAt(chapters, at + LEAD_S)];
  const after = chapters.find((one) => one.start > at + LEAD_S && one.member !== now?.member);
  return after ? Math.max(0, after.start - LEAD_S) : null;
}

/** Where this turn began, or the one before it if this has just begun. */
export function backTo(chapters, at) {
  const index = chapterAt(chapters, at);
  if (index < 0) return 0;
  const target = at - chapters[index].start < JUST_BEGUN_S && index > 0 ? index - 1 : index;
  return Math.max(0, chapters[target].start - LEAD_S);
}

/** Cues of a WebVTT text: [{start, end, who, text}]; what is not a cue is left out. */
export function cues(vtt) {
  const out = [];
  for (const block of vtt.replaceAll("\r", "").split(/\n\n+/)) {
    const lines = block.split("\n");
    const at = lines.findIndex((line) => line.includes("-->"));
    const times = at < 0 ? null : /^([\d:.]+)\s+-->\s+([\d:.]+)/.exec(lines[at]);
    if (!times) continue;
    const said = lines.slice(at + 1).join(" ");
    const voice = /^<v(?:\.[^ >]*)? ([^>]*)>(.*?)(?:<\/v>)?$/.exec(said);
    const text = plain(voice ? voice[2] : said);
    out.push({ start: time(times[1]), end: time(times[2]), who: plain(voice?.[1] ?? ""), text });
  }
  return out;
}

/** What is said at `at`. */
export function said(list, at) {
  return list.filter((cue) => cue.start <= at && at < cue.end);
}

function time(text) {
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

function plain(text) {
  const signs = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&nbsp;": " ", "&lrm;": "", "&rlm;": "" };
  return text
    .replace(/<[^>]*>/g, "")
    .replace(/&\w+;/g, (sign) => signs[sign] ?? sign)
    .trim();
}
