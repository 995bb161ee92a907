"""A speech-to-text service on the network, made with the Wyoming protocol's own library.

    python -m tests.support.wyoming_service [--streaming] [--misbehave HOW]

prints its port. Behind it is PocketSphinx, directly. With ``--misbehave`` it is hostile.
"""

import argparse
import asyncio
import contextlib
import json
import sys

from pocketsphinx import Decoder
from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info
from wyoming.server import AsyncEventHandler, AsyncTcpServer

ATTRIBUTION = Attribution(name="CMU Sphinx", url="https://cmusphinx.github.io")


def info(streaming: bool) -> Event:
    model = AsrModel(
        name="en-us",
        attribution=ATTRIBUTION,
        installed=True,
        description=None,
        version=None,
        languages=["en"],
    )
    program = AsrProgram(
        name="pocketsphinx",
        attribution=ATTRIBUTION,
        installed=True,
        description=None,
        version=None,
        models=[model],
        supports_transcript_streaming=streaming,
    )
    return Info(asr=[program]).event()


class Handler(AsyncEventHandler):
    """One connection: one utterance, then the service hangs up, as most of them do."""

    def __init__(
        self,
        decoder: Decoder,
        streaming: bool,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(reader, writer)
        self.decoder = decoder
        self.streaming = streaming
        self.said = ""
        self.open = False

    async def handle_event(self, event: Event) -> bool:
        if Describe.is_type(event.type):
            await self.write_event(info(self.streaming))
        elif Transcribe.is_type(event.type):
            print("asked for", json.dumps(event.data), flush=True)
        elif AudioStart.is_type(event.type):
            start = AudioStart.from_event(event)
            assert (start.rate, start.width, start.channels) == (16_000, 2, 1)
            self.decoder.start_utt()
            self.open = True
            if self.streaming:
                await self.write_event(TranscriptStart().event())
        elif AudioChunk.is_type(event.type):
            await self.chunk(AudioChunk.from_event(event))
        elif AudioStop.is_type(event.type):
            self.open = False
            self.decoder.end_utt()
            await self.write_event(Transcript(text=self.words()).event())
            if self.streaming:
                await self.write_event(TranscriptStop().event())
            return False
        return True

    async def chunk(self, chunk: AudioChunk) -> None:
        if chunk.audio:
            self.decoder.process_raw(chunk.audio)
        # Words already sent cannot be taken back here, so only what grew is sent.
        now = self.words()
        if self.streaming and now.startswith(self.said) and now != self.said:
            await self.write_event(TranscriptChunk(text=now[len(self.said) :]).event())
            self.said = now

    def words(self) -> str:
        hypothesis = self.decoder.hyp()
        return str(hypothesis.hypstr) if hypothesis else ""

    async def disconnect(self) -> None:
        if self.open:
            self.decoder.end_utt()


# What a hostile service answers: to any event, and how it goes on.
LINE = b'{"type":"transcript-chunk","data":{"text":"%s"}}\n'


class Hostile(AsyncEventHandler):
    """Describes itself well, then misbehaves once it is given sound."""

    def __init__(
        self, how: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        super().__init__(reader, writer)
        self.how = how

    async def handle_event(self, event: Event) -> bool:
        if Describe.is_type(event.type):
            if self.how == "deaf":
                await asyncio.sleep(3_600)
            if self.how == "other":
                await self.write_event(Info().event())
            else:
                await self.write_event(info(streaming=True))
        elif AudioStop.is_type(event.type) or (
            AudioChunk.is_type(event.type) and self.how in ("flood", "garbage")
        ):
            with contextlib.suppress(ConnectionError):
                await self.misbehave()
            return False
        return True

    async def misbehave(self) -> None:  # noqa: PLR0912 - a list of ways
        match self.how:
            case "silent":
                await asyncio.sleep(3_600)
            case "garbage":
                await self.raw(b"\x00\xff\xfe not json\n" * 100)
            case "endless-line":
                for _ in range(1_000):
                    await self.raw(b"x" * 65_536)
            case "huge":
                await self.raw(LINE % (b"word " * 10_000) * 20)
                await self.raw(b'{"type":"transcript","data_length":900011}\n')
                await self.raw(b'{"text":"' + b"A" * 900_000 + b'"}')
            case "giant":
                await self.raw(b'{"type":"transcript","data_length":99999999999}\n')
                await asyncio.sleep(3_600)
            case "flood":
                for number in range(1_000_000):
                    await self.raw(LINE % str(number).encode())
            case "markup":
                text = "<script>alert(1)</script> \\u202e-->\\u0000\\n\\nNOTE x"
                await self.raw(b'{"type":"transcript","data":{"text":"%s"}}\n' % text.encode())
            case "no-text":
                await self.raw(b'{"type":"transcript","data":{"text":["x"]}}\n')
            case "hang-up":
                pass

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--streaming", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--misbehave")
    given = parser.parse_args()
    decoder = None if given.misbehave else Decoder(samprate=16_000, loglevel="FATAL")

    def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncEventHandler:
        if decoder is None:
            return Hostile(given.misbehave, reader, writer)
        return Handler(decoder, given.streaming, reader, writer)

    server = AsyncTcpServer("127.0.0.1", given.port)
    await server.start(handler)
    print("port", server._server.sockets[0].getsockname()[1], flush=True)
    # Whoever started it ends it, also by being gone.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop()


if __name__ == "__main__":
    asyncio.run(main())
