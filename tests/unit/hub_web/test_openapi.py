"""The OpenAPI document says what the route tables say."""

import json
import re
from typing import Any

import msgspec
import pytest
from msgspec import NODEFAULT

from hub.web.api import ROUTES
from hub.web.bodies import act_of, body_of
from hub.web.openapi import document, name_of
from hub.web.problems import STATUS
from hub.web.route import BASE, PARAMETERS, Blob, Route, Who
from stagebox.wire.acts import Act, FloorHold, InviteNew, SpaceNew, SpaceStart

DOCUMENT: dict[str, Any] = json.loads(document(ROUTES, "1.2.3"))


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][BASE + route.path][route.method.lower()]
    return found


def test_each_route_is_in_the_document_and_nothing_else() -> None:
    told = {
        (method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods
    }
    assert told == {(route.method, BASE + route.path) for route in ROUTES}
    assert len(ROUTES) == len(told)


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_each_answer_and_each_error_code_of_a_route_is_told(route: Route) -> None:
    answers = operation(route)["responses"]
    told = {code for answer in answers.values() for code in answer.get("x-codes", ())}
    assert told == {code.value for code in route.codes}
    for code in route.codes:
        assert code.value in answers[str(STATUS[code])]["x-codes"]
    assert {str(status) for status in route.gives} <= set(answers)
    assert operation(route)["summary"].endswith(".")


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_what_a_route_takes_is_told(route: Route) -> None:
    told = operation(route)
    places = {each["name"]: each for each in told.get("parameters", ())}
    assert all(places[name]["in"] == "path" for name in route.parameters)
    assert ("Idempotency-Key" in places) is route.keyed
    assert ("requestBody" in told) is route.has_body
    if route.takes is not None and not route.has_body:
        query = {name for name, each in places.items() if each["in"] == "query"}
        assert query == set(route.takes.__struct_encode_fields__)


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_what_changes_something_is_guarded(route: Route) -> None:
    assert route.changes is (route.method != "GET")
    codes = {code.value for code in route.codes}
    assert ("foreign_origin" in codes) is route.changes
    assert not (route.keyed and route.who is Who.ANYBODY), "whose key would it be?"


def test_the_names_of_operations_differ() -> None:
    names = [name_of(route) for route in ROUTES]
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(DOCUMENT)
    wanted = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert wanted <= set(DOCUMENT["components"]["schemas"])
    assert "Problem" in wanted


def test_patterns_are_those_of_javascript() -> None:
    assert r"\\Z" not in json.dumps(DOCUMENT)


def test_a_problem_tells_every_code_that_there_may_be() -> None:
    codes = DOCUMENT["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
    assert set(codes) == {code.value for route in ROUTES for code in route.codes}


def test_every_part_of_a_path_has_a_type() -> None:
    assert {name for route in ROUTES for name in route.parameters} <= set(PARAMETERS)


def test_every_struct_has_a_name_of_its_own() -> None:
    structs = {
        each
        for route in ROUTES
        for each in (*route.gives.values(), route.takes)
        if isinstance(each, type)
    }
    assert len({each.__name__ for each in structs}) == len(structs)


def test_files_are_told_by_their_type() -> None:
    async def nothing() -> None: ...

    row = Route("GET", "/file", nothing, "A file.", gives={200: Blob("audio/ogg")})
    told = json.loads(document((row,), "1"))["paths"][f"{BASE}/file"]["get"]["responses"]
    assert told["200"]["content"] == {"audio/ogg": {}}


def test_a_body_is_what_the_act_needs_and_http_does_not_say() -> None:
    hold = body_of(FloorHold, ("member",))
    assert hold is not None
    assert hold.__struct_fields__ == ("on",)
    assert body_of(SpaceStart) is None
    new = body_of(SpaceNew)
    assert new is not None
    assert {field.name for field in msgspec.structs.fields(new)} == {
        field.name for field in msgspec.structs.fields(SpaceNew) if field.name != "req"
    }
    required = {f.name for f in msgspec.structs.fields(hold) if f.default is NODEFAULT}
    assert required == {"on"}


def test_an_act_is_its_body_and_its_path() -> None:
    body = body_of(FloorHold, ("member",))
    assert body is not None
    given = msgspec.json.decode(b'{"on": true}', type=body)
    member = "0" * 32
    act: Act = act_of(FloorHold, "r", {"member": member}, given)
    assert act == FloorHold(req="r", on=True, member=member)
    assert act_of(SpaceStart, "r", {}, None) == SpaceStart(req="r")
    invite = body_of(InviteNew)
    assert invite is not None
    assert act_of(InviteNew, "r", {}, invite()) == InviteNew(req="r")
