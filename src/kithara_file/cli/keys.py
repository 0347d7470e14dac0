"""Keys pressed on a terminal, one by one and without Enter.

Must not know: what a key does.
"""

from __future__ import annotations

import os
import re
import select
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Any, Self

with suppress(ModuleNotFoundError):  # where there are none, `os.tcgetpgrp` is missing too, and no key is waited for
    import termios
    import tty

_SEQUENCE = re.compile(rb"\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])")
_NAMES = {
    b"A": "up",
    b"B": "down",
    b"C": "right",
    b"D": "left",
    b"H": "home",
    b"1~": "home",
    b"7~": "home",
    b"5~": "page up",
    b"6~": "page down",
}
"""The ends of what terminals send for keys that are no letters (ECMA-48, xterm)."""


class Keys:
    """The keys of standard input while a block runs, if it is a terminal of ours."""

    def __init__(self) -> None:
        self.listening = False
        """True while keys can come."""
        self._pending = b""
        self._descriptor = -1
        self._modes: list[Any] = []
        self._on_continue: Any = None

    def __enter__(self) -> Self:
        try:
            self._descriptor = sys.stdin.fileno()
            # In the background of a shell, the terminal is somebody else's; to change its modes would stop us.
            self.listening = os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except (OSError, ValueError, AttributeError):  # no terminal, closed, or none at all
            return self
        if self.listening:
            self._modes = termios.tcgetattr(self._descriptor)
            tty.setcbreak(self._descriptor)
            self._on_continue = signal.signal(signal.SIGCONT, self._again)
        return self

    def _again(self, _number: int, _frame: FrameType | None) -> None:
        """Come back from Ctrl-Z: the shell has put its own modes in the place of ours."""
        if os.tcgetpgrp(self._descriptor) == os.getpgrp():
            tty.setcbreak(self._descriptor)

    def __exit__(self, *_: object) -> None:
        if self._modes:
            signal.signal(signal.SIGCONT, self._on_continue)
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._modes)
        self.listening, self._modes = False, []

    def take(self, seconds: float) -> str | None:
        """Return the next key, by its name or letter; None when none came in so many seconds."""
        if not self._pending and select.select([self._descriptor], [], [], seconds)[0]:
            self._pending = os.read(self._descriptor, 256)
            self.listening = bool(self._pending)  # nothing: the terminal was closed
        key, self._pending = first_key(self._pending)
        return key


def first_key(pressed: bytes) -> tuple[str | None, bytes]:
    """Return the first key of what a terminal sent, None for one without a name, and what follows it."""
    if not pressed:
        return None, b""
    sequence = _SEQUENCE.match(pressed)
    if sequence is None:
        first = pressed[:1].decode("ascii", "replace")
        return first if first.isprintable() else "enter" if first in "\r\n" else None, pressed[1:]
    return _NAMES.get(sequence[0][2:]), pressed[sequence.end() :]
