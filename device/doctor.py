"""``stagebox doctor``: what this machine lacks to be a box, and how to mend it."""

import argparse
import json
import sys
import textwrap
from collections.abc import Iterable
from typing import Any, Final

from msgspec import to_builtins

from device.checks import all_checks
from device.checkup.finding import Finding
from device.checkup.machine import Machine
from device.config import hub_url
from device.profiles.model import FittedConfig
from device.profiles.shelf import load_settings
from stagebox import __version__
from stagebox.config import ConfigError

OK: Final = 0
LACKING: Final = 1
REFUSED: Final = 2

_WIDTH: Final = 16
_INDENT: Final = 24
_COLUMNS: Final = 100


def main(arguments: argparse.Namespace) -> int:
    """Check everything and say so; 0: this can be a box, 1: something is missing, 2: settings."""
    try:
        config = _settings(arguments)
    except ConfigError as error:
        print(f"stagebox doctor: {error}", file=sys.stderr)
        return REFUSED
    findings: list[Finding] = []
    for finding in all_checks(config):  # each as it is found: looking for a hub takes seconds
        if not arguments.json:
            print(report([finding]), flush=True)
        findings.append(finding)
    if arguments.json:
        print(json.dumps(bundle(config, findings, Machine()), indent=2))
    else:
        print("", *_wrapped("", verdict(findings)), sep="\n")
    return exit_code(findings)


def bundle(config: FittedConfig, findings: Iterable[Finding], machine: Machine) -> dict[str, Any]:
    """Return all that somebody who helps from afar asks for. There is no secret in it."""
    found = [{**to_builtins(each), "mend": "" if each.ok else each.mend} for each in findings]
    settings = to_builtins(config)
    board = settings.pop("board")
    return {
        "stagebox": __version__,
        "can_be_a_box": all(each["ok"] or not each["required"] for each in found),
        "machine": {
            "model": machine.model,
            "kernel": machine.kernel,
            "hat": machine.text("proc/device-tree/hat/product"),
            "cards": machine.cards,
            "boot": machine.boot_lines[1],
        },
        "board": board["title"],
        "settings": settings,
        "findings": found,
    }


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 0 unless something is missing that a box cannot do without."""
    return LACKING if any(each.required and not each.ok for each in findings) else OK


def verdict(findings: Iterable[Finding]) -> str:
    """Return what all of it comes to, in one sentence."""
    lacking = [each.name for each in findings if each.required and not each.ok]
    if lacking:
        return f"This machine cannot be a box yet. It lacks: {', '.join(lacking)}."
    return "This machine can be a box."


def report(findings: Iterable[Finding]) -> str:
    """Return the findings as lines of text."""
    return "\n".join(line for finding in findings for line in _lines(finding))


def _lines(finding: Finding) -> list[str]:
    lacking = "LACKS" if finding.required else "note"
    verdict = "ok" if finding.ok else lacking
    lines = _wrapped(f"{verdict:5}  {finding.name:{_WIDTH}} ", finding.sentence)
    return lines if finding.ok else [*lines, *_wrapped(f"{'':{_INDENT}}-> ", finding.mend)]


def _wrapped(first: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _COLUMNS,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,  # a path or an address is to be copied
        break_on_hyphens=False,
    )


def _settings(arguments: argparse.Namespace) -> FittedConfig:
    given = {"hub": hub_url(arguments.hub), "profile": arguments.profile}
    return load_settings(arguments.config, given)
