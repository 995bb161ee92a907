"""Every message class, discovered, and the example messages that belong to each."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import stagebox.wire
from stagebox.wire import codec
from stagebox.wire.messages import HubMessage, MemberMessage
from stagebox.wire.terms import Message

WIRE = Path(stagebox.wire.__path__[0])
EXAMPLES = WIRE / "examples"


def tag_of(message: type[Message]) -> str:
    tag = message.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


MEMBER_TAGS: dict[str, type[Message]] = {tag_of(cls): cls for cls in get_args(MemberMessage)}
HUB_TAGS: dict[str, type[Message]] = {tag_of(cls): cls for cls in get_args(HubMessage)}
TAGS = {**MEMBER_TAGS, **HUB_TAGS}


def valid(tag: str) -> str:
    return (EXAMPLES / f"{tag}.json").read_text(encoding="utf-8")


def decode(sender: str, text: str) -> MemberMessage | HubMessage:
    return codec.decode_member(text) if sender == "member" else codec.decode_hub(text)


def decode_tagged(tag: str, text: str) -> MemberMessage | HubMessage:
    return decode("member" if tag in MEMBER_TAGS else "hub", text)


@dataclass(frozen=True, slots=True)
class Invalid:
    """One message that must be refused, who sends it and the code that it gets."""

    name: str
    sender: str
    code: str
    text: str


def _invalid(path: Path) -> Invalid:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert set(content) in ({"why", "from", "code", "message"}, {"why", "from", "code", "text"})
    text = content["text"] if "text" in content else json.dumps(content["message"])
    return Invalid(path.stem, content["from"], content["code"], text)


INVALID = [_invalid(path) for path in sorted((EXAMPLES / "invalid").glob("*.json"))]
