"""What the library for Discord knows of a stage, read out: of its objects only what is public."""

from collections.abc import Iterator
from typing import Any

from hub.bridges.discord_machine import Shown, View
from hub.bridges.discord_terms import Entry, Rights


def view_of(channel: Any) -> View:  # noqa: ANN401 - the library's, which may not be there
    """Return what a stage looks like now."""
    me = channel.guild.me
    if me is None:  # the bot is not on that server any more
        return View(Shown.GONE, Rights(asks=False, moderates=False), ())
    may = channel.permissions_for(me)
    rights = Rights(asks=bool(may.request_to_speak), moderates=bool(may.mute_members))
    return View(_shown(channel, me.voice), rights, tuple(_others(channel, me.id)))


def _shown(channel: Any, state: Any) -> Shown:  # noqa: ANN401
    if state is None or state.channel is None or state.channel.id != channel.id:
        return Shown.GONE
    asked = state.requested_to_speak_at is not None
    return Shown.of(suppressed=bool(state.suppress), asked=asked)


def _others(channel: Any, me: int) -> Iterator[Entry]:  # noqa: ANN401
    for number, state in channel.voice_states.items():
        member = channel.guild.get_member(number)
        if number != me:
            yield Entry(
                id=number,
                name=member.display_name if member is not None else "",
                muted=bool(state.mute or state.self_mute),
                suppressed=bool(state.suppress),
                asked=state.requested_to_speak_at is not None,
            )
