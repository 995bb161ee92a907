"""Parts of the programme made anew: only the pages in question, and only from who is left."""

import pytest

from hub.recording.ogg import read_pages
from hub.recording.opusfile import OpusStream, length, silence, sounds
from hub.recording.remake import remade
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.opus import Encoder
from tests.unit.hub.mix_kit import share, tone
from tests.unit.hub.recording_kit import decoded

SECONDS = 6


def file(hertz: float, since: float = 0.0, *, odd: bool = False) -> bytes:
    made, encoder = OpusStream(round(hertz)), Encoder()
    data = made.begin("x", {}) + made.put(silence(round(since * SAMPLE_RATE)))
    for frame in tone(hertz, SECONDS - since).reshape(-1, FRAME_SAMPLES):
        data += made.put([encoder.encode(frame)])
        if odd:
            data += made.put(silence(120))
    return data + made.flush(last=True)


def seconds(begin: float, end: float) -> tuple[int, int]:
    return round(begin * SAMPLE_RATE), round(end * SAMPLE_RATE)


def part(data: bytes, begin: float, end: float) -> list[float]:
    pcm = decoded(data)[slice(*seconds(begin, end))]
    return [share(pcm, hertz) for hertz in (440, 1_200)]


def test_pages_outside_stay_byte_for_byte() -> None:
    programme = file(440)
    new = b"".join(remade(programme, [seconds(2.1, 2.4), seconds(4.0, 4.4)], []))
    assert length(new) == length(programme)
    old_pages, new_pages = ([page for _at, page in read_pages(d)] for d in (programme, new))
    assert [page.number for page in new_pages] == [page.number for page in old_pages]
    assert [page.granule for page in new_pages] == [page.granule for page in old_pages]
    pairs = zip(old_pages, new_pages, strict=True)
    changed = [number for number, (old, new_one) in enumerate(pairs) if old != new_one]
    assert changed == [6, 10]
    assert part(new, 2.05, 2.45)[0] < 20
    assert part(new, 1.0, 1.9)[0] == pytest.approx(8_000, rel=0.1)
    assert part(new, 3.0, 3.9)[0] == pytest.approx(8_000, rel=0.1)


def test_nothing_to_make_changes_nothing() -> None:
    programme = file(440)
    assert b"".join(remade(programme, [], [])) == programme
    assert b"".join(remade(programme, [seconds(60, 70)], [file(1_200)])) == programme


def test_who_is_left_is_heard_in_place() -> None:
    programme, voice = file(440), file(1_200, since=3.0)
    new = b"".join(remade(programme, [seconds(0, 2), seconds(4, 5)], [voice]))
    assert max(part(new, 0.1, 1.9)) < 20
    mine, others = part(new, 4.1, 4.9)
    assert mine < 100
    assert others == pytest.approx(8_000, rel=0.1)
    assert part(new, 2.6, 3.4)[0] == pytest.approx(8_000, rel=0.1)


def test_two_that_are_left_are_mixed_in_step_with_the_programme() -> None:
    voices = [file(1_200), file(1_200)]
    new = b"".join(remade(file(440), [seconds(1, 5)], voices))
    assert part(new, 1.5, 4.5)[1] == pytest.approx(16_000, rel=0.1)  # in phase with each other
    # In step: what was forwarded and what was made anew meet in the same phase.
    own = file(440)
    joined = decoded(b"".join(remade(own, [seconds(2, 3)], [own])))
    assert share(joined[slice(*seconds(1, 4))], 440) == pytest.approx(8_000, rel=0.1)


def test_pages_of_odd_length_keep_it() -> None:
    programme = file(440, odd=True)
    new = b"".join(remade(programme, [seconds(1, 2)], [file(1_200)]))
    assert length(new) == length(programme)
    assert [s.page.granule for s in sounds(new)] == [s.page.granule for s in sounds(programme)]
    assert part(new, 1.2, 1.9)[0] < 100
