"""The broker by which Home Assistant sees this hub (the ``[home]`` table)."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from stagebox.config import WrongKeyError

# What MQTT keeps for itself: wildcards, and the first letter of the broker's own topics.
_TOPIC: Final = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\Z"
_HOST: Final = r"^[A-Za-z0-9:._%-]*\Z"


class HomeConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the broker is, who the hub is there, and whether it obeys."""

    # Empty: no broker, and nothing of this runs.
    broker: Annotated[str, Meta(max_length=253, pattern=_HOST)] = ""
    # 0: what is usual, 1883 or with TLS 8883.
    port: Annotated[int, Meta(ge=0, le=65_535)] = 0
    user: Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")] = ""
    # In a file of its own, for this one is shown to people who help.
    password_file: Annotated[str, Meta(max_length=4_096)] = ""
    tls: bool = False
    # Of whoever signed the broker's certificate; empty: those that this computer trusts.
    ca_file: Annotated[str, Meta(max_length=4_096)] = ""
    # Home Assistant's own "discovery prefix".
    prefix: Annotated[str, Meta(min_length=1, max_length=100, pattern=_TOPIC)] = "homeassistant"
    # Whoever may write to the broker then acts in every space as an administrator.
    commands: bool = False

    def __post_init__(self) -> None:
        """Refuse what has nobody to be for."""
        about = (self.port, self.user, self.password_file, self.tls, self.ca_file, self.commands)
        if not self.broker and any(about):
            raise WrongKeyError("broker", 'name the broker, such as "homeassistant.local".')
        if self.password_file and not self.user:
            raise WrongKeyError("user", "a password is somebody's: name the user, too.")
        if self.ca_file and not self.tls:
            raise WrongKeyError("tls", "ca_file is for TLS: set tls = true.")

    @property
    def at(self) -> int:
        """The port."""
        return self.port or (8_883 if self.tls else 1_883)
