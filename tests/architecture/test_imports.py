"""What an import brings along, each seen from a fresh interpreter."""

import subprocess
import sys

from tests.architecture.pure import ROOT, module_of, source_files

# Finds modules of these names before anybody else does, and refuses them.
BLOCKER = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Blocker())
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )


def loaded_by(module: str) -> set[str]:
    result = run(f"import sys, {module}\nprint(*sys.modules)")
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


def test_every_module_can_be_imported_without_hardware_libraries() -> None:
    modules = [module_of(path) for path in source_files()]
    blocked = {"pyaudio", "gpiozero", "lgpio"}
    program = f"BLOCKED = {blocked}\n{BLOCKER}\nimport importlib\n"
    result = run(program + f"for name in {modules}: importlib.import_module(name)\nprint('all')")
    assert result.stdout.split() == ["all"], result.stderr


def test_the_blocker_of_that_test_blocks() -> None:
    result = run(f"BLOCKED = {{'pyaudio'}}\n{BLOCKER}\nimport pyaudio")
    assert "ModuleNotFoundError: pyaudio" in result.stderr


def test_the_wire_loads_no_event_loop_and_no_media() -> None:
    wire = [module_of(path) for path in source_files() if "wire" in path.parts]
    heavy = {"asyncio", "aiortc", "av", "aiohttp", "numpy", "logging", "socket", "threading"}
    # msgspec itself imports what it needs; the wire's own share is what comes on top.
    assert not (loaded_by(", ".join(wire)) - loaded_by("msgspec")) & heavy


def test_the_command_line_starts_light() -> None:
    heavy = {"asyncio", "aiortc", "av", "aiohttp", "numpy", "zeroconf", "pyaudio", "gpiozero"}
    assert not loaded_by("stagebox.__main__") & heavy
