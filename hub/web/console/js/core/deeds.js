// What was done in a space, one line each: for the record that its hosts read.

const PLACE = { listener: "a listener", speaker: "a speaker", cohost: "co-host", host: "host" };
const place = (word) => PLACE[word] ?? word;

/** One row for each kind of deed: `name` did it, or it was done to `name` by `by`. */
export const DEEDS = {
  space_started: () => "The space began.",
  space_ended: () => "The space ended.",
  space_cancelled: () => "The space was called off.",
  space_edited: ({ detail }) => `Settings changed: ${detail}.`,
  backstage_opened: () => "The doors behind the stage opened.",
  joined: ({ name }) => `${name} came in.`,
  left: ({ name }) => `${name} left.`,
  removed: ({ name }) => `${name} was put out.`,
  blocked: ({ name }) => `${name} was blocked.`,
  unblocked: ({ name }) => `${name} may come again.`,
  hand_raised: ({ name }) => `${name} raised a hand.`,
  called: ({ name }) => `${name} was offered the floor.`,
  granted: ({ name }) => `${name} was given the floor.`,
  burst_began: ({ name }) => `${name} began to talk.`,
  burst_ended: ({ name }) => `${name} stopped talking.`,
  held: ({ name, isAll }) => (isAll ? "Everybody was held." : `${name} was held.`),
  freed: ({ name, isAll }) => (isAll ? "Everybody was let go." : `${name} was let go.`),
  priority_began: ({ name }) => `${name} took priority.`,
  priority_ended: ({ name }) => `${name} gave priority back.`,
  hands_cleared: ({ name, isAll }) =>
    isAll ? "All hands were taken down." : `${name}'s hand was taken down.`,
  hand_moved: ({ name, detail }) => `${name}'s hand was moved to number ${detail}.`,
  placed: ({ name, detail }) => `${name} was made ${place(detail)}.`,
  volume_set: ({ name, detail }) => `${name} was set to ${detail} % for all.`,
  host_lost: ({ name }) => `The host ${name} was lost.`,
  host_back: ({ name }) => `The host ${name} was back.`,
  host_changed: ({ name }) => `${name} became host.`,
  recording_started: () => "A recording began.",
  recording_stopped: () => "The recording stopped.",
  agreed: ({ name }) => `${name} agreed to be recorded.`,
  withdrawn: ({ name }) => `${name} took the agreement back.`,
  captions_agreed: ({ name }) => `${name} agreed to captions.`,
  captions_withdrawn: ({ name }) => `${name} wants no captions any more.`,
  invited: ({ detail }) => `An invitation was made, for ${place(detail)}.`,
  invite_revoked: ({ detail }) => `An invitation for ${place(detail)} was taken back.`,
  pinned: () => "Something was pinned.",
  unpinned: () => "A pin was taken down.",
};

/** What was done, as a sentence; a kind that is newer than this page by its own name. */
export function deed({ kind, name, detail, by }) {
  const isAll = !name;
  const said = DEEDS[kind]?.({ name: name || "Somebody unnamed", detail, isAll });
  return [said ?? `${kind.replaceAll("_", " ")}.`, by && by !== name && `By ${by}.`]
    .filter(Boolean)
    .join(" ");
}
