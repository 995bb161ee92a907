"""Debian's nginx as a cache in front of a hub's HLS, as docs/guide/streams.md has it."""

import shutil
import subprocess
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Final, Self

from tests.support.crew import free_port, wait_until

_SETTINGS: Final = """
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/error.log;
worker_processes 1;
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
http {{
  log_format stored "$upstream_cache_status $uri";
  access_log {log};
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/temp;
  fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s;
  keepalive_requests 1000000;
  proxy_cache_path {folder}/cache keys_zone=stream:1m max_size=50m inactive=1m use_temp_path=off;
  upstream hub {{ server 127.0.0.1:{hub}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location ~ ^/api/v1/spaces/[^/]+/hls/ {{
      proxy_pass http://hub;
      proxy_set_header Host 127.0.0.1:{hub};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_cache stream;
      proxy_cache_lock on;
      proxy_cache_lock_timeout 10s;
      proxy_cache_lock_age 10s;
    }}
    location = /there {{ return 204; }}
  }}
}}
"""


def is_here() -> bool:
    """Tell whether this machine has one."""
    return shutil.which("nginx") is not None


class Nginx:
    """One server; use as a context. With ``logged``, ``answers`` tells how it came by them."""

    def __init__(self, folder: Path, hub_port: int, *, logged: bool = True) -> None:
        self.port = free_port()
        self._folder = folder / "nginx"
        self._folder.mkdir()
        self._log = self._folder / "access.log"
        user = "user root;" if Path("/proc/self").owner() == "root" else ""
        (self._folder / "nginx.conf").write_text(
            _SETTINGS.format(
                folder=self._folder,
                port=self.port,
                hub=hub_port,
                user=user,
                log=f"{self._log} stored" if logged else "off",
            )
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["nginx", "-p", str(self._folder), "-c", str(self._folder / "nginx.conf")],
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._there, 30, "nginx answers")
        return self

    def __exit__(self, *_why: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    @property
    def pid(self) -> int:
        """Its first process."""
        assert self._process is not None
        return self._process.pid

    def answers(self) -> Counter[str]:
        """Return how often it had an answer (HIT), or had to ask for it (MISS, EXPIRED)."""
        return Counter(line.split()[0] for line in self._log.read_text().splitlines())

    def _there(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/there", timeout=5).close()
        except urllib.error.URLError:
            return False
        return True
