"""English."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from stagebox.phrases import numbers
from stagebox.phrases.wording import Noun, Phrase, Wording, same, tone

PHRASES: Final[Mapping[str, Phrase]] = {
    # --- a request was denied ---
    "deny.floor_taken": Phrase("{name} is talking.", "{name} is talking: nobody else can now."),
    "deny.queue_full": Phrase("The queue is full.", "Too many hands are up. Try again later."),
    "deny.hands_off": Phrase("No hands here.", "Hands are not taken in this space."),
    "deny.not_invited": Phrase("Only the stage can talk.", "Only invited members may talk here."),
    "deny.consent_needed": Phrase(
        "This space is recorded. Press HAND to agree.",
        "This space is recorded. Agree to be in the recording first.",
    ),
    "deny.consent_needed.no_hand": Phrase(
        "This space is recorded. Hold TALK to agree.",
        "This space is recorded. Agree to be in the recording first.",
    ),
    "deny.receive_only": same("This is a listening speaker."),
    "deny.muted_at_device": Phrase("Muted.", "MUTE is on. Switch it off first."),
    "deny.retry_after": Phrase("Wait a moment.", "Wait {seconds} before the next press."),
    "deny.stage_full": Phrase(
        "The stage is full.", "As many speak here as may: the stage is full."
    ),
    "deny.frozen": Phrase("Please wait.", "The host holds everybody, or has lost contact."),
    "deny.held": Phrase("The host paused you.", "The host holds your microphone."),
    "deny.internal": Phrase("That did not work.", "The hub made a mistake. Press again."),
    # --- the floor was taken back ---
    "revoke.too_long": Phrase("Time.", "Your time is up."),
    "revoke.pre_empted": Phrase("The host is talking.", "Somebody with priority talks now."),
    "revoke.host_hold": Phrase("The host paused you.", "The host holds your microphone."),
    "revoke.consent_needed": Phrase(
        "A recording begins. Press HAND to agree.",
        "A recording begins, and you have not agreed to be in it.",
    ),
    "revoke.consent_needed.no_hand": Phrase(
        "A recording begins. Hold TALK to agree.",
        "A recording begins, and you have not agreed to be in it.",
    ),
    "revoke.frozen": Phrase("Please wait.", "The host holds everybody, or has lost contact."),
    "revoke.silence": Phrase("Mic closed.", "Nothing was heard from you for a while."),
    "revoke.lost": Phrase("The connection broke.", "The hub lost you. Press again."),
    "revoke.left_stage": Phrase("Back to listening.", "You are a listener now."),
    "revoke.removed": Phrase("You have left the space.", "The host has put you out of the space."),
    "revoke.room_ended": Phrase("The space has ended.", "The space is over."),
    "revoke.internal": Phrase("That did not work.", "The hub made a mistake. Press again."),
    # --- a waiting hand came down ---
    "cancel.by_self": Phrase("Hand down.", "Your hand is down."),
    "cancel.by_host": Phrase("Queue cleared.", "The host has taken your hand down."),
    "cancel.offer_expired": Phrase("Turn passed.", "Your turn has passed: nobody pressed."),
    "cancel.left": Phrase("Hand down.", "Your hand is down: you were away too long."),
    # --- out of a space ---
    "gone.removed": Phrase("You have left the space.", "The host has put you out of the space."),
    "gone.blocked": Phrase("You have left the space.", "The host has put you out for good."),
    "gone.ended": Phrase("The space has ended. Thank you.", "The space is over."),
    # --- news of spaces ---
    "news.soon": Phrase("{name} starts in five minutes.", "{name} starts in a few minutes."),
    "news.due": Phrase("{name} is due.", "{name} is due: its host may open it."),
    "news.live": same("{name} is live."),
    "news.cancelled": same("{name} was cancelled."),
    # --- an act was refused ---
    "error.malformed": Phrase("This box needs an update.", "The message was not understood."),
    "error.unknown_type": Phrase("This box needs an update.", "One side does not know the other."),
    "error.too_large": Phrase("That was too much.", "The message was too long."),
    "error.out_of_order": Phrase("Not now.", "That came at the wrong moment. Try again."),
    "error.rate_limited": Phrase("Too fast.", "Too much at once. Wait a moment."),
    "error.version": Phrase("This box needs an update.", "Hub and member need the same version."),
    "error.identity": Phrase("This box needs setup.", "The hub does not know this member."),
    "error.waiting": Phrase(
        "This box waits to be let in.", "The hub shows it to whoever looks after the hub."
    ),
    "error.no_such_space": Phrase("There is no such space.", "There is no such space."),
    "error.space_full": Phrase("The space is full.", "The space takes no more members."),
    "error.hub_full": Phrase("The hub is full.", "The hub takes no more members."),
    "error.not_in_space": Phrase("You are in no space.", "Join a space first."),
    "error.not_allowed": Phrase("Only a host can do that.", "Your place does not allow that."),
    "error.no_such_member": Phrase("There is nobody.", "That member is not there, or waits not."),
    "error.bad_sdp": Phrase("No sound.", "The offer of sound was not understood."),
    "error.media_failed": Phrase("No sound.", "The sound could not be set up. It is tried again."),
    "error.replaced": Phrase("This box is twice.", "Another session of this member took over."),
    "error.bad_value": Phrase("That cannot be.", "That cannot be: see the field."),
    "error.host_not_allowed": Phrase(
        "Only a host box can open a space.", "Only studio boxes and administrators make spaces."
    ),
    "error.only_host": Phrase("Only the host can do that.", "Only the host may do that."),
    "error.chair_protected": Phrase(
        "Hosts cannot be paused.", "Hosts and co-hosts cannot be held or put out."
    ),
    "error.cohost_limit": Phrase("No more co-hosts.", "There are as many co-hosts as may be."),
    "error.stage_full": Phrase("The stage is full.", "As many speak here as may."),
    "error.receive_only": Phrase("That is a listening speaker.", "That member only listens."),
    "error.device_only": Phrase("Only a finger can.", "Only a finger there opens a microphone."),
    "error.queue_empty": Phrase("No hands up.", "No hand is up."),
    "error.hands_off": Phrase("No hands here.", "Hands are not taken in this space."),
    "error.not_live": Phrase("Not live yet.", "The space is not open yet."),
    "error.already_live": Phrase("It is live already.", "The space is open already."),
    "error.space_ended": Phrase("The space has ended.", "The space is over."),
    "error.standing": Phrase("This space stays.", "A space of the hub's settings never ends."),
    "error.confirm_expired": Phrase("Still live.", "The confirmation came too late. Ask again."),
    "error.blocked": Phrase("You cannot join.", "You cannot come into this space."),
    "error.locked": Phrase("The space is locked.", "Nobody new may come in now."),
    "error.bad_invite": Phrase("The invitation is over.", "The invitation is unknown or too old."),
    "error.hidden_not_allowed": Phrase("Not unnamed.", "Nobody may listen unnamed here."),
    "error.no_such_pin": Phrase("It is gone.", "The pin is gone already."),
    "error.too_many": Phrase("No more.", "There are as many as there may be."),
    "error.no_captions": Phrase("No captions here.", "This hub has nothing that writes captions."),
    "error.no_streams": Phrase("No streams here.", "This hub is set up to stream to nobody."),
    "error.disk_full": Phrase("No room to record.", "The hub's disk has no room for a recording."),
    "error.internal": Phrase("That did not work.", "The hub made a mistake. Try again."),
    # --- how a box stands ---
    "state.offline": tone("No hub. The box looks for it by itself."),
    "state.no_space": tone("Connected, in no space: press TALK to join."),
    "state.idle_free": tone("The floor is free: press TALK."),
    "state.idle_busy": tone("Somebody else has the floor."),
    "state.asking": tone("Asking for the floor."),
    "state.queued": tone("Your hand is up."),
    "state.next": tone("You are next."),
    "state.offered": tone("It is your turn: press TALK."),
    "state.live": tone("You have the floor: speak."),
    "state.cough": tone("You are not heard until you let go of TALK."),
    "state.held": tone("The host holds your microphone."),
    "state.frozen": tone("The host lost contact: please wait."),
    "state.soon": tone("Backstage: it starts soon."),
    "state.consent": tone("Recorded: press HAND to agree, or hold it to leave."),
    "state.consent.no_hand": tone("Recorded: hold TALK to agree."),
    "state.cooldown": tone("Wait a moment before the next press."),
    "state.cut": tone("MUTE is on: nobody hears you."),
    # --- everything else ---
    "say.key": tone("A key is down."),
    "say.permit": tone("Speak."),
    "say.latched": tone("You are heard until you tap TALK again."),
    "say.cough": tone("You are not heard until you let go of TALK."),
    "say.queued": Phrase("Hand up. Number {number}.", "Your hand is up, place {number}."),
    "say.next": same("You are next."),
    "say.offered": Phrase("The floor is yours. Press TALK.", "It is your turn: press TALK."),
    "say.turn_passed": Phrase("Turn passed.", "Your turn has passed: nobody pressed."),
    "say.warning": tone("Your time is nearly up."),
    "say.no_answer": Phrase("No answer. Press again.", "The hub does not answer. Press again."),
    "say.muted": Phrase("Muted.", "MUTE is on."),
    "say.unmuted": tone("MUTE is off."),
    "say.no_microphone": Phrase(
        "No microphone.", "The microphone cannot be heard: no sound card, or no line for sound."
    ),
    "say.button_stuck": Phrase("Button stuck.", "TALK has been down for too long: let go of it."),
    "say.link_lost": Phrase("No contact with the hub.", "No hub."),
    "say.link_back": Phrase("Reconnected.", "The hub is back."),
    "say.no_space": Phrase("You are in no space.", "In no space."),
    "say.space_joined": Phrase("You are in {name}.", "In {name}."),
    "say.space_left": Phrase("Left.", "Out of the space. Press TALK to come back."),
    "say.backstage": Phrase(
        "Backstage. The audience cannot hear you.", "Backstage: the audience hears nothing."
    ),
    "say.soon": Phrase("Starting soon.", "Backstage: it starts soon."),
    "say.space_live": Phrase("The space is live.", "The space is live."),
    "say.frozen": Phrase("The host lost contact. Please wait.", "The host lost contact."),
    "say.thawed": Phrase("The space goes on.", "The space goes on."),
    "say.recording_on": Phrase("Recording is on.", "This space is recorded from now on."),
    "say.recorded": Phrase("This space is recorded.", "This space is recorded."),
    "say.recording_off": Phrase("Recording is off.", "The recording has ended."),
    "say.consent": Phrase(
        "Press HAND to agree. Hold HAND to leave.",
        "Press HAND to agree to the recording, or hold HAND to leave.",
    ),
    "say.consent.no_hand": Phrase("Hold TALK to agree.", "Hold TALK to agree to the recording."),
    "say.consent_chair": Phrase("Press NEXT to agree.", "Press NEXT to agree to the recording."),
    "say.agreed": Phrase("Thank you. You can talk.", "You have agreed to be recorded."),
    "say.withdrawn": Phrase("You are not recorded.", "You are not recorded, and cannot talk."),
    "say.listener": Phrase("Back to listening.", "You are a listener."),
    "say.speaker": Phrase("You can talk.", "You are a speaker."),
    "say.cohost": Phrase("You are co-host.", "You are co-host: HAND is NEXT now."),
    "say.host": Phrase("You are host.", "You are host: HAND is NEXT now."),
    "say.hand_up": tone("{name} has raised a hand."),
    "say.next_given": Phrase("{name} next.", "The floor was offered to {name}."),
    "say.priority": tone("Everybody else is paused."),
    "say.all_held": Phrase("Everybody is paused.", "You have paused everybody."),
    "say.all_free": Phrase("Everybody can talk.", "Everybody can talk again."),
    "say.new_space": Phrase(
        "New space. Press TALK to open it, NEXT to cancel.",
        "New space? TALK opens it, NEXT cancels.",
    ),
    "say.end_space": Phrase(
        "End for everyone? Press TALK to confirm.",
        "End for everyone ({people})? TALK confirms.",
    ),
    "say.still_here": Phrase("Nothing was changed.", "Nothing was changed."),
    "say.open_it": same("Press TALK to open it."),
    "say.join_it": same("Press TALK to join."),
    "say.invite_code": Phrase("The code is {name}.", "Invitation code: {name}."),
    # --- STATUS ---
    "say.talking": same("{name} is talking."),
    "say.nobody_talks": same("Nobody is talking."),
    "say.played_on": Phrase("Also on {name}.", "Also plays on {name}."),
    "say.hands": Phrase("{hands} waiting.", "{hands} waiting for the floor."),
    # --- the network is set up ---
    "say.net_cable": Phrase("Connected by cable.", "The network is there, over a cable."),
    "say.net_joining": Phrase("Trying the Wi-Fi.", "Trying the Wi-Fi {name}."),
    "say.net_joined": Phrase("Wi-Fi connected.", "Connected to the Wi-Fi {name}."),
    "say.net_wrong_key": Phrase(
        "The Wi-Fi password is wrong.", "The Wi-Fi {name} refuses the password."
    ),
    "say.net_no_address": Phrase(
        "The Wi-Fi gives no address. Look at the router.",
        "The Wi-Fi {name} takes the password and gives no address: look at the router.",
    ),
    "say.net_not_found": Phrase(
        "The Wi-Fi was not found. I keep looking.",
        "The Wi-Fi {name} is not in reach. The box keeps looking.",
    ),
    "say.net_no_route": Phrase(
        "The Wi-Fi does not reach the hub.",
        "The Wi-Fi {name} leads neither to a router nor to the hub.",
    ),
    "say.net_join_failed": Phrase(
        "The Wi-Fi does not work. I try again.",
        "The Wi-Fi {name} does not work. It is tried again.",
    ),
    "say.net_away": Phrase(
        "The Wi-Fi is gone. I wait for it.", "The Wi-Fi {name} is gone. The box waits for it."
    ),
    "say.net_bad_file": Phrase(
        "There is a mistake in the set-up file, line {number}.",
        "stagebox.toml, line {number}: {name}.",
    ),
    "say.net_no_country": Phrase(
        "The set-up file names no country.", "stagebox.toml needs the country, or Wi-Fi stays off."
    ),
    "say.net_scanning": Phrase(
        "Looking for networks. Please wait.",
        "Looking for networks before the set-up network opens.",
    ),
    "say.net_hotspot": Phrase(
        "Join the Wi-Fi {name} with your phone.",
        "The set-up network is {name}; its page is http://10.42.0.1/.",
    ),
    "say.net_hotspot_key": Phrase(
        "The password is {name}. I say it again: {name}.",
        "The password of the set-up network: {name}.",
    ),
    "say.net_hotspot_over": Phrase(
        "The set-up network is closed.", "The set-up network is closed: nobody used it in its time."
    ),
    "say.net_hotspot_failed": Phrase(
        "The set-up network does not work. Use a cable or the file.",
        "The set-up network cannot be opened. Use a cable or stagebox.toml.",
    ),
    "say.net_no_radio": Phrase(
        "There is no Wi-Fi here. Plug in a network cable.",
        "No Wi-Fi radio was found. Plug in a network cable.",
    ),
    "say.net_no_manager": Phrase(
        "The network cannot be set up. Switch me off and on.",
        "NetworkManager does not answer. Switch the box off and on.",
    ),
    # --- a hub of its own ---
    "say.not_enrolled": Phrase(
        "No hub yet. Hold TALK and HAND for five seconds.",
        "This box belongs to no hub. Hold TALK and HAND together for 5 s.",
    ),
    "say.not_enrolled.no_hand": Phrase(
        "No hub yet. Hold TALK for five seconds.",
        "This box belongs to no hub. Hold TALK for 5 s.",
    ),
    "say.not_known": Phrase(
        "The hub does not know this box any more.",
        "The hub does not know this box any more: enrol it again.",
    ),
    "say.not_let_in": Phrase(
        "Waiting to be let in.", "The hub knows of this box: somebody must let it in."
    ),
    "say.strange_hub": Phrase(
        "This is not my hub. Enrol me again.",
        "What answers there is not the hub that this box belongs to: enrol it again.",
    ),
    "say.enrol_code": Phrase(
        "The code is {name}. Again: {name}.", "The box says its code: type it at the hub."
    ),
    "say.enrolled": Phrase("Enrolled with {name}.", "This box belongs to {name} now."),
    "say.enrol_wrong": Phrase("Wrong code.", "The hub was told another code."),
    "say.enrol_spent": Phrase(
        "Wrong code, five times. Hold again for a new one.",
        "Five times the hub was told another code: this one is over.",
    ),
    "say.enrol_over": Phrase("Time is up. Hold again.", "Nobody has typed the code in time."),
    "say.enrol_no_window": Phrase(
        "No hub waits for a box. Press Add a box there.",
        "There is a hub, but it waits for no box: press Add a box on its console.",
    ),
    "say.enrol_no_hub": Phrase("No hub was found.", "There is no hub on this network."),
    "say.enrol_closed": Phrase(
        "Too many codes. Wait {minutes}.", "Too many codes in a short time: wait {minutes}."
    ),
    "say.enrol_not_kept": Phrase(
        "I cannot write that down.", "This box cannot write to its disk: it is not enrolled."
    ),
    "say.reset_again": Phrase(
        "To wipe all, let go and hold again.", "Let go, and hold again to wipe everything."
    ),
    "say.reset_done": Phrase("Everything is wiped.", "This box has forgotten everything."),
    "say.panel_gone": Phrase(
        "The button panel is gone. Check its cable.",
        "The panel on the cable does not answer: check its cable.",
    ),
    "say.panel_back": Phrase("The button panel is back.", "The panel on the cable is back."),
    "say.panel_old": Phrase(
        "The button panel needs its update.",
        "The panel works, but its firmware is not this box's: run 'stagebox panel install'.",
    ),
    "say.panel_strange": Phrase(
        "This is no button panel of mine.",
        "What is plugged in does not speak as a panel: run 'stagebox panel install'.",
    ),
    "say.went_back": Phrase(
        "The update did not work. I went back to the old version.",
        "The update did not work: this is the version before it, as it was.",
    ),
    # --- the box explains itself ---
    "say.learn_hello": Phrase("Hello, I am your box. Any key ends this.", "Any key ends this."),
    "say.learn_free": Phrase(
        "White, nearly always lit: the floor is free.", "White: the floor is free."
    ),
    "say.learn_talk": Phrase("Hold TALK and speak. Let go to stop.", "Hold TALK to speak."),
    "say.learn_red": Phrase("Red, without a break: you are heard.", "Red: you are heard."),
    "say.learn_busy": Phrase(
        "Blue, one long and one short: somebody is talking.", "Blue: somebody is talking."
    ),
    "say.learn_hand": Phrase(
        "Tap HAND to ask for a turn. Green flashes while you wait.",
        "Tap HAND to ask. Green flashes: you wait.",
    ),
    "say.learn_hand.no_hand": Phrase(
        "Press TALK to ask for a turn. Green flashes while you wait.",
        "Press TALK to ask. Green flashes: you wait.",
    ),
    "say.learn_turn": Phrase(
        "Green, nearly always lit: your turn. Press TALK.", "Green: your turn. Press TALK."
    ),
    "say.learn_leave": Phrase("Hold it for two seconds to leave.", "Held for two seconds: leave."),
    "say.learn_next": Phrase(
        "Tap NEXT to give the floor to the next hand.", "NEXT: the next hand."
    ),
    "say.learn_priority": Phrase("Hold NEXT to pause all others.", "Hold NEXT: all pause."),
    "say.learn_new": Phrase(
        "Hold TALK and NEXT together for a new space.", "TALK and NEXT: a new space."
    ),
    "say.learn_closed": Phrase(
        "Amber: your microphone is kept closed.", "Amber: your microphone is closed."
    ),
    "say.learn_mute": Phrase(
        "With MUTE on nobody hears you, whatever happens.", "MUTE on: nobody hears you."
    ),
    "say.learn_listen": Phrase(
        "I only play. There is no microphone in me.", "A listening speaker: no microphone."
    ),
    "say.learn_volume": Phrase("Two keys make it louder and softer.", "Volume: two keys."),
    "say.learn_status": Phrase(
        "Press STATUS to hear where you are. Hold it for all this.",
        "STATUS: where you are. Hold it: this again.",
    ),
    "say.learn_both": Phrase(
        "Press both of them to hear where you are.", "Both volume keys: where you are."
    ),
    "say.learn_end": Phrase("That is all. Enjoy it.", "That is all."),
}

_NOUNS: Final[Mapping[str, Noun]] = {
    "people": Noun("nobody", "one person", "person", "people"),
    "hands": Noun("no hands", "one hand", "hand", "hands"),
    "seconds": Noun("no seconds", "one second", "second", "seconds"),
    "minutes": Noun("no minutes", "one minute", "minute", "minutes"),
}

ENGLISH: Final = Wording(
    MappingProxyType(PHRASES),
    MappingProxyType(_NOUNS),
    name="Somebody",
    number="a few",
    aloud=numbers.english,
)
