"""What is in this file: open it, choose its sound, and read what it says of itself.

Must not know: conversions, listeners.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
from av.stream import Disposition

from kithara_file.audio.container import ContainerPackets
from kithara_file.audio.door import Door, QuietDoor
from kithara_file.audio.flac_packets import FlacPackets, read_flac
from kithara_file.audio.media import Cover, MediaInfo, Spec
from kithara_file.audio.mp3 import ID3_HEAD, id3_size
from kithara_file.audio.mp3_packets import Mp3Packets, read_mp3
from kithara_file.audio.packets import PacketSource
from kithara_file.errors import UnsupportedMedia

IO_BYTES = 16 * 1024
"""What FFmpeg asks of the file at once, at most."""
PROBE_BYTES = 64 * 1024
"""How much FFmpeg may read to find out what the streams are; its own five megabytes would be a long silence."""

MOST_BITS = 2**31
"""A bit rate beyond it is a -1 of somebody who did not know."""

_PICTURES = {"png": "image/png", "mjpeg": "image/jpeg", "gif": "image/gif", "bmp": "image/bmp", "webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A track that is ready to be decoded."""

    source: PacketSource
    info: MediaInfo


def open_media(door: Door) -> Opened:
    """Open the sound in a file.

    Raises `UnsupportedMedia` when there is none that can be decoded, and as it is what the file raises. An exception of
    a signal handler shuts the door.
    """
    if threading.current_thread() is not threading.main_thread():
        return _open(door)
    # FFmpeg calls the file from C, where the `KeyboardInterrupt` of a main thread may be raised and can only be lost.
    outcome: list[Opened | BaseException] = []
    thread = threading.Thread(target=_carry_out, args=(door, outcome), name="kithara-audio-open", daemon=True)
    try:
        thread.start()
        thread.join()
    except BaseException as error:
        if isinstance(error, RuntimeError) and thread.ident is None:  # no room for another thread
            return _open(door)
        door.shut()
        raise
    opened = outcome.pop()
    if isinstance(opened, BaseException):
        try:
            raise opened
        finally:
            del opened
    return opened


def _carry_out(door: Door, outcome: list[Opened | BaseException]) -> None:
    try:
        outcome.append(_open(door))
    except BaseException as error:  # noqa: BLE001 - raised by who waits
        outcome.append(error)


def _open(door: Door) -> Opened:
    container = _open_container(door)
    try:
        return _choose(door, container)
    except BaseException:
        container.close()
        raise


def _open_container(door: Door) -> Any:
    try:
        kind = _behind_tags(door)
        door.seek(0)
        container = av.open(
            QuietDoor(door),
            "r",
            format=kind,
            buffer_size=IO_BYTES,
            metadata_errors="replace",
            options={"probesize": str(PROBE_BYTES)},
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        door.raise_error()
        what = "This is not a media file that is known here" if door.read_at(0, 1) else "The file is empty"
        raise UnsupportedMedia(what) from error
    if door.error is not None:
        container.close()
    door.raise_error()
    return container


def _behind_tags(door: Door) -> str | None:
    """Return what stands behind an ID3 tag, which FFmpeg takes for a sign of MP3 when it is long; None: let it look."""
    at = id3_size(door.read_at(0, ID3_HEAD))
    head = door.read_at(at, 4) if at else b""
    if head == b"fLaC":
        return "flac"
    return "aac" if len(head) == 4 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0 else None


def _choose(door: Door, container: Any) -> Opened:
    if not container.streams.audio:
        kinds = sorted({stream.type for stream in container.streams})
        raise UnsupportedMedia(f"There is no sound in this file, only {' and '.join(kinds) or 'nothing'}")
    stream = container.streams.audio[0]
    codec = stream.codec_context
    if codec is None:
        raise UnsupportedMedia("The sound in this file is in a codec that is not known here")
    if not codec.sample_rate or not codec.channels:
        raise UnsupportedMedia(f"The sound in this file, {codec.name}, does not say its rate and channels")
    spec = Spec(codec.sample_rate, codec.channels)
    cover, container_name = _cover(container), container.format.name
    bit_rate = next((rate for rate in (codec.bit_rate, container.bit_rate) if rate and 0 < rate < MOST_BITS), None)
    door.raise_error()
    source = _source(door, container)
    duration = None if source.total is None else spec.seconds(source.total)
    info = MediaInfo(
        codec=_plain(codec.name),
        container=container_name,
        spec=spec,
        bit_rate=bit_rate,
        duration=duration,
        tags=dict(_tags(container, stream)),
        cover=cover,
    )
    return Opened(source, info)


def _plain(name: str) -> str:
    """Return the codec and not who decodes it."""
    return name.removeprefix("lib").removesuffix("float")


def _source(door: Door, container: Any) -> PacketSource:
    """Return the packets: by a reader of our own where FFmpeg's would read too much for a seek."""
    reader = _READERS.get((container.format.name, _plain(container.streams.audio[0].codec_context.name)))
    source = None if reader is None else reader(door)
    if source is not None:
        container.close()
        return source
    if reader is not None:
        container.close()
        container = _open_container(door)
    return ContainerPackets(door, container, lambda: _open_container(door))


def _mp3(door: Door) -> PacketSource | None:
    known = read_mp3(door)
    return None if known is None else Mp3Packets(door, known)


def _flac(door: Door) -> PacketSource | None:
    heads = read_flac(door)
    return None if heads is None else FlacPackets(door, heads)


_READERS = {("mp3", "mp3"): _mp3, ("flac", "flac"): _flac}


def _tags(container: Any, stream: Any) -> Iterator[tuple[str, str]]:
    # Ogg keeps them with the stream, all others with the container; names of the muxer's own are no tags.
    for source in (stream.metadata, container.metadata):
        for key, value in source.items():
            if key.lower() not in _NOT_TAGS:
                yield key.lower(), value


_NOT_TAGS = frozenset({"major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id", "itunsmpb"})


def _cover(container: Any) -> Cover | None:
    pictures = [stream for stream in container.streams.video if _is_picture(stream)]
    if not pictures:
        return None
    packet = next(iter(container.demux(pictures[0])), None)
    if packet is None or not packet.size:
        return None
    return Cover(_PICTURES.get(pictures[0].codec_context.name, "application/octet-stream"), bytes(packet))


def _is_picture(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)
