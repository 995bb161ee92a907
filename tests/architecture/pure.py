"""The one list of pure modules, from pyproject.toml, and where they are.

Run as a program it prints their paths, joined by commas, for the coverage gate.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("stagebox", "device", "hub", "provisioning")


def settings(root: Path = ROOT) -> dict[str, Any]:
    """Return the table [tool.stagebox] of pyproject.toml."""
    with (root / "pyproject.toml").open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)["tool"]["stagebox"]
    return table


def pure_modules(root: Path = ROOT) -> list[str]:
    """Return the names of the modules that only decide."""
    names: list[str] = settings(root)["pure"]
    return names


def path_of(module: str, root: Path = ROOT) -> Path:
    """Return the file of a module, or of what a package itself holds."""
    path = root / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def source_files(root: Path = ROOT) -> list[Path]:
    """Return every Python file of the packages; the firmware is not Python's."""
    found = (path for package in PACKAGES for path in (root / package).rglob("*.py"))
    return sorted(path for path in found if "pico" not in path.parts)


def module_of(path: Path, root: Path = ROOT) -> str:
    """Return the name under which a file is imported."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def main() -> int:
    missing = [name for name in pure_modules() if not path_of(name).is_file()]
    if missing:
        print("pure modules that do not exist:", ", ".join(missing), file=sys.stderr)
        return 1
    print(",".join(str(path_of(name).relative_to(ROOT)) for name in pure_modules()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
