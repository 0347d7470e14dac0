"""The room that the kernel keeps for a connection."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator

import pytest

from kithara_file.net.window import NARROW_BYTES, narrow, widen

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not take a size back")
LOCK = 72
LOCKED = 2


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    """Yield one end of a connection."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as made,
        server.accept()[0],
    ):
        yield made


def room(connection: socket.socket) -> int:
    """Return the size of its receive buffer."""
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def test_a_narrow_connection_has_a_fixed_and_small_room(connection: socket.socket) -> None:
    assert narrow(connection.fileno())
    assert room(connection) <= 2 * NARROW_BYTES
    assert connection.getsockopt(socket.SOL_SOCKET, LOCK) & LOCKED


def test_a_wide_one_is_the_kernel_s_again(connection: socket.socket) -> None:
    narrow(connection.fileno())
    widen(connection.fileno())
    assert not connection.getsockopt(socket.SOL_SOCKET, LOCK) & LOCKED


def test_the_descriptor_stays_with_its_owner(connection: socket.socket) -> None:
    narrow(connection.fileno())
    widen(connection.fileno())
    assert os.fstat(connection.fileno())


def test_what_is_no_connection_is_left_alone() -> None:
    assert not narrow(-1)
    read, write = os.pipe()
    try:
        assert not narrow(read)
        widen(read)
        assert os.fstat(read)
    finally:
        os.close(read)
        os.close(write)
