"""What a file says of its sound, without any of it being decoded.

Must not know: players, sinks.
"""

from __future__ import annotations

from kithara_file.audio.door import BinaryFile, Door
from kithara_file.audio.media import MediaInfo
from kithara_file.audio.opening import open_media


def probe(file: BinaryFile) -> MediaInfo:
    """Return codec, container, duration, tags and cover of `file`; reads its head, and what of its tail is needed.

    Leaves it open. Raises `UnsupportedMedia` when it holds no sound that is understood, and the file's own errors.
    """
    opened = open_media(Door(file))
    opened.source.close()
    return opened.info
