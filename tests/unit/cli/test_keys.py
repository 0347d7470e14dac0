"""What a terminal sends for a key has that key's name."""

from __future__ import annotations

import os
import pty
import termios
from collections.abc import Iterator

import pytest

from kithara_file.cli.keys import Keys, first_key


@pytest.mark.parametrize(
    "pressed,key,left",
    [
        (b"", None, b""),
        (b"q", "q", b""),
        (b" n", " ", b"n"),
        (b"\n", "enter", b""),
        (b"\x1b[C\x1b[D", "right", b"\x1b[D"),
        (b"\x1bOAx", "up", b"x"),
        (b"\x1b[5~", "page up", b""),
        (b"\x1b[1~", "home", b""),
        (b"\x1b[24~q", None, b"q"),
        (b"\x1b[1;5Cq", None, b"q"),
        (b"\x1b", None, b""),
        ("é".encode(), "\N{REPLACEMENT CHARACTER}", "é".encode()[1:]),
    ],
)
def test_keys_are_told_one_by_one(pressed: bytes, key: str | None, left: bytes) -> None:
    assert first_key(pressed) == (key, left)


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """Give a terminal: our end, and that of a program."""
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def test_where_there_is_no_terminal_no_key_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with Keys() as keys:
        assert not keys.listening


def test_keys_come_without_enter_and_the_modes_are_put_back(
    ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = ends
    before = termios.tcgetattr(theirs)
    monkeypatch.setattr("os.tcgetpgrp", lambda _: os.getpgrp())  # it is no terminal of this session
    with os.fdopen(os.dup(theirs)) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with Keys() as keys:
            assert keys.listening
            os.write(ours, b"n\x1b[A")
            assert [keys.take(30.0), keys.take(30.0), keys.take(0.0)] == ["n", "up", None]
        assert [keys.listening] == [False]
    assert termios.tcgetattr(theirs) == before
