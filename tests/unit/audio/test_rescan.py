import itertools

from device.audio.rescan import (
    INTERRUPT_MAX_S,
    INTERRUPT_S,
    RELIST_S,
    RESCAN_S,
    RescanPolicy,
    entries,
)

BUILT_IN = b" 0 [Headphones ]: bcm2835_headpho - bcm2835 Headphones\n"
USB = b" 1 [Device     ]: USB-Audio - USB Audio Device\n"
USB_ELSEWHERE = (
    USB + b"                      USB Audio Device at usb-0000:01:00.0-1.2, full speed\n"
)
USB_MOVED = b" 2 [Device     ]: USB-Audio - USB Audio Device\n"


def scanned(now: float = 0.0, cards: bytes = BUILT_IN) -> RescanPolicy:
    policy = RescanPolicy()
    policy.scanned(now, cards)
    return policy


def test_the_first_look_may_happen_at_once() -> None:
    assert RescanPolicy().may_rescan(0.0, b"", listed=False)


def test_the_text_of_the_cards_is_read_card_by_card() -> None:
    assert entries(BUILT_IN + USB_ELSEWHERE) == {0: BUILT_IN, 1: USB_ELSEWHERE}
    assert entries(b"--- no soundcards ---\n") == {}
    assert entries(b"") == {}


def test_a_number_that_was_given_to_another_card_is_not_the_same() -> None:
    policy = scanned(cards=BUILT_IN + USB)
    assert policy.is_same(1, BUILT_IN + USB)
    assert not policy.is_same(1, BUILT_IN)
    assert not policy.is_same(1, BUILT_IN + USB_ELSEWHERE)
    assert policy.is_same(0, BUILT_IN)
    assert policy.is_same(7, BUILT_IN)  # neither then nor now


def test_what_is_not_listed_is_looked_for_when_cards_change_and_now_and_then() -> None:
    policy = scanned()
    assert not policy.may_rescan(RESCAN_S - 0.1, BUILT_IN, listed=False)
    assert policy.may_rescan(0.1, BUILT_IN + USB, listed=False)
    assert policy.may_rescan(0.1, b"", listed=False)
    assert policy.may_rescan(RESCAN_S, BUILT_IN, listed=False)


def test_what_is_listed_is_opened_first_unless_there_are_more_cards() -> None:
    policy = scanned(cards=BUILT_IN + USB)
    for cards in (BUILT_IN + USB, BUILT_IN, b""):
        assert not policy.may_rescan(100 * RELIST_S, cards, listed=True)
    assert policy.may_rescan(0.1, BUILT_IN + USB_MOVED, listed=True)
    assert policy.may_rescan(0.1, BUILT_IN + USB_ELSEWHERE, listed=True)


def test_what_does_not_open_is_looked_for_anew_unless_its_card_is_away() -> None:
    policy = scanned(cards=BUILT_IN + USB)
    for number in (1, None):
        assert not policy.may_relist(RELIST_S - 0.1, BUILT_IN + USB, number)
        assert policy.may_relist(RELIST_S, BUILT_IN + USB, number)
    for now in (0.1, RELIST_S, 100 * RELIST_S):
        assert not policy.may_relist(now, BUILT_IN, 1)
    back = 100 * RELIST_S
    assert not policy.may_relist(back + RELIST_S - 0.1, BUILT_IN + USB, 1)
    assert policy.may_relist(back + RELIST_S, BUILT_IN + USB, 1)
    # A sound server's device may be another one by now.
    assert policy.may_relist(0.1, BUILT_IN, None)


def test_an_open_stream_is_interrupted_at_once_for_a_new_card_only() -> None:
    policy = scanned(cards=BUILT_IN + USB)
    for listed in (False, True):
        assert not policy.may_interrupt("microphone", 0.1, BUILT_IN, listed=listed)
        assert not policy.may_interrupt("microphone", 0.1, BUILT_IN + USB, listed=listed)
        assert policy.may_interrupt("microphone", 0.1, BUILT_IN + USB_MOVED, listed=listed)
        assert policy.may_interrupt("microphone", 0.1, BUILT_IN + USB_ELSEWHERE, listed=listed)


def test_for_a_device_that_is_listed_nobody_is_interrupted_however_long_it_is_away() -> None:
    policy = scanned(cards=BUILT_IN + USB)
    for now in (RESCAN_S, INTERRUPT_S, 2 * INTERRUPT_MAX_S):
        assert not policy.may_interrupt("microphone", now, BUILT_IN, listed=True)


def test_otherwise_more_and_more_rarely() -> None:
    policy, now, looks = scanned(), 0.0, []
    while len(looks) < 9:
        if policy.may_interrupt("microphone", now, BUILT_IN, listed=False):
            policy.interrupted("microphone", now)
            policy.scanned(now, BUILT_IN)
            looks.append(now)
        now += 0.5
    waits = [b - a for a, b in itertools.pairwise(looks)]
    assert looks[0] == RESCAN_S
    assert waits == sorted(waits)
    assert waits[0] == INTERRUPT_S
    assert waits[-1] == INTERRUPT_MAX_S


def test_one_that_is_missing_does_not_hold_up_the_other_and_finding_it_starts_anew() -> None:
    policy = scanned()
    policy.interrupted("microphone", 100.0)
    assert not policy.may_interrupt("microphone", 105.0, BUILT_IN, listed=False)
    assert policy.may_interrupt("loudspeaker", 105.0, BUILT_IN, listed=False)
    policy.found("microphone")
    assert policy.may_interrupt("microphone", 105.0, BUILT_IN, listed=False)
