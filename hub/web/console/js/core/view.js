// What a member knows of its space: a snapshot, kept current by events.
//
// The same rules as stagebox/wire/view.py: applying every event to an old snapshot gives
// what a new snapshot says. An event that skips a revision cannot be applied.

/** The view that a snapshot describes. */
export function viewOf(snapshot) {
  const { rev, you, space, floor, pins = [], admin = false } = snapshot;
  return { rev, you, space, floor, pins, admin, members: byId(snapshot.members) };
}

/** The view after `event`; the same one for an old event; null for a gap. */
export function applied(view, event) {
  if (event.rev !== view.rev + 1) return event.rev <= view.rev ? view : null;
  const change = CHANGES[event.t];
  return change ? { ...view, rev: event.rev, ...change(view, event) } : null;
}

const CHANGES = {
  "member.joined": withMember,
  "member.changed": withMember,
  "member.left": (view, { id }) => {
    const members = new Map(view.members);
    members.delete(id);
    return { members };
  },
  "floor.changed": (_view, { floor }) => ({ floor }),
  "space.changed": (_view, { space }) => ({ space }),
  "pin.added": (view, { pin }) => ({ pins: [...view.pins, pin] }),
  "pin.removed": (view, { id }) => ({ pins: view.pins.filter((pin) => pin.id !== id) }),
};

/** Whether `t` names an event of the state. */
export function isEvent(t) {
  return Object.hasOwn(CHANGES, t);
}

function withMember(view, { member }) {
  return { members: new Map(view.members).set(member.id, member) };
}

function byId(members) {
  return new Map(members.map((member) => [member.id, member]));
}

// --- what the page asks of a view -------------------------------------------------------

const CHAIRS = ["host", "cohost"];

/** The member that is this browser; undefined while it listens unnamed. */
export function me(view) {
  return view?.members.get(view.you);
}

/** Whether this browser may use the host's tools: by its place, or as the hub's admin. */
export function isChair(view) {
  return Boolean(view) && (view.admin || CHAIRS.includes(me(view)?.place));
}

/** Whether it may do what only a host may. */
export function isHost(view) {
  return Boolean(view) && (view.admin || me(view)?.place === "host");
}

/** Whether a press would find an open slot, as far as this browser can know. */
export function isFloorFree(view) {
  const { floor } = view;
  const place = me(view)?.place ?? "listener";
  if (floor.mode === "stage" && place === "listener") return false;
  const exempt = floor.mode !== "walkie";
  if (exempt && CHAIRS.includes(place)) return true;
  const counted = (floor.talkers ?? []).filter((id) => {
    const chair = CHAIRS.includes(view.members.get(id)?.place);
    return id !== view.you && !(exempt && chair);
  });
  return counted.length < floor.open_limit;
}

/** Whether hands wait in line in this mode. */
export function queues(view) {
  return ["fifo", "moderated"].includes(view.floor.mode);
}

/** The version of a recording that this browser has not agreed to; 0 for none. */
export function consentDue(view) {
  const version = view?.space.recording?.version ?? 0;
  return version && (me(view)?.agreed ?? 0) !== version ? version : 0;
}

/** Members grouped by place, highest first; each group by name, those away last. */
export function byPlace(view) {
  const groups = { host: [], cohost: [], speaker: [], listener: [] };
  for (const member of view.members.values()) groups[member.place]?.push(member);
  const order = (a, b) =>
    Number(away(a)) - Number(away(b)) || a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1);
  for (const group of Object.values(groups)) group.sort(order);
  return groups;
}

/** Whether the hub waits for this member to come back. */
export function away(member) {
  return member.connected === false;
}

/** Who talks: member, since when (hub's clock) and how much of the time is used (0 to 1). */
export function talkers(view, hubNow) {
  const { talkers: ids = [], since = [], talk_limit_s: limit = null } = view.floor;
  return ids.map((id, index) => {
    const member = view.members.get(id) ?? stranger(id);
    const seconds = since[index] === undefined ? null : Math.max(0, hubNow - since[index]);
    const free = CHAIRS.includes(member.place) && view.floor.mode !== "walkie";
    const used = !free && limit && seconds !== null ? Math.min(1, seconds / limit) : null;
    return { member, seconds, used, left: used === null ? null : Math.max(0, limit - seconds) };
  });
}

/** A member whose coming this view has not heard of. */
function stranger(id) {
  return { id, name: "Somebody", kind: "box", place: "speaker", role: "guest" };
}

/** Members of a list of ids, in its order. */
export function named(view, ids = []) {
  return ids.map((id) => view.members.get(id) ?? stranger(id));
}
