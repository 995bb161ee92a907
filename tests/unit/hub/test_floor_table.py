"""The table is whole: no state without a way in and a way out, nothing unused."""

from hub.floor.table import ROW_OF, STOPS, TABLE, Action, Row, State, Trigger


def test_every_state_trigger_and_action_is_used() -> None:
    assert {state for state, _ in TABLE} == set(State)
    assert {trigger for _, trigger in TABLE} == set(Trigger)
    assert {action for move in TABLE.values() for action in move.actions} == set(Action)


def test_every_state_can_be_reached_from_idle_and_left_for_it() -> None:
    ways = {(state, move.next) for (state, _), move in TABLE.items()}

    def reach(start: State, steps: set[tuple[State, State]]) -> set[State]:
        found = {start}
        while more := {b for a, b in steps if a in found} - found:
            found |= more
        return found

    assert reach(State.IDLE, ways) == set(State)
    assert reach(State.IDLE, {(b, a) for a, b in ways}) == set(State)


def test_only_a_grant_opens_a_gate_and_every_way_out_of_the_open_states_closes_it() -> None:
    heard = {State.LIVE, State.GRACE}
    for (state, trigger), move in TABLE.items():
        opens = state not in heard and move.next in heard
        closes = state in heard and move.next not in heard
        assert (Action.OPEN_GATE in move.actions) == opens == (opens and trigger is Trigger.GRANT)
        assert (Action.CLOSE_GATE in move.actions) == closes


def test_a_slot_is_freed_only_by_its_member_or_by_the_end_of_its_lease() -> None:
    slots = {state for state, row in ROW_OF.items() if row is Row.TALKERS}
    own = {Trigger.RELEASE, Trigger.GONE, Trigger.REENTER}
    for (state, trigger), move in TABLE.items():
        if state in slots and move.next not in slots:
            assert trigger in own or (state, trigger) == (State.CLOSING, Trigger.LEASE_END)


def test_what_silences_a_member_closes_its_microphone_and_leaves_its_hand_up() -> None:
    for stop in STOPS:
        assert {state for state, trigger in TABLE if trigger is stop} == {
            State.LIVE,
            State.GRACE,
            State.OFFERED,
            State.PRESSED,
        }
        assert TABLE[State.LIVE, stop] == TABLE[State.GRACE, stop]
        assert TABLE[State.LIVE, stop].next is State.CLOSING
        assert TABLE[State.OFFERED, stop].next is State.WAITING
        assert TABLE[State.PRESSED, stop].next is State.IDLE


def test_a_listener_keeps_neither_a_microphone_nor_a_hand() -> None:
    left = {TABLE[state, Trigger.DEMOTE].next for state in set(State) - {State.IDLE, State.CLOSING}}
    assert left == {State.IDLE, State.CLOSING}


def test_every_state_but_idle_answers_a_repeated_request_and_a_release() -> None:
    for state in set(State) - {State.IDLE}:
        assert TABLE[state, Trigger.AGAIN].next is state
        assert TABLE[state, Trigger.AGAIN].actions
        assert TABLE[state, Trigger.RELEASE].next is State.IDLE
        assert Action.TELL_RELEASED in TABLE[state, Trigger.RELEASE].actions
        assert TABLE[state, Trigger.GONE].next is State.IDLE
