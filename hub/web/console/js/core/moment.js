// Days and times with their distance from UTC, as the wire wants them.

/** "2026-11-21T19:30" of this browser's zone as "2026-11-21T19:30:00+01:00". */
export function withZone(local, offsetOf = (date) => -date.getTimezoneOffset()) {
  const at = new Date(local);
  if (Number.isNaN(at.getTime())) return null;
  const minutes = offsetOf(at);
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  const distance = `${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
  const seconds = local.length === 16 ? `${local}:00` : local.slice(0, 19);
  return `${seconds}${distance}`;
}

/** The name of this browser's zone, such as "Europe/Berlin (UTC+1)". */
export function zoneName(date) {
  const hours = -date.getTimezoneOffset() / 60;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "local time";
  return `${zone} (UTC${hours < 0 ? "" : "+"}${hours})`;
}
