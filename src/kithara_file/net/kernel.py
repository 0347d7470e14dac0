"""What the kernel knows of a connection, and how much of what comes it is to keep for us.

It keeps the more the faster a connection is read, mebibytes after the first one, and all that has crossed the line for
nothing when nobody wants it. Most who open a file look at its head and go elsewhere.

Must not know: what is fetched, libcurl. A kernel that cannot do something is no error.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

NARROW_BYTES = 256 * 1024
"""What a narrow connection may hold; the kernel doubles it, for what it needs itself."""
NEAR_SECONDS = 0.025
"""A round trip that takes longer needs more room than a narrow connection has, for 10 MB/s."""

_poll = getattr(select, "poll", None)
_TCP_INFO = getattr(socket, "TCP_INFO", None)
_ROUND_TRIP = struct.Struct("68x I")  # tcpi_rtt, in microseconds
_SO_BUF_LOCK = 72  # since Linux 5.14; the socket module has no name for it


def round_trip(fd: int) -> float:
    """Return how many seconds it takes there and back; infinity where the kernel does not tell."""
    if _TCP_INFO is None:
        return inf
    try:
        with _borrowed(fd) as connection:
            told = connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _ROUND_TRIP.size)
        (microseconds,) = _ROUND_TRIP.unpack(told)
    except (OSError, ValueError, struct.error):
        return inf
    return float(microseconds) / 1e6


def narrow(fd: int) -> bool:
    """Have little kept of what comes, until `widen`; return False where that is not done.

    That is where it could not be taken back (before Linux 5.14), and on a far connection: see `NEAR_SECONDS`.
    """
    if sys.platform != "linux" or round_trip(fd) > NEAR_SECONDS:
        return False
    try:
        with _borrowed(fd) as connection:
            connection.setsockopt(socket.SOL_SOCKET, _SO_BUF_LOCK, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW_BYTES)
    except (OSError, ValueError):
        return False
    return True


def widen(fd: int) -> None:
    """Let the kernel choose again how much is kept of what comes (`tcp_moderate_rcvbuf` in tcp(7))."""
    try:
        with _borrowed(fd) as connection:
            connection.setsockopt(socket.SOL_SOCKET, _SO_BUF_LOCK, 0)
    except (OSError, ValueError):
        return  # it is gone, and whoever reads from it will hear of that


def readable(fd: int) -> bool:
    """Tell whether there is something to read, or its end; False where that cannot be asked."""
    if _poll is None:
        return False
    poll = _poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def _borrowed(fd: int) -> Iterator[socket.socket]:
    """Yield a socket of somebody else's descriptor, which stays his."""
    connection = socket.socket(fileno=fd)
    try:
        yield connection
    finally:
        connection.detach()
