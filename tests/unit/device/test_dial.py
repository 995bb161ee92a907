"""What a failed connect means, in words that help."""

import errno
import ssl
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from device.link.dial import why

KEY = Mock(spec=ConnectionKey, host="h", port=1, ssl=True)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "unknown")), "this name is not known"),
        (TimeoutError(), "no answer in time"),
        (aiohttp.ConnectionTimeoutError(), "no answer in time"),
        (aiohttp.WSServerHandshakeError(Mock(), (), status=503), "no hub (HTTP 503)"),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError()), "cannot be trusted"),
        (aiohttp.ClientConnectorError(KEY, OSError(errno.ECONNREFUSED, "")), "no hub runs on it"),
        (OSError(errno.ENETUNREACH, ""), "no network"),
        (OSError(errno.EHOSTUNREACH, ""), "no machine answers"),
        (OSError(errno.ECONNRESET, ""), "was cut"),
        (OSError(errno.EPERM, ""), "no connection (PermissionError)"),
        (OSError(12345, ""), "no connection (OSError)"),
        (aiohttp.ServerDisconnectedError(), "no connection (ServerDisconnectedError)"),
    ],
)
def test_why(error: Exception, said: str) -> None:
    assert said in why(error)
