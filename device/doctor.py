"""``stagebox doctor``: what this machine lacks to be a box, and how to mend it."""

import argparse
import sys
from collections.abc import Iterable
from typing import Final

from device.checks import Finding, all_checks
from device.config import BoxConfig, hub_url
from stagebox.config import ConfigError, load_config, override

OK: Final = 0
LACKING: Final = 1
REFUSED: Final = 2

_WIDTH: Final = 16


def main(arguments: argparse.Namespace) -> int:
    """Check everything and say so; 0: this can be a box, 1: something is missing, 2: settings."""
    try:
        config = _settings(arguments)
    except ConfigError as error:
        print(f"stagebox doctor: {error}", file=sys.stderr)
        return REFUSED
    findings: list[Finding] = []
    for finding in all_checks(config):  # each as it is found: looking for a hub takes seconds
        print(report([finding]), flush=True)
        findings.append(finding)
    print(verdict(findings))
    return exit_code(findings)


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 0 unless something is missing that a box cannot do without."""
    return LACKING if any(each.required and not each.ok for each in findings) else OK


def verdict(findings: Iterable[Finding]) -> str:
    """Return what all of it comes to, in one line."""
    lacking = [each.name for each in findings if each.required and not each.ok]
    if lacking:
        return f"\nThis machine cannot be a box yet. It lacks: {', '.join(lacking)}."
    return "\nThis machine can be a box."


def report(findings: Iterable[Finding]) -> str:
    """Return the findings as lines of text."""
    return "\n".join(line for finding in findings for line in _lines(finding))


def _lines(finding: Finding) -> list[str]:
    lacking = "LACKS" if finding.required else "note"
    verdict = "ok" if finding.ok else lacking
    first = f"{verdict:5}  {finding.name:{_WIDTH}} {finding.sentence}"
    return [first] if finding.ok else [first, f"{'':{7 + _WIDTH}} {finding.mend}"]


def _settings(arguments: argparse.Namespace) -> BoxConfig:
    config = load_config(arguments.config, BoxConfig) if arguments.config else BoxConfig()
    hub = hub_url(arguments.hub)
    return config if hub is None else override(config, {"hub": hub})
