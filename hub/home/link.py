"""The hub's way to an MQTT broker: a connection, and another when it breaks.

A shell with one task. The library looks up the broker's name and connects in a thread of
the event loop's, and does all else on the loop.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aiomqtt
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from hub.home.entities import OFFLINE
from hub.home.orders import Fault
from hub.home.session import Desk, Session
from hub.home.settings import HomeConfig
from hub.home.trying import Tries

ANSWER_S: Final = 5.0
GOODBYE_S: Final = 1.0
# A broker that says nothing for twice this is gone.
KEEPALIVE_S: Final = 10
# Ours are half as long; the broker keeps longer ones to itself.
MAX_MESSAGE: Final = 8_192
MAX_WAITING: Final = 2_000
MAX_PASSWORD: Final = 1_024
_EVENTS: Final = ("connected", "lost", "refused", "sent", "obeyed")

log = logging.getLogger(__name__)
# What it has to say of troubles is said here, once.
_library: Final = logging.getLogger("hub.home.library")
_library.setLevel(logging.CRITICAL)


class RefusedError(Exception):
    """There is no connection until a person mends something; the text says what."""


class Link:
    """Keeps a broker informed, from ``start`` to ``aclose``."""

    def __init__(self, config: HomeConfig, desk: Desk) -> None:
        self._config = config
        self._desk = desk
        self._loop = asyncio.get_running_loop()
        self._tries = Tries()
        self._up_at: float | None = None
        self._complained = ""
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the background."""
        self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Say that the hub is gone, and stop."""
        self._closing.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=GOODBYE_S)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def counts(self) -> Mapping[str, float]:
        """Return what happened so far, for /metrics."""
        counts, faults = self._desk.counts, self._desk.faults
        found = {name: float(counts[name]) for name in _EVENTS}
        return found | {f"order_{each.value}": float(faults[each]) for each in Fault}

    def states(self) -> Mapping[str, float]:
        """Return whether there is a connection, for /metrics."""
        return {"up": float(self._up_at is not None)}

    # --- private --------------------------------------------------------------

    async def _run(self) -> None:
        while not self._closing.is_set():
            wait_s = await self._once()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._closing.wait()

    async def _once(self) -> float:
        """Be connected once, as long as it lasts; return how long to wait then."""
        lasted_s = 0.0
        try:
            async with self._client() as client:
                self._up_at, self._complained = self._loop.time(), ""
                self._desk.counts["connected"] += 1
                log.info("MQTT broker %s: connected", self._config.broker)
                await Session(client, self._desk).run(self._closing)
        except RefusedError as error:
            return self._refused(str(error))
        except MqttConnectError as error:
            return self._refused(f"it said no ({error}); look at user and password_file")
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            self._complain(f"there is no connection: {error}")
        except Exception:
            log.exception("the connection to the MQTT broker failed")
        if self._up_at is not None:
            lasted_s, self._up_at = self._loop.time() - self._up_at, None
        self._desk.counts["lost"] += 1
        return self._tries.lost(lasted_s)

    def _refused(self, why: str) -> float:
        self._desk.counts["refused"] += 1
        self._complain(why)
        return self._tries.refused()

    def _complain(self, why: str) -> None:
        if why != self._complained:  # a broker that is away for a night is one line
            self._complained = why
            log.warning("MQTT broker %s: %s", self._config.broker, why)

    def _client(self) -> aiomqtt.Client:
        """Return what connects.

        Raises:
            RefusedError: a file that it needs cannot be read.
        """
        config, places = self._config, self._desk.places
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = MAX_MESSAGE
        return aiomqtt.Client(
            config.broker,
            config.at,
            username=config.user or None,
            password=_password(config),
            identifier=places.node,
            protocol=aiomqtt.ProtocolVersion.V5,
            will=aiomqtt.Will(places.status, OFFLINE, qos=1, retain=True),
            clean_start=True,
            properties=properties,
            keepalive=KEEPALIVE_S,
            timeout=ANSWER_S,
            max_queued_incoming_messages=MAX_WAITING,
            tls_context=_tls(config),
            logger=_library,
        )


def _password(config: HomeConfig) -> str | None:
    """Return the password as it is now: one that was changed is taken at the next try.

    Raises:
        RefusedError: the file cannot be read, or holds none.
    """
    if not config.password_file:
        return None
    try:
        with Path(config.password_file).expanduser().open("rb") as file:
            found = file.read(MAX_PASSWORD + 1)
        password = found.decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise RefusedError(f"password_file cannot be read: {why}") from None
    if not password or len(found) > MAX_PASSWORD:
        raise RefusedError(f"password_file must hold a password of 1 to {MAX_PASSWORD} bytes")
    return password


def _tls(config: HomeConfig) -> ssl.SSLContext | None:
    """Return how the broker is proved to be itself.

    Raises:
        RefusedError: the certificates cannot be read.
    """
    if not config.tls:
        return None
    path = str(Path(config.ca_file).expanduser()) if config.ca_file else None
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise RefusedError(f"ca_file cannot be read: {error.strerror or error}") from None
