"""A glance at a file tells what is in it, and reads little of it."""

from __future__ import annotations

import io

import pytest

from kithara_file.audio import probe
from kithara_file.errors import UnsupportedMedia
from tests.world.music import RecordingFile, song


@pytest.mark.parametrize(
    "name,codec",
    [("mp3 cbr", "mp3"), ("mp3 vbr", "mp3"), ("m4a moov last", "aac"), ("flac", "flac"), ("ogg opus", "opus")],
)
def test_a_glance_tells_what_it_is_and_reads_little(name: str, codec: str) -> None:
    one = song(name, 10.0)
    file = RecordingFile(one.data)
    told = probe(file)
    assert told.codec == codec
    assert told.duration == pytest.approx(10.0, abs=0.1)
    assert file.bytes_read < 300_000
    assert not file.closed


def test_what_is_no_sound_is_said_to_be_none() -> None:
    with pytest.raises(UnsupportedMedia):
        probe(io.BytesIO(b"words " * 1000))
