"""An administrator at a hub's HTTP API, for tests that start the hub as a process."""

import json
import urllib.error
import urllib.request
from typing import Any

from tests.support.crew import START_S, Hub, wait_until

PASSWORD = "correct horse battery"


class Chief:
    """Logged in. ``ask`` returns the status and what was said."""

    def __init__(self, hub: Hub) -> None:
        self._origin = hub.http
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        status, _ = self.ask("POST", "/setup", {"password": PASSWORD})
        if status != 200:
            status, _ = self.ask("POST", "/login", {"password": PASSWORD})
        assert status == 200

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Origin": self._origin}
        url = f"{self._origin}/api/v1{path}"
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def waits_for_a_box(self) -> None:
        """Open the window, unless it is open."""
        if not self.ask("GET", "/enrolment")[1]["open"]:
            assert self.ask("POST", "/enrolment")[0] == 200

    def sees_a_box(self) -> None:
        """Wait until a box waits for its code."""

        def is_there() -> bool:
            coming = self.ask("GET", "/enrolment")[1]["coming"]
            return any(each["step"] == "code" for each in coming)

        wait_until(is_there, START_S, "a box waits for its code")

    def types(self, code: str) -> tuple[int, Any]:
        return self.ask("POST", "/enrolment/code", {"code": code})
