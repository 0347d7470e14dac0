"""What the kernel tells of a connection, and the room that it keeps for one."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from math import inf

import pytest

from kithara_file.net import kernel
from kithara_file.net.kernel import NARROW_BYTES, narrow, readable, round_trip, widen

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not take a size back")
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


@on_linux
def test_a_narrow_connection_has_a_fixed_and_small_room(connection: socket.socket) -> None:
    assert narrow(connection.fileno())
    assert room(connection) <= 2 * NARROW_BYTES
    assert connection.getsockopt(socket.SOL_SOCKET, LOCK) & LOCKED


@on_linux
def test_a_wide_one_is_the_kernel_s_again(connection: socket.socket) -> None:
    narrow(connection.fileno())
    widen(connection.fileno())
    assert not connection.getsockopt(socket.SOL_SOCKET, LOCK) & LOCKED


@pytest.mark.skipif(kernel._TCP_INFO is None, reason="the kernel does not tell of round trips here")
def test_loopback_is_near(connection: socket.socket) -> None:
    assert 0.0 <= round_trip(connection.fileno()) < 1.0


def test_what_waits_to_be_read_can_be_asked(connection: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not readable(connection.fileno())
    connection.shutdown(socket.SHUT_RD)
    assert readable(connection.fileno())
    monkeypatch.setattr(kernel, "_poll", None)  # Windows
    assert not readable(connection.fileno())


@pytest.mark.parametrize("option", [None, 250], ids=["not known", "refused"])
def test_a_round_trip_that_is_not_told_is_endless(
    connection: socket.socket, monkeypatch: pytest.MonkeyPatch, option: int | None
) -> None:
    monkeypatch.setattr(kernel, "_TCP_INFO", option)
    assert round_trip(connection.fileno()) == inf


def test_a_far_connection_needs_its_room(connection: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "NEAR_SECONDS", -1.0)
    before = room(connection)
    assert not narrow(connection.fileno())
    assert room(connection) == before


def test_the_descriptor_stays_with_its_owner(connection: socket.socket) -> None:
    narrow(connection.fileno())
    widen(connection.fileno())
    assert os.fstat(connection.fileno())


def test_what_is_no_connection_is_left_alone() -> None:
    assert not narrow(-1)
    widen(-1)
    assert round_trip(-1) == inf
    read, write = os.pipe()
    try:
        assert not narrow(read)
        assert round_trip(read) == inf
        widen(read)
        assert os.fstat(read)
    finally:
        os.close(read)
        os.close(write)
