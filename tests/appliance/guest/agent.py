"""Errand: do what the test asks, line by line, until it says that it is enough.

A line is JSON: ``{"run": [program, ...]}``, ``{"get": path}``, ``{"put": path, "data": base64}``
or ``{"bye": true}``; so is each answer.
"""

import base64
import json
import subprocess
import time
from pathlib import Path
from typing import Any, Final

PORT: Final = Path("/dev/virtio-ports/stagebox")


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Do one thing."""
    if "get" in asked:
        return {"data": base64.b64encode(Path(asked["get"]).read_bytes()).decode()}
    if "put" in asked:
        Path(asked["put"]).write_bytes(base64.b64decode(asked["data"]))
        return {}
    done = subprocess.run(
        asked["run"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return {"status": done.returncode, "out": done.stdout, "error": done.stderr}


def main() -> None:
    """Serve until told to stop."""
    with PORT.open("r+b", buffering=0) as line:
        buffer = b""
        while True:
            data = line.read(65_536)
            if not data:  # nobody is at the other end
                time.sleep(0.1)
            buffer += data
            while b"\n" in buffer:
                text, _, buffer = buffer.partition(b"\n")
                asked = json.loads(text)
                if "bye" in asked:
                    return
                try:
                    said = answer(asked)
                except OSError as error:
                    said = {"trouble": str(error)}
                left = json.dumps(said).encode() + b"\n"
                while left:
                    left = left[line.write(left) :]


if __name__ == "__main__":
    main()
