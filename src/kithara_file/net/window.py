"""How much may be on its way to a connection that may soon be left unread.

The kernel lets the more come the faster it is read, mebibytes after the first one, and all that has crossed the line
for nothing when nobody wants it. Most who open a file look at its head and go elsewhere, so the room of a body that
has no end in sight is kept small until it has shown that it is wanted.

Must not know: what is fetched, libcurl.
"""

from __future__ import annotations

import socket
import sys

NARROW_BYTES = 256 * 1024
"""The kernel doubles it, and gives half of that away as the window."""
_SO_BUF_LOCK = 72  # of Linux 5.14 and later; the socket module has no name for it


def narrow(fd: int) -> bool:
    """Keep the receive buffer of the connection `fd` small; return False where it could not be let go again."""
    return sys.platform == "linux" and _set(fd, (_SO_BUF_LOCK, 0), (socket.SO_RCVBUF, NARROW_BYTES))


def widen(fd: int) -> None:
    """Let the kernel choose again (tcp(7), `tcp_moderate_rcvbuf`)."""
    _set(fd, (_SO_BUF_LOCK, 0))


def _set(fd: int, *options: tuple[int, int]) -> bool:
    try:
        connection = socket.socket(fileno=fd)
    except (OSError, ValueError):  # it is gone, and whoever reads from it will hear of that
        return False
    try:
        for option, value in options:
            connection.setsockopt(socket.SOL_SOCKET, option, value)
    except OSError:  # a kernel that cannot
        return False
    finally:
        connection.detach()  # it is libcurl's
    return True
