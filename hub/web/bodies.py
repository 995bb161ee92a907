"""Bodies of requests, made from the acts of the wire: each act is described once. Pure."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import NODEFAULT, Struct

from stagebox.wire.acts import Act, SpaceNew
from stagebox.wire.terms import Req

_Deed = type[Act] | type[SpaceNew]
# What HTTP says in other ways: by the key of a request, and by the path.
REQ: Final = "req"


def body_of(act: _Deed, without: tuple[str, ...] = ()) -> type[Struct] | None:
    """Return the struct of what an act needs besides its ``req`` and ``without``; None: nothing."""
    fields = [
        (each.name, each.type, each.default)
        if each.default is not NODEFAULT
        else (each.name, each.type)
        for each in msgspec.structs.fields(act)
        if each.name not in {REQ, *without}
    ]
    if not fields:
        return None
    return msgspec.defstruct(
        act.__name__,
        fields,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        namespace={"__doc__": act.__doc__},
    )


def act_of(act: _Deed, req: Req, parts: Mapping[str, Any], body: Struct | None) -> Any:  # noqa: ANN401
    """Return the act that a request stands for."""
    given = msgspec.structs.asdict(body) if body is not None else {}
    return act(req=req, **parts, **given)
