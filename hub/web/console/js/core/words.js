// Every word that the console says about the protocol's terms, in one place.
//
// Each cause and error has a sentence that says what is so and what to do. A value that is
// not in a table is a newer hub's: `sentence` then says so instead of nothing.

export const PLACE = {
  host: "Host",
  cohost: "Co-host",
  speaker: "Speaker",
  listener: "Listener",
};
export const PLACES = {
  host: "Host",
  cohost: "Co-hosts",
  speaker: "Speakers",
  listener: "Listeners",
};
export const KIND = { box: "box", browser: "browser", bridge: "bridge" };

export const MODE = {
  walkie: "Walkie-talkie",
  open: "Open",
  fifo: "Round table",
  moderated: "Moderated",
  stage: "Stage",
};
export const MODE_MEANS = {
  walkie: "One voice at a time; whoever presses first.",
  open: "Several may talk at once; nobody waits.",
  fifo: "Hands wait in line, and the line moves by itself.",
  moderated: "Hands wait in line, and the host gives the floor.",
  stage: "Only those who were invited to the stage talk.",
};
export const SPEAK = {
  everyone: "Everyone",
  known: "Known members",
  invited: "Only the invited",
};
export const STATE = {
  draft: "Draft",
  scheduled: "Scheduled",
  backstage: "Backstage",
  live: "LIVE",
  frozen: "Paused",
  cancelled: "Cancelled",
  ended: "Ended",
  archived: "Ended",
  purged: "Deleted",
};
export const MARK = {
  clap: "Applause",
  heart: "Heart",
  laugh: "Laugh",
  wow: "Wow",
  thanks: "Thanks",
};
export const MARK_SIGN = { clap: "👏", heart: "❤️", laugh: "😄", wow: "😮", thanks: "🙏" };

export const DENY = {
  floor_taken: "Somebody is talking. Wait until they let go, then press again.",
  queue_full: "Too many hands are up. Try again when some have come down.",
  hands_off: "There is no queue in this mode. Hold TALK when the floor is free.",
  not_invited: "Only invited members talk here. Ask the host for a place on the stage.",
  consent_needed: "This space is recorded. Agree first, or just listen.",
  receive_only: "You are listening. Raise your hand, or ask the host for a place to speak.",
  muted_at_device: "Your microphone is switched off. Switch it on, then press again.",
  retry_after: "Your last turn was long. Wait a moment, then press again.",
  stage_full: "The stage is full. Wait until a speaker steps down.",
  frozen: "Nobody may talk just now. Wait for the host.",
  held: "The host is holding your microphone closed. Wait until it is let go.",
  internal: "The hub could not give the floor. Press again.",
};

export const REVOKE = {
  too_long: "Your time is over. Let go, and press again after a short wait.",
  pre_empted: "The host took the floor. Press again when it is free.",
  host_hold: "The host closed your microphone. Press again when it is let go.",
  consent_needed: "A recording began. Agree to it before you talk on.",
  frozen: "Nobody may talk just now. Wait for the host.",
  silence: "No sound came from your microphone. Check it, then press again.",
  lost: "The line to the hub was gone for a moment. Press again.",
  left_stage: "You are a listener now. Raise your hand to talk again.",
  removed: "The host put you out of the space.",
  room_ended: "The space is over.",
  internal: "The hub ended your turn by a fault of its own. Press again.",
};

export const CANCEL = {
  by_self: "Your hand is down.",
  by_host: "The host took your hand down. You may raise it again.",
  offer_expired: "Your turn has passed. Raise your hand again if you still want to talk.",
  left: "Your hand came down because you were away.",
};

export const ERROR = {
  malformed: "The hub did not understand this page. Reload it.",
  unknown_type: "This page and the hub do not fit together. Reload the page.",
  too_large: "That is too long. Make it shorter.",
  out_of_order: "That came at the wrong moment. Reload the page.",
  rate_limited: "That was too fast. Wait a moment, then try again.",
  version: "This page is older or newer than the hub. Reload it.",
  identity: "The hub does not know this browser any more. Reload the page and enter your name.",
  waiting: "The hub does not know this box yet. Its administrator can let it in.",
  no_such_space: "There is no such space. Go back to the list and choose another.",
  space_full: "The space is full. Try again when somebody has left.",
  hub_full: "The hub takes no more members. Try again later.",
  not_in_space: "You are not in the space. Join it first.",
  not_allowed: "You may not do that here. Ask the host.",
  no_such_member: "That member is not here any more, or has no hand up.",
  bad_sdp: "The hub cannot use this browser's sound. Use a current Chromium, Firefox or Safari.",
  media_failed: "The sound could not be connected. It is tried again by itself.",
  replaced: "This browser joined in another tab. Go on there, or press Join here.",
  bad_value: "A value cannot be like that. Correct it and try again.",
  host_not_allowed: "You may not open a space here. Ask whoever runs the hub.",
  only_host: "Only the host may do that.",
  chair_protected: "Hosts and co-hosts cannot be held or put out by a co-host. Ask the host.",
  cohost_limit: "There are as many co-hosts as allowed. Make one of them a speaker first.",
  stage_full: "The stage is full. Move a speaker to the audience first.",
  receive_only: "That box has no microphone. It can only listen.",
  device_only: "Nobody can open another's microphone. Ask them to press TALK.",
  queue_empty: "No hands are up.",
  hands_off: "There is no queue in this mode. Choose Round table or Moderated for one.",
  not_live: "The space is not live yet. Wait for the host to start it.",
  already_live: "The space is live already.",
  space_ended: "The space is over. Its recording, if there is one, is under Recordings.",
  standing: "This space belongs to the hub's settings. It neither ends nor moves.",
  confirm_expired: "That took too long, so nothing was ended. Press End again.",
  blocked: "You cannot join this space. Ask the host.",
  locked: "The space is locked. Ask the host to unlock it.",
  bad_invite: "This invitation is not valid any more. Ask for a new one.",
  hidden_not_allowed: "Nobody listens unnamed here. Join with your name.",
  no_such_pin: "That pin is gone already.",
  too_many: "There are as many as allowed. Remove one first.",
  no_captions: "This hub has no captions. Whoever runs it can switch them on in its settings.",
  no_streams: "This hub streams to nobody. Whoever runs it can switch that on in its settings.",
  disk_full: "The hub's disk is full, so nothing can be recorded. Delete old recordings.",
  internal: "The hub failed. Try again.",
  // Of the HTTP API alone.
  wrong_box_code: "That is not the code that the box said. Type it once more.",
  not_open: "Nobody is being added now. Press Add a box first.",
  no_box_answers: "No box waits for a code. Hold its buttons until it speaks, then type the code.",
  no_secure_port: "This hub has no port for TLS, so no box can come. See its settings and log.",
  bad_request: "The hub did not understand this page. Reload it.",
  not_found: "That is not there any more. Go back and reload.",
  method_not_allowed: "This page and the hub do not fit together. Reload the page.",
  wrong_host:
    "The hub does not know itself by this address. Open the console by its name or its number.",
  foreign_origin: "Open the console from the hub itself.",
  not_json: "This page and the hub do not fit together. Reload the page.",
  name_needed: "Say your name first.",
  login_needed: "Only the hub's administrator may do that. Log in under Settings.",
  wrong_password: "That is not the password. Try again.",
  wrong_code: "That is not the set-up code. The hub wrote it to its log when it started.",
  not_set_up: "This hub has no administrator yet. Set it up under Settings.",
  already_set_up: "This hub has an administrator already. Log in.",
  key_reused: "This was sent before in another form. Reload the page and repeat it.",
  not_scheduled: "Only a space that has not begun can be called off. End it instead.",
  no_such_box: "That box is not known any more. Reload the page.",
  no_such_bridge: "There is no such bridge. Look at the list again.",
  no_such_speaker: "That speaker is not to be found. Switch it on and look again.",
  speaker_refuses: "The speaker does not do that now. Look at the list of speakers.",
  no_such_webhook: "That webhook is gone already.",
  no_such_stream: "This space is not streamed in that format. Choose another on its page.",
  no_such_recording: "There is no such recording. Go back to the list.",
  recording_gone: "That recording was deleted.",
  bad_range: "The recording could not be read from there. Reload the page.",
  not_streamed: "This space is not streamed. Its host can switch that on in its settings.",
  busy: "The hub is busy. Try again in a moment.",
  not_kept: "The hub could not write that to its disk. Ask whoever runs it.",
};

// What the page says of itself. No hub sends these.
export const LOCAL = {
  no_answer: "The hub did not answer. Press again.",
  no_microphone: "No microphone was found. Plug one in, then press again.",
  microphone_denied:
    "The browser may not use the microphone. Allow it beside the address bar, then press again.",
  microphone_busy: "Another program has the microphone. Close it, then press again.",
  microphone_asking: "Your browser asks for the microphone. Allow it, then hold TALK.",
  microphone_lost: "The microphone is gone. Plug it in again, then press.",
  no_sound: "Sound is not connected yet. Wait a moment, then press again.",
  no_space: "You are in no space. Join one first.",
  link_lost: "The line to the hub is broken. It comes back by itself.",
  link_back: "The line to the hub is back.",
  stuck: "TALK was down for very long. Let go of it, then press again.",
  hidden: "The page was put away, so your microphone was closed. Press again.",
  warning: "Ten seconds left.",
  no_hub: "The hub does not answer. Check that it runs and that you are on its network.",
  unknown: "Something went wrong that this page has no word for. Reload it.",
  wrong_answer: "The hub gave an answer that this page does not know. Reload the page.",
};

export const HAND = {
  queued: "Your hand is up. You are number # in line.",
  next: "You are next.",
  offered: "The floor is yours. Hold TALK within # seconds.",
};

export const GONE = {
  removed: "The host put you out. You may join again.",
  blocked: "You cannot join this space any more.",
  ended: "The space has ended. Thank you for being there.",
};
export const NEWS = {
  soon: "starts in a few minutes.",
  due: "is due. Its host may start it now.",
  live: "is live now.",
  cancelled: "was cancelled.",
};

const TABLES = {
  deny: DENY,
  revoke: REVOKE,
  cancel: CANCEL,
  error: ERROR,
  local: LOCAL,
  hand: HAND,
  gone: GONE,
};

/** The sentence for `cause` of `table`; `detail` is what the hub itself said, if anything. */
export function sentence(table, cause, { detail = "", number = null, holder = null } = {}) {
  if (cause === "floor_taken" && holder) {
    return `${holder} is talking. Wait until they let go, then press again.`;
  }
  if (cause === "retry_after" && number) {
    return `Your last turn was long. Press again in ${number} s.`;
  }
  const text = TABLES[table]?.[cause] ?? (detail || LOCAL.unknown);
  return text.replace("#", String(number ?? ""));
}
