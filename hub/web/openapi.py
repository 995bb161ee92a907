"""The OpenAPI 3.1 document, made from the same rows as the server's routes. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from hub.web.problems import PROBLEM_TYPE, STATUS, Problem
from hub.web.route import BASE, PARAMETERS, Blob, Content, Key, Route, Who
from hub.web.tickets import ADMIN_COOKIE, VISITOR_COOKIE

KEY_HEADER: Final = "Idempotency-Key"
_REF: Final = "#/components/schemas/{name}"
_COOKIES: Final[Mapping[Who, list[dict[str, list[str]]]]] = {
    Who.ANYBODY: [{}],
    Who.NAMED: [{"visitor": []}, {"admin": []}],
    Who.ADMIN: [{"admin": []}],
}
_ABOUT: Final = (
    "Everything that the console does. Errors are RFC 9457 problems with a code; each answer "
    "lists the codes it may have. Requests that change something are JSON, and a browser may "
    "send them from the hub's own pages only."
)


def document(routes: Iterable[Route], version: str) -> bytes:
    """Return the document as JSON."""
    rows = tuple(routes)
    structs: list[type[Struct]] = [Problem]
    for row in rows:
        structs += [each for each in row.gives.values() if isinstance(each, type)]
        structs += [row.takes] if row.has_body and row.takes else []
    _, components = msgspec.json.schema_components(dict.fromkeys(structs), ref_template=_REF)
    more: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        paths.setdefault(BASE + row.path, {})[row.method.lower()] = _operation(row, more)
    schemas = {**more, **components}
    codes = sorted({code.value for row in rows for code in row.codes})
    schemas["Problem"]["properties"]["code"] = {"enum": codes}
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "Stagebox hub", "version": version, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _schemes()},
    }
    return msgspec.json.encode(_portable(whole))


def name_of(route: Route) -> str:
    """Return the operation's name, such as ``post_spaces_space_start``."""
    return "_".join([route.method.lower(), *re.findall(r"[a-z0-9_]+", route.path)])


def _operation(route: Route, more: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": name_of(route),
        "summary": route.summary,
        "security": _COOKIES[route.who],
        "responses": {**_answers(route), **_problems(route)},
    }
    parameters = [_parameter(name, "path", PARAMETERS[name][0]) for name in route.parameters]
    if route.takes is not None and not route.has_body:
        parameters += _query(route.takes, more)
    if route.keyed:
        parameters.append({**_parameter(KEY_HEADER, "header", Key), "required": False})
    if parameters:
        operation["parameters"] = parameters
    if route.takes is not None and route.has_body:
        content = {"application/json": {"schema": _ref(route.takes)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _answers(route: Route) -> dict[str, Any]:
    return {
        str(status): {"description": _describe(content), **_content(content)}
        for status, content in route.gives.items()
    }


def _problems(route: Route) -> dict[str, Any]:
    """Return the answers for what may go wrong; one status may stand for several codes."""
    by_status: dict[int, list[str]] = {}
    for code in route.codes:
        by_status.setdefault(STATUS[code], []).append(code.value)
    return {
        str(status): {
            "description": f"Code {' or '.join(codes)}.",
            "x-codes": codes,
            "content": {PROBLEM_TYPE: {"schema": _ref(Problem)}},
        }
        for status, codes in sorted(by_status.items())
    }


def _describe(content: Content) -> str:
    if content is None:
        return "Done."
    if isinstance(content, Blob):
        return f"A file of the type {content.media_type}."
    return (content.__doc__ or content.__name__).partition("\n")[0]


def _content(content: Content) -> dict[str, Any]:
    if content is None:
        return {}
    if isinstance(content, Blob):
        return {"content": {content.media_type: {}}}
    return {"content": {"application/json": {"schema": _ref(content)}}}


def _parameter(name: str, place: str, kind: object) -> dict[str, Any]:
    schema = msgspec.json.schema(kind)
    return {"name": name, "in": place, "required": True, "schema": schema}


def _query(takes: type[Struct], more: dict[str, Any]) -> list[dict[str, Any]]:
    _, components = msgspec.json.schema_components([takes], ref_template=_REF)
    own = components.pop(takes.__name__)
    more.update(components)
    required = own.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _given(schema)}
        for name, schema in own["properties"].items()
    ]


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value in a query, where there is no null: it is left out instead."""
    kinds = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return kinds[0] if len(kinds) == 1 else schema


def _ref(struct: type[Struct]) -> dict[str, str]:
    return {"$ref": _REF.format(name=struct.__name__)}


def _schemes() -> dict[str, Any]:
    return {
        "visitor": {"type": "apiKey", "in": "cookie", "name": VISITOR_COOKIE},
        "admin": {"type": "apiKey", "in": "cookie", "name": ADMIN_COOKIE},
    }


def _portable(value: object) -> object:
    """Return the document with patterns as ECMA-262 has them: there the end is ``$``."""
    if isinstance(value, dict):
        return {
            key: _end(each) if key == "pattern" and isinstance(each, str) else _portable(each)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_portable(each) for each in value]
    return value


def _end(pattern: str) -> str:
    return re.sub(r"\\Z\Z", "$", pattern)
