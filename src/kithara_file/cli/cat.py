"""`kithara cat`: a file, or a part of one, to a pipe.

Must not know: how bytes come. What nobody reads is not fetched: the look-ahead is never larger than what was asked for.
"""

from __future__ import annotations

from typing import BinaryIO

from kithara_file.cli.options import MIB, Source
from kithara_file.cli.span import Span
from kithara_file.errors import RangeNotSatisfiable
from kithara_file.session.file import File
from kithara_file.stream.stream import Stream

_BUFFER = 256 * 1024
_STEADY = 16 * MIB
_AT_THE_EDGE = 256 * 1024
"""How far to look ahead in a range that ends before the file does; the download may overshoot by as much."""


def look_ahead(span: Span) -> int:
    """Return how many bytes ahead of the reader are worth fetching."""
    if span.bounded is None:
        return _STEADY
    limit = _STEADY if span.last is not None else _AT_THE_EDGE
    return min(limit, span.bounded)


def cat(url: str, span: Span, source: Source, out: BinaryIO) -> None:
    """Write the bytes of `span` to `out` as they come, each part as soon as it is there.

    Raises the typed errors, `RangeNotSatisfiable` when the file has no byte of `span`, and `BrokenPipeError` when
    nobody reads any more; the download has ended then.
    """
    with Stream.open(File, source.config(url, look_ahead_bytes=look_ahead(span))) as stream:
        left = _go_to(stream, span)
        with memoryview(bytearray(_BUFFER)) as view:
            while left is None or left > 0:
                part = view if left is None else view[: min(left, _BUFFER)]
                count = stream.readinto(part)
                if not count:
                    _check(span, stream)  # how long the body is may be known only now
                    break
                out.write(part[:count])
                out.flush()
                left = None if left is None else left - count


def _go_to(stream: Stream, span: Span) -> int | None:
    """Move to the first byte of `span`; return how many bytes to read, None: all there are."""
    if span == Span():
        return None
    start = span.start
    if span.last is not None:
        start = max(0, stream.seek(0, 2) - span.last)
    stream.seek(start)
    _check(span, stream)
    length = stream.length
    if length is None:
        return None if span.stop is None else span.stop - start
    return span.within(length)[1] - start


def _check(span: Span, stream: Stream) -> None:
    length = stream.length
    if length is None or span == Span():
        return
    start, end = span.within(length)
    if start >= end:
        raise RangeNotSatisfiable(url=stream.name, length=length, wanted=str(span))
