import itertools

from device.audio.rescan import INTERRUPT_MAX_S, INTERRUPT_S, RESCAN_S, RescanPolicy

BUILT_IN = b" 0 [Headphones ]: bcm2835_headpho - bcm2835 Headphones\n"
USB = b" 1 [Device     ]: USB-Audio - USB Audio Device\n"
USB_MOVED = b" 2 [Device     ]: USB-Audio - USB Audio Device\n"


def scanned(now: float = 0.0, cards: bytes = BUILT_IN) -> RescanPolicy:
    policy = RescanPolicy()
    policy.scanned(now, cards)
    return policy


def test_the_first_look_may_happen_at_once() -> None:
    assert RescanPolicy().may_rescan(0.0, b"")


def test_with_no_stream_open_it_looks_when_cards_change_or_now_and_then() -> None:
    policy = scanned()
    assert not policy.may_rescan(RESCAN_S - 0.1, BUILT_IN)
    assert policy.may_rescan(0.1, BUILT_IN + USB)
    assert policy.may_rescan(0.1, b"")
    assert policy.may_rescan(RESCAN_S, BUILT_IN)


def test_an_open_stream_is_interrupted_at_once_for_a_new_card_only() -> None:
    policy = scanned(cards=BUILT_IN + USB)
    assert not policy.may_interrupt("microphone", 0.1, BUILT_IN)
    assert not policy.may_interrupt("microphone", 0.1, BUILT_IN + USB)
    assert policy.may_interrupt("microphone", 0.1, BUILT_IN + USB_MOVED)


def test_otherwise_more_and_more_rarely() -> None:
    policy, now, looks = scanned(), 0.0, []
    while len(looks) < 9:
        if policy.may_interrupt("microphone", now, BUILT_IN):
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
    assert not policy.may_interrupt("microphone", 105.0, BUILT_IN)
    assert policy.may_interrupt("loudspeaker", 105.0, BUILT_IN)
    policy.found("microphone")
    assert policy.may_interrupt("microphone", 105.0, BUILT_IN)
