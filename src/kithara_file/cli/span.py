"""The part of a file that a user asks for: ``A-B``, ``A-`` or ``-N``, as in HTTP's Range (RFC 9110, 14.1.2).

Pure. Must not know: where the bytes come from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_FORM = re.compile(r"(\d{1,18})-(\d{1,18})?|-(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from `start` on up to `stop` (exclusive; None: the end), or, with `last`, that many at the end."""

    start: int = 0
    stop: int | None = None
    last: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``A-B`` (inclusive), ``A-`` or ``-N``; anything else, and a span without a byte, is a ValueError."""
        found = _FORM.fullmatch(text.strip())
        if found is None:
            msg = f"{text!r} is no range: write A-B (both included), A- or -N"
            raise ValueError(msg)
        if found[3] is not None:
            count = int(found[3])
            if count == 0:
                msg = "the last 0 bytes are no range"
                raise ValueError(msg)
            return cls(last=count)
        start, end = int(found[1]), None if found[2] is None else int(found[2])
        if end is not None and end < start:
            msg = f"the range {text} ends before it begins"
            raise ValueError(msg)
        return cls(start, None if end is None else end + 1)

    @property
    def bounded(self) -> int | None:
        """The most bytes it can have; None when it goes on to the end."""
        if self.last is not None:
            return self.last
        return None if self.stop is None else self.stop - self.start

    def within(self, length: int) -> tuple[int, int]:
        """Return start and end (exclusive) in a file of `length` bytes; an end before the start is no byte at all."""
        if self.last is not None:
            return max(0, length - self.last), length
        return self.start, length if self.stop is None else min(self.stop, length)

    def __str__(self) -> str:
        if self.last is not None:
            return f"-{self.last}"
        return f"{self.start}-{'' if self.stop is None else self.stop - 1}"
