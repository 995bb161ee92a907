"""Calls over the system's message bus, to one service, with a deadline for each."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from dbus_fast import BusType, DBusError, Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import AuthError, InvalidAddressError

from provisioning.network.profile import Settings, Value

PROPERTIES: Final = "org.freedesktop.DBus.Properties"
_DAEMON: Final = "org.freedesktop.DBus"
# A busy NetworkManager on a small Pi answers within a second or two.
_ANSWER_S: Final = 10.0

OnSignal = Callable[[str, str, str, list[Any]], None]


class ServiceError(Exception):
    """The service did not do it; the text says what it answered, without what it was given."""


class Service:
    """One service on the bus."""

    def __init__(self, bus: MessageBus, name: str) -> None:
        self._bus = bus
        self.name = name

    async def call(
        self, path: str, interface: str, member: str, signature: str = "", *body: object
    ) -> list[Any]:
        """Call a method; return what it returns.

        Raises:
            ServiceError: it refused, is not there, or did not answer.
        """
        message = Message(self.name, path, interface, member, signature=signature, body=list(body))
        try:
            answer = await asyncio.wait_for(self._bus.call(message), _ANSWER_S)
        except (DBusError, OSError, EOFError, TimeoutError) as error:
            raise ServiceError(f"{member}: {type(error).__name__}") from None
        if answer is None or answer.message_type is not MessageType.METHOD_RETURN:
            name = "no answer" if answer is None else answer.error_name
            raise ServiceError(f"{member}: {name}")
        return list(answer.body)

    async def get(self, path: str, interface: str, name: str) -> Any:  # noqa: ANN401 - any type
        """Return a property. Raises ServiceError."""
        (value,) = await self.call(path, PROPERTIES, "Get", "ss", interface, name)
        return value.value

    async def put(self, path: str, interface: str, name: str, value: Variant) -> None:
        """Set a property. Raises ServiceError."""
        await self.call(path, PROPERTIES, "Set", "ssv", interface, name, value)

    async def is_there(self) -> bool:
        """Whether somebody has the service's name."""
        daemon = Service(self._bus, _DAEMON)
        try:
            (there,) = await daemon.call(
                "/org/freedesktop/DBus", _DAEMON, "NameHasOwner", "s", self.name
            )
        except ServiceError:
            return False
        return bool(there)

    async def listen(self, on_signal: OnSignal) -> None:
        """Call ``on_signal`` with path, interface, member and body of each signal of its.

        That it comes and goes is told as the daemon's NameOwnerChanged. Raises ServiceError.
        """

        def handle(message: Message) -> None:
            if message.message_type is MessageType.SIGNAL:
                on_signal(
                    message.path or "", message.interface or "", message.member or "", message.body
                )

        self._bus.add_message_handler(handle)
        daemon = Service(self._bus, _DAEMON)
        for rule in (
            f"type='signal',sender='{self.name}'",
            f"type='signal',sender='{_DAEMON}',member='NameOwnerChanged',arg0='{self.name}'",
        ):
            await daemon.call("/org/freedesktop/DBus", _DAEMON, "AddMatch", "s", rule)


async def open_system_bus() -> MessageBus:
    """Return a connection to the system's bus.

    Raises:
        ServiceError: there is none.
    """
    try:
        return await MessageBus(bus_type=BusType.SYSTEM).connect()
    except (OSError, EOFError, AuthError, InvalidAddressError) as error:
        raise ServiceError(f"no message bus: {error}") from None


def variants(settings: Settings) -> dict[str, dict[str, Variant]]:
    """Return settings as the bus takes them."""
    return {name: _table(table) for name, table in settings.items()}


def _table(table: Mapping[str, Value]) -> dict[str, Variant]:
    return {key: _variant(*value) for key, value in table.items()}


def _variant(signature: str, value: Any) -> Variant:  # noqa: ANN401 - any value of a setting
    if signature == "aa{sv}":
        return Variant(signature, [_table(each) for each in value])
    return Variant(signature, value)
