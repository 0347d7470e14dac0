"""Whether an Ogg is a chain: several files one behind the other, each of which counts its frames from zero.

Source: RFC 3533. Must not know: codecs, what plays it.
"""

from __future__ import annotations

from kithara_file.audio.door import Door

_PAGE = b"OggS"
_HEAD = 27
_BEGINS = 2
LONGEST_PAGE = 65_307
MOST_STREAMS = 64
"""At the front; more are nobody's sound."""


def is_chain(door: Door) -> bool:
    """Return whether the last page belongs to none of the streams that begin at the front; leaves the file in place.

    What can only be read onward may be one, and is taken for one.
    """
    place, length = door.tell(), door.length()
    try:
        return length is None or _last_serial(door, length) not in {None, *_first_serials(door)}
    finally:
        door.seek(place)


def _first_serials(door: Door) -> list[bytes]:
    """Return the streams whose first pages stand before all others."""
    serials: list[bytes] = []
    at = 0
    while len(serials) < MOST_STREAMS:
        page = door.read_at(at, _HEAD + 255)
        if page[:4] != _PAGE or len(page) < _HEAD or not page[5] & _BEGINS:
            break
        serials.append(page[14:18])
        segments = page[26]
        at += _HEAD + segments + sum(page[_HEAD : _HEAD + segments])
    return serials


def _last_serial(door: Door, length: int) -> bytes | None:
    start = max(0, length - LONGEST_PAGE)
    tail = door.read_at(start, length - start)
    at = tail.rfind(_PAGE, 0, len(tail) - _HEAD + 4)  # of a whole head
    return None if at < 0 else tail[at + 14 : at + 18]
