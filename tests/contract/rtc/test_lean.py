"""FFmpeg stays out of the programs, and everything works without it; in a fresh process."""

import subprocess
import sys

LEAN = "from stagebox.rtc import lean; lean.load()\n"

CONNECT = """
import asyncio
from stagebox.rtc.peer import Peer, PeerState
from stagebox.rtc.seams import verify_seams

async def main():
    got, done = [], asyncio.Event()
    def packet(packet, now):
        got.append(packet.payload)
        done.set()
    def make(direction, on_packet):
        return Peer(local_address="127.0.0.1", direction=direction, on_packet=on_packet,
                    on_state=lambda state: None)
    one, other = make("sendrecv", lambda packet, now: None), make("sendrecv", packet)
    await one.accept(await other.answer(await one.offer()))
    await one.wait_connected(20)
    await other.wait_connected(20)
    while not done.is_set():
        one.send(b"hello", len(got), 960, True)
        await asyncio.sleep(0.05)
    assert got[0] == b"hello"
    await one.aclose()
    await other.aclose()

verify_seams()
asyncio.run(main())
"""


def run(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr


def test_packets_go_both_ways_without_ffmpeg() -> None:
    run(LEAN + CONNECT + "assert 'libavcodec' not in open('/proc/self/maps').read()")


def test_ffmpeg_can_be_loaded_later() -> None:
    run(LEAN + "import av\nassert av.AudioFrame('s16', 'mono', 960).samples == 960")


def test_with_ffmpeg_loaded_before_the_library_has_it() -> None:
    run(
        f"import av\n{LEAN}"
        "import aiortc.codecs.opus as opus\n"
        "assert opus.AudioFrame is av.AudioFrame\n"
    )


def test_whoever_uses_the_librarys_codecs_is_told() -> None:
    run(
        LEAN + "import aiortc\n"
        "from aiortc.codecs.opus import OpusDecoder\n"
        "from aiortc.mediastreams import AudioFrame\n"
        "for use in OpusDecoder, AudioFrame:\n"
        "    try:\n        use()\n"
        "    except lean.FfmpegNotLoadedError as error:\n"
        "        assert 'stagebox.media' in str(error)\n"
        "    else:\n        raise AssertionError('used without FFmpeg')\n"
    )


def test_loading_twice_changes_nothing() -> None:
    run(
        LEAN + "import sys; before = sys.modules['aiortc']\nlean.load()\n"
        "assert sys.modules['aiortc'] is before and 'av' not in sys.modules"
    )
