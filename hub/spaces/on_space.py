"""Acts on the space itself: its settings, its beginning and its end."""

import dataclasses
import hmac
from typing import Any, Final

from msgspec.structs import asdict

from hub.floor.rules import FloorRules, RulesError
from hub.spaces import hosts
from hub.spaces.dates import moment, moment_ahead
from hub.spaces.effects import Happening, Reply
from hub.spaces.lifecycle import Step, after, refusal
from hub.spaces.machine import SpaceMachine
from hub.spaces.rights import Actor, error
from stagebox.wire.acts import SpaceCancel, SpaceConfirm, SpaceEdit, SpaceEnd, SpaceStart
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Done, Error
from stagebox.wire.terms import Gone, Token

# Confirmations that wait: one for each host or admin who asked lately.
_MAX_PENDING: Final = 16
_INFO: Final = (
    "name", "topic", "tags", "speak", "locked", "hidden_allowed", "captions", "streamed",
    "stage_limit",
)  # fmt: skip
_RULES: Final = ("open_limit", "queue_limit", "talk_limit_s")


class Confirmations:
    """Tokens to end the space with, each for one actor and for a short while."""

    def __init__(self) -> None:
        self._pending: dict[str, tuple[Token, float]] = {}

    def ask(self, machine: SpaceMachine, actor: Actor) -> Token:
        """Return a new token for this actor."""
        token = machine.names.new_token()
        self._pending.pop(actor.key, None)
        if len(self._pending) >= _MAX_PENDING:
            del self._pending[next(iter(self._pending))]
        self._pending[actor.key] = (token, machine.now + machine.settings.confirm_s)
        return token

    def confirm(self, machine: SpaceMachine, actor: Actor, token: Token) -> bool:
        """Tell whether this is the actor's token and in time; it is used up either way."""
        asked, until = self._pending.pop(actor.key, ("", 0.0))
        return hmac.compare_digest(asked, token) and machine.now < until


def start(machine: SpaceMachine, actor: Actor, act: SpaceStart) -> Reply:
    """``space.start``."""
    state = after(machine.info.state, Step.START)
    if machine.standing or state is None:
        return _not_now(machine, act.req, Step.START)
    machine.close_microphones()
    machine.enter_state(state)
    machine.host_came = False  # one who is not here yet is not lost
    machine.set_info(started_at=moment(machine.utc))
    machine.happened(Happening.SPACE_STARTED, by=actor.name)
    return Done(req=act.req)


def end(confirmations: Confirmations, machine: SpaceMachine, actor: Actor, act: SpaceEnd) -> Reply:
    """``space.end``."""
    if machine.standing or after(machine.info.state, Step.END) is None:
        return _not_now(machine, act.req, Step.END)
    if act.token is None:
        return SpaceConfirm(
            req=act.req,
            token=confirmations.ask(machine, actor),
            members=machine.count(),
            expires_in_s=machine.settings.confirm_s,
        )
    if not confirmations.confirm(machine, actor, act.token):
        detail = "This confirmation is not valid (any more). End the space again for a new one."
        return error(act.req, ErrorCode.CONFIRM_EXPIRED, detail)
    hosts.end(machine, by=actor.name)
    return Done(req=act.req)


def cancel(machine: SpaceMachine, actor: Actor, act: SpaceCancel) -> Reply:
    """``space.cancel``."""
    if machine.standing or after(machine.info.state, Step.CANCEL) is None:
        return _not_now(machine, act.req, Step.CANCEL)
    hosts.end(machine, Step.CANCEL, by=actor.name)
    return Done(req=act.req)


def edit(machine: SpaceMachine, actor: Actor, act: SpaceEdit) -> Reply:
    """``space.edit``: all of it, or none of it."""
    refused = _refused(machine, act)
    if refused is not None:
        return refused
    info = {name: value for name in _INFO if (value := getattr(act, name)) is not None}
    try:
        rules = _rules(machine.rules, act)
    except RulesError as why:
        return error(act.req, ErrorCode.BAD_VALUE, str(why))
    machine.set_info(**info)
    machine.set_rules(rules)
    if act.hidden_allowed is False:
        for member_id in tuple(machine.hidden):
            machine.expel(member_id, Gone.REMOVED)
    if act.keep_days is not None:
        machine.keep_days = act.keep_days
    _reschedule(machine, act)
    given = [name for name, value in asdict(act).items() if name != "req" and value is not None]
    if given:
        machine.happened(Happening.SPACE_EDITED, detail=" ".join(given), by=actor.name)
    return Done(req=act.req)


def _not_now(machine: SpaceMachine, req: str, step: Step) -> Error:
    if machine.standing:
        detail = "This space is always open: it is in the hub's settings. Make a new one instead."
        return error(req, ErrorCode.STANDING, detail)
    return error(req, *refusal(machine.info.state, step))


def _refused(machine: SpaceMachine, act: SpaceEdit) -> Error | None:
    if act.captions and not machine.facilities.captions:
        detail = "This hub cannot write captions. Set up [captions] in its settings first."
        return error(act.req, ErrorCode.NO_CAPTIONS, detail)
    if act.streamed and not machine.facilities.streams:
        detail = "This hub streams to nobody. Set [streams] listeners in its settings first."
        return error(act.req, ErrorCode.NO_STREAMS, detail)
    running = machine.info.recording
    if running is not None and (act.keep_days or 0) > running.keep_days:
        detail = (
            f"People agreed to be kept for {running.keep_days} days."
            " Stop the recording to keep the next one longer."
        )
        return error(act.req, ErrorCode.BAD_VALUE, detail)
    return None if act.starts_at is None else _bad_day(machine, act)


def _bad_day(machine: SpaceMachine, act: SpaceEdit) -> Error | None:
    if machine.standing or after(machine.info.state, Step.SCHEDULE) is None:
        return _not_now(machine, act.req, Step.SCHEDULE)
    try:
        moment_ahead(act.starts_at or "", machine.utc, machine.settings.max_days_ahead)
    except ValueError as why:
        return error(act.req, ErrorCode.BAD_VALUE, str(why))
    return None


def _reschedule(machine: SpaceMachine, act: SpaceEdit) -> None:
    state = after(machine.info.state, Step.SCHEDULE)
    if act.starts_at is not None and state is not None:
        machine.set_info(starts_at=act.starts_at)
        if state is not machine.info.state:
            machine.enter_state(state)


def _rules(rules: FloorRules, act: SpaceEdit) -> FloorRules:
    """Return the rules after ``act``; a new mode brings its own limits.

    Raises:
        RulesError: they cannot work.
    """
    changes: dict[str, Any] = {
        name: value for name in _RULES if (value := getattr(act, name)) is not None
    }
    if changes.get("talk_limit_s") == 0:
        changes["talk_limit_s"] = None
    if act.mode is not None and act.mode is not rules.mode:
        lasting = {"member_limit": rules.member_limit, "keep_place_s": rules.keep_place_s}
        rules = FloorRules.for_mode(act.mode, **lasting)
    return dataclasses.replace(rules, **changes)
