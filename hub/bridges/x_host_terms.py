"""What is asked of X to host a Space, and what it answers. Pure, and as publicly known, too."""

from dataclasses import dataclass, field
from typing import Final

from hub.bridges.x_answers import Door, Gateway, door_of, gateway_of, id_in, text_in
from hub.bridges.x_terms import Body, Endpoints, Guest, Request

_KIND: Final = "visual_audio"  # a Space; the rest of the shape is that of a broadcast with pictures
_SIZE: Final = {"width": 1920, "height": 1080, "is_360": False}


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A Space that was made, which nobody sees before it is published."""

    space: str
    stream: str
    gateway: Gateway
    door: Door

    @property
    def link(self) -> str:
        """How people come in."""
        return f"https://x.com/i/spaces/{self.space}"


@dataclass(frozen=True, slots=True)
class Ids:
    """By which numbers Janus knows the stage and us on it."""

    session: object
    handle: object
    publisher: object


@dataclass(frozen=True, slots=True)
class Maker:
    """What is asked by whoever makes a Space."""

    at: Endpoints
    cookie: str = field(repr=False)
    title: str

    def region(self) -> Request:
        """Ask which of X's houses is near."""
        return Request("a region", self.at.region, {}, body={})

    def create(self, region: str) -> Request:
        """Make a Space."""
        return self._ask(
            "createBroadcast",
            app_component="audio-room",
            description=self.title,
            is_space_available_for_replay=False,
            is_webrtc=True,
            languages=[],
            region=region,
            **_SIZE,
        )

    def publish(self, space: str, ids: Ids) -> Request:
        """Let everybody see it."""
        return self._ask(
            "publishBroadcast",
            accept_guests=True,
            broadcast_id=space,
            janus_publisher_id=ids.publisher,
            janus_room_id=space,
            webrtc_handle_id=ids.handle,
            webrtc_session_id=ids.session,
            status=self.title,
            locale="en",
        )

    def _ask(self, name: str, **body: object) -> Request:
        whole = {"cookie": self.cookie, "content_type": _KIND, "conversation_controls": 0, **body}
        return Request(name, f"{self.at.proxsee}/{name}", {}, body=whole)


@dataclass(frozen=True, slots=True)
class Host(Guest):
    """What a host asks."""

    def approve(self, wish: str) -> Request:
        """Let somebody speak who asks to."""
        return self.of("request/approve", wish)

    def eject(self, wish: str, ids: Ids, gateway: str, participant: object) -> Request:
        """Take the right to speak from somebody."""
        asked = self.of("stream/eject", wish)
        own = {
            "janus_room_id": self.space,
            "janus_participant_id": participant,
            "janus_url": gateway,
            "webrtc_handle_id": ids.handle,
            "webrtc_session_id": ids.session,
        }
        return Request(asked.what, asked.url, asked.headers, body={**(asked.body or {}), **own})

    def end(self) -> Request:
        """End the Space for everybody."""
        body: Body = {"broadcast_id": self.space, "chat_token": self.chat_token}
        headers = {"Authorization": self.authorization}
        return Request("the end", f"{self.at.guest}/admin/endAudiospace", headers, body=body)


def region_of(found: object) -> str:
    """Return which house of X's is near."""
    return text_in(found, "region")


def broadcast_of(found: object, asked: str) -> Broadcast:
    """Return the Space that was made.

    Raises:
        FarError: that is no answer to it.
    """
    named = {
        "webrtc_gw_url": text_in(found, "webrtc_gw_url"),
        "janus_jwt": text_in(found, "credential"),
    }
    gateway = gateway_of(named, asked)
    space, stream = id_in(found, "room_id"), text_in(found, "stream_name")
    return Broadcast(space, stream, gateway, door_of(found, asked))
