"""What is in a file, and what is not sound."""

from __future__ import annotations

import io
import os
import signal
import struct
import threading
import zlib
from typing import Any

import av
import mutagen.flac
import mutagen.id3
import mutagen.mp4
import pytest

from kithara_file.audio.container import ContainerPackets
from kithara_file.audio.decoder import Decoder
from kithara_file.audio.door import Door
from kithara_file.audio.flac_packets import FlacPackets
from kithara_file.audio.mp3_packets import Mp3Packets
from kithara_file.audio.opening import open_media
from kithara_file.errors import UnsupportedMedia
from tests.world.music import RECIPES, encode, music, song

# Untyped, all of it.
id3: Any = mutagen.id3
flac: Any = mutagen.flac
mp4: Any = mutagen.mp4


def png() -> bytes:
    """Return a picture of eight by eight."""
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(25 * 8))),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def video() -> bytes:
    """Return a film without sound."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    return out.getvalue()


NOT_SOUND = {
    "empty": (b"", "empty"),
    "one byte": (b"x", "not a media file"),
    "text": (b"hello, this is a text file\n" * 300, "not a media file"),
    "zeros": (bytes(100_000), "not a media file"),
    "a web page": (b"<!DOCTYPE html><html><body>log in</body></html>" * 40, "not a media file"),
    "a picture": (png(), "only video"),
    "half an m4a, whose table was behind": (song("m4a moov last").data[:40_000], "not a media file"),
}


@pytest.mark.parametrize("name", NOT_SOUND)
def test_what_is_no_sound_is_refused_in_one_sentence(name: str) -> None:
    data, why = NOT_SOUND[name]
    with pytest.raises(UnsupportedMedia, match=why) as caught:
        open_media(Door(io.BytesIO(data)))
    assert "\n" not in str(caught.value)


def test_a_film_without_sound_is_refused() -> None:
    with pytest.raises(UnsupportedMedia, match="no sound in this file, only video"):
        open_media(Door(io.BytesIO(video())))


def test_an_error_of_the_file_is_not_taken_for_a_bad_format() -> None:
    class Broken(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            raise ConnectionError("the line is cut")

    with pytest.raises(ConnectionError, match="the line is cut"):
        open_media(Door(Broken(song("wav").data)))


@pytest.mark.parametrize(
    "name, kind",
    [("mp3 cbr", Mp3Packets), ("flac", FlacPackets), ("alac", ContainerPackets), ("wav", ContainerPackets)],
)
def test_each_format_is_read_by_who_reads_it_best(name: str, kind: type) -> None:
    opened = open_media(Door(io.BytesIO(song(name).data)))
    assert isinstance(opened.source, kind)
    opened.source.close()


def add_cover_to_mp3(file: io.BytesIO) -> None:
    tags = id3.ID3(file)
    tags.add(id3.APIC(mime="image/png", type=3, data=png()))
    file.seek(0)
    tags.save(file)


def add_cover_to_flac(file: io.BytesIO) -> None:
    tags = flac.FLAC(file)
    picture = flac.Picture()
    picture.type, picture.mime, picture.data = 3, "image/png", png()
    tags.add_picture(picture)
    file.seek(0)
    tags.save(file)


def add_cover_to_m4a(file: io.BytesIO) -> None:
    tags = mp4.MP4(file)
    tags["covr"] = [mp4.MP4Cover(png(), mp4.MP4Cover.FORMAT_PNG)]
    file.seek(0)
    tags.save(file)


COVERED = {"mp3 cbr": add_cover_to_mp3, "flac": add_cover_to_flac, "m4a moov last": add_cover_to_m4a}


@pytest.mark.parametrize("name", COVERED)
def test_tags_and_cover_come_along(name: str) -> None:
    sound = music(0.5)
    file = io.BytesIO(encode(sound, RECIPES[name], tags={"title": "Étude", "artist": "Nobody"}))
    COVERED[name](file)
    file.seek(0)
    opened = open_media(Door(file))
    info = opened.info
    assert (info.tags["title"], info.tags["artist"]) == ("Étude", "Nobody")
    assert info.cover is not None
    assert (info.cover.media_type, info.cover.data) == ("image/png", png())
    assert info.duration == pytest.approx(0.5, abs=0.001)
    source = Decoder(opened.source, info.spec)
    frames = 0
    while (block := source.next()) is not None:
        frames += len(block.samples)
    assert frames == len(sound)
    source.close()


class Interrupted(io.BytesIO):
    """Meets Ctrl-C in the first of its reads, which goes on until it is let."""

    let = threading.Event()

    def read1(self, size: int | None = -1, /) -> bytes:
        os.kill(os.getpid(), signal.SIGINT)
        assert self.let.wait(30)
        return super().read1(-1 if size is None else size)


def test_ctrl_c_is_heard_in_the_midst_of_an_opening() -> None:
    file, before = Interrupted(song("wav").data), signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            open_media(Door(file))
    finally:
        signal.signal(signal.SIGINT, before)
        file.let.set()


def test_where_there_is_no_room_for_a_thread_it_is_opened_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    opened = open_media(Door(io.BytesIO(song("wav").data)))
    opened.source.close()
    assert opened.info.container == "wav"
