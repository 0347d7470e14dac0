"""What is fuzzed: doors at which bytes of strangers come in, each a function that must never do but what it may.

A target takes a `Draw`, by which hypothesis or atheris chooses, and raises AssertionError, or whatever the code under
it raises that it must not. Must not know: who chooses.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import UUID

from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.meta import ResourceMeta, read_meta
from kithara_file.errors import CorruptResource, InvalidKey, NetError
from kithara_file.net.client import WHOLE, Want
from kithara_file.net.remote import Freshness, Remote, Validator
from kithara_file.net.reply import LARGEST, Accepted, Asked, Head, judge
from kithara_file.ranges import ByteRange, OpenRange
from kithara_file.storage import StreamingResource, record
from kithara_file.storage.record import Record

T = TypeVar("T")
DATA = bytes(range(256)) * 64


class Draw(Protocol):
    """Whoever chooses."""

    def number(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, both included."""

    def data(self, longest: int) -> bytes:
        """Return some bytes."""

    def text(self, longest: int) -> str:
        """Return some text."""


def one_of(draw: Draw, choices: Sequence[T]) -> T:
    """Return one of `choices`."""
    return choices[draw.number(0, len(choices) - 1)]


# -- answers ---------------------------------------------------------------------------------------------------------

NAMES = (
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "Content-Encoding",
    "Accept-Ranges",
    "Transfer-Encoding",
    "ETag",
    "Last-Modified",
    "Date",
    "Age",
    "Expires",
    "Cache-Control",
    "Vary",
    "Retry-After",
    "Repr-Digest",
    "Content-MD5",
    "Content-Disposition",
)
VALUES = (
    "0", "1", "10", "-1", "+5", "1, 1", "1, 2", "99999999999999999999999", "9223372036854775807", "0x10", "1e3", "",
    "bytes", "none", "bytes 0-9/10", "bytes 5-9/10", "bytes 5-9/*", "bytes 9-5/10", "bytes 5-10/10", "bytes */10",
    "bytes */*", "bytes 0-99999999999999999999/99999999999999999999", "items 0-1/2", "bytes=0-1", "garbage",
    "gzip", "br, gzip", "identity", "chunked", "multipart/byteranges; boundary=x", "audio/mpeg", "text/html",
    '"v1"', 'W/"v1"', '"', "v1", '"v2"', "*", "Sun, 06 Nov 1994 08:49:37 GMT", "Thu, 01 Jan 0000 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT", "max-age=60", "max-age=-1", "max-age=99999999999999999999", "no-store",
    "no-cache, max-age=5", 'max-age="6', "stale-while-revalidate=1e9", "Origin", "sha-256=:AAAA:", "sha-256=:=:",
)  # fmt: skip
STATUSES = (
    100,
    103,
    200,
    201,
    203,
    204,
    206,
    207,
    226,
    300,
    302,
    304,
    400,
    401,
    403,
    404,
    408,
    410,
    416,
    418,
    425,
    429,
)
WANTS: tuple[Want, ...] = (WHOLE, ByteRange(5, 10), ByteRange(0, 1), OpenRange(0), OpenRange(5))
HELD = (None, Validator('"v1"'), Validator('W/"v1"'), Validator(None, "Sun, 06 Nov 1994 08:49:37 GMT"))


def answers(draw: Draw) -> None:
    """An answer is a typed error, or facts that do not contradict what was asked."""
    status = one_of(draw, STATUSES) if draw.number(0, 9) else draw.number(-1, 1000)
    lines = tuple(
        (one_of(draw, NAMES), one_of(draw, VALUES) if draw.number(0, 3) else draw.text(40))
        for _ in range(draw.number(0, 6))
    )
    asked = Asked("http://host/path?secret", one_of(draw, WANTS), one_of(draw, HELD))
    try:
        answer = judge(Head(status, lines, 1e9), asked, frozenset({"gzip"}))
    except NetError:
        return
    length = answer.remote.length
    assert length is None or 0 <= length <= LARGEST
    if isinstance(answer, Accepted):
        assert answer.start >= 0
        assert answer.end is None or answer.start <= answer.end
        assert length is None or answer.end is None or answer.end <= length
        assert asked.want is not WHOLE or answer.start == 0
    Remote.from_json(answer.remote.to_json())


# -- what lies in the store ------------------------------------------------------------------------------------------


def journals(draw: Draw) -> None:
    """A journal that was bent vouches for no byte that is not right once it is verified, and opening it is safe."""
    salted = record.salt("v1")
    records = [record.header(UUID(int=1), 0)]
    spans = [(draw.number(0, 9000), draw.number(1, 4000)) for _ in range(draw.number(0, 5))]
    for start, size in spans:
        kind = one_of(draw, (record.LANDED, record.LANDED, record.LOST, record.UNHASHED, record.LEFT, 7))
        records.append(Record(kind, start, start + size, draw.number(0, 2**64 - 1)))
    content = bytearray(b"".join(record.encode(each, salted) for each in records))
    for _ in range(draw.number(0, 3)):
        at = draw.number(0, len(content))
        content[at : at + draw.number(0, 50)] = draw.data(60)
    found, used = record.decode(bytes(content), salted)
    assert used <= len(content)
    record.replay(found)
    with tempfile.TemporaryDirectory() as folder:
        data, journal = Path(folder, "data"), Path(folder, "journal")
        data.write_bytes(DATA)
        journal.write_bytes(content)
        try:
            resource = StreamingResource.reopen(data, journal, "v1", length=len(DATA), committed=False)
        except CorruptResource:
            return
        buffer = bytearray(len(DATA))
        for each in resource.snapshot():
            assert each.end <= len(DATA)
            view = memoryview(buffer)[each.start : each.end]
            assert resource.read_at(each.start, view) == len(each)
            assert view == DATA[each.start : each.end]
        resource.close()


META = ResourceMeta(
    remote=Remote(length=5, validator=Validator('"x"'), freshness=Freshness(lifetime=60.0)),
    url="https://example.org/a",
    length=5,
    committed=True,
).to_bytes()


def metas(draw: Draw) -> None:
    """A meta file says what was written into it, or nothing at all."""
    content = bytearray(META if draw.number(0, 4) else draw.data(200))
    for _ in range(draw.number(0, 3)):
        at = draw.number(0, len(content))
        content[at : at + draw.number(0, 20)] = draw.data(30)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "a.json")
        place.write_bytes(content)
        found = read_meta(place)
    assert found is None or found == ResourceMeta.from_bytes(META)


# -- names -----------------------------------------------------------------------------------------------------------

PARTS: tuple[str, ...] = (
    "http://",
    "https://",
    "HTTP:",
    "//",
    "/",
    "..",
    "%2e%2e",
    "%",
    "a",
    "host",
    ":80",
    ":0",
    "@",
    "user:pw@",
    "?",
    "#",
)
PARTS += ("[::1]", "é", "\0", "\n", "\\", " ", "xn--", ".", "1.2.3.4", "~", ";", "&", "=", "%00", "%C3%A9", "\ud800")


def keys(draw: Draw) -> None:
    """A URL is refused by a typed error, or becomes names that cannot leave the store, nor carry a password."""
    url = "".join(one_of(draw, PARTS) if draw.number(0, 5) else draw.text(5) for _ in range(draw.number(0, 12)))
    name = draw.text(9) if draw.number(0, 3) == 0 else None
    cache_key = draw.text(9) if draw.number(0, 3) == 0 else None
    try:
        key = ResourceKey.of(url, name=name, cache_key=cache_key)
    except InvalidKey:
        return
    for each in (key.asset_id, key.resource_hash):
        assert len(each) == 32
        assert set(each) <= set("0123456789abcdef")
    assert "@" not in key.url.split("/")[2]  # in a path it is a letter like any other
    assert "?" not in key.url
    assert key == ResourceKey.of(url, name=name, cache_key=cache_key)


TARGETS: tuple[Callable[[Draw], None], ...] = (answers, journals, metas, keys)
