"""A player of HLS as its standard says (RFC 8216bis): asks for the next part and waits for it."""

import re
import threading
import urllib.request


class Player(threading.Thread):
    """Plays one rendition from ``base``, which ends with a slash, until it is told to stop.

    ``data`` is what a decoder is given: the head, and every part from the first on. ``broke``
    is why it stopped by itself, if it did.
    """

    def __init__(self, base: str) -> None:
        super().__init__(daemon=True)
        self._base = base
        self._told = threading.Event()
        self._seen: set[str] = set()
        self.asked = 0
        self.broke: OSError | None = None
        listed = self._get("live.m3u8").decode()
        self.data = self._get(re.findall(r'MAP:URI="([^"]+)"', listed)[0])
        self._seen |= set(_parts(listed)[:-4])
        self._take(listed)
        self.start()

    def run(self) -> None:
        try:
            self._play()
        except OSError as error:
            self.broke = error

    def _play(self) -> None:
        while not self._told.is_set():
            number, part = _place(max(self._seen, key=_place))
            number, part = (number + 1, 0) if part == 7 else (number, part + 1)
            query = f"live.m3u8?_HLS_msn={number}&_HLS_part={part}"
            self._take(self._get(query).decode())

    def stop(self) -> None:
        """Stop playing."""
        self._told.set()
        self.join(60)

    def _get(self, name: str) -> bytes:
        self.asked += 1
        with urllib.request.urlopen(self._base + name, timeout=60) as answer:
            data: bytes = answer.read()
        return data

    def _take(self, listed: str) -> None:
        for name in _parts(listed):
            if name not in self._seen:
                self._seen.add(name)
                self.data += self._get(name)


def _parts(listed: str) -> list[str]:
    return re.findall(r'PART:DURATION=[0-9.]+,URI="([^"]+)"', listed)


def _place(name: str) -> tuple[int, int]:
    _, number, part = name.removesuffix(".m4s").split("-")
    return int(number), int(part)
