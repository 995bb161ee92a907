// Times, numbers and names as people read them. Pure: what is now is given.

/** Seconds as 0:07, 2:05 or 1:02:05. */
export function clock(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const [h, m, rest] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(rest)}` : `${m}:${two(rest)}`;
}

/** Seconds in words, for what is read aloud: "2 minutes 5 seconds". */
export function spoken(seconds) {
  const s = Math.max(0, Math.round(seconds));
  const [h, m, rest] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  const parts = [count(h, "hour"), count(m, "minute"), h ? "" : count(rest, "second")];
  return parts.filter(Boolean).join(" ") || "0 seconds";
}

function count(n, word) {
  return n ? `${n} ${word}${n === 1 ? "" : "s"}` : "";
}

/** "1 person", "3 people", or any other pair of words. */
export function many(n, one = "person", more = "people") {
  return `${n} ${n === 1 ? one : more}`;
}

/** How long ago or ahead, roughly: "just now", "for 3 min", "for 2 h". */
export function waited(seconds) {
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}

/** Up to two letters for a face: the first of the first and of the last word. */
export function initials(name) {
  const words = name
    .trim()
    .split(/[\s,_-]+/)
    .filter(Boolean);
  const picked = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return picked.map((word) => [...word][0].toLocaleUpperCase()).join("") || "?";
}

/** One of `of` hues for a name, always the same one. */
export function hue(name, of = 8) {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  return sum % of;
}

/** A moment as day and time of `locale`, in `zone` (undefined: this browser's). */
export function moment(text, { locale, zone, year = false } = {}) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const day = {
    weekday: "short",
    day: "numeric",
    month: "short",
    ...(year && { year: "numeric" }),
  };
  return at.toLocaleString(locale, { ...day, hour: "2-digit", minute: "2-digit", timeZone: zone });
}

/** A day alone. */
export function day(text, { locale, zone } = {}) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const shape = { weekday: "short", day: "numeric", month: "short", year: "numeric" };
  return at.toLocaleDateString(locale, { ...shape, timeZone: zone });
}

/** The day on which what was made at `text` is deleted after `days`. */
export function deletion(text, days, options = {}) {
  return day(new Date(Date.parse(text) + days * 86_400_000).toISOString(), options);
}

/** Bytes as "812 kB" or "3.4 MB". */
export function size(bytes) {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1_000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** "a, b and c". */
export function list(words) {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}
