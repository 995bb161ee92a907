"""A stranger to the code reads the OpenAPI document and tries what it says."""

import asyncio
import sys
from pathlib import Path

import msgspec
import pytest

from hub.web.api import ROUTES
from tests.loopback.web.kit import Browser, a_hub

# Nobody's mistake may be the hub's, and it says nothing that it did not announce.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
# For each route. Most of the time is the other program's own thinking.
EXAMPLES = 4
# All but those that it is told to leave out, and the document itself.
MOST = len(ROUTES) - 6
# What is there is asked for, too, and not only what is not.
SETTINGS = """
[dictionaries.spaces]
values = ["talk", "main", "new", "nowhere"]
[dictionaries.members]
values = ["{member}", "00000000000000000000000000000000"]
[dictionaries.tokens]
values = ["{token}"]
[dictionaries.codes]
values = ["{code}", "000000"]
[parameters]
"path.space" = {{ dictionary = "spaces", probability = 0.9 }}
"path.member" = {{ dictionary = "members", probability = 0.9 }}
"path.token" = {{ dictionary = "tokens", probability = 0.5 }}
"body.code" = {{ dictionary = "codes", probability = 0.5 }}
"""
# It must not log itself out. And as its cookies are always sent, a request without them,
# which should be refused, is none: that check is for the run without.
AS_ADMINISTRATOR = ("--exclude-path-regex", "logout|password|me$")


async def prepare(browser: Browser) -> str:
    """Make what can be asked for; return the settings."""
    member = (await browser.name("Anna"))["id"]
    await browser.administer()
    assert (await browser.ask("POST", "/spaces", {"name": "new"})).status == 201
    invite = (await browser.ask("POST", "/spaces/talk/invites", {})).json
    return SETTINGS.format(member=member, token=invite["token"], code=invite["code"])


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", ["nobody", "administrator"])
async def test_the_document_is_true_and_nothing_breaks(tmp_path: Path, who: str) -> None:
    async with a_hub(tmp_path) as hub, Browser(hub) as browser:
        settings, report = tmp_path / "schemathesis.toml", tmp_path / "report.json"
        settings.write_text(await prepare(browser), "utf-8")
        checks, options = [*CHECKS, "negative_data_rejection"], list[str]()
        if who == "administrator":
            checks, options = list(CHECKS), [*AS_ADMINISTRATOR, "-H", f"Cookie: {browser.cookies}"]
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("schemathesis"),
            f"--config-file={settings}",
            "run",
            hub.url("/api/v1/openapi.json"),
            f"--checks={','.join(checks)}",
            "--phases=fuzzing",
            f"--max-examples={EXAMPLES}",
            "--seed=1",
            "--no-shrink",
            "--continue-on-failure",
            "--report=json",
            f"--report-json-path={report}",
            *options,
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    told = msgspec.json.decode(report.read_bytes())
    assert told["operations"]["errored"] == told["operations"]["skipped"] == 0
    assert told["test_cases"]["generated"] >= told["operations"]["selected"] >= MOST
    assert told["failures"] == told["errors"] == []
