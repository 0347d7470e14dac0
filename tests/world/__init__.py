"""The world that kithara-file is tested against: origins, clocks, sound, crashes. All of it on this machine.

A well-behaved origin::

    with Origin() as origin:
        url = origin.serve("/song", b"..." , media_type="audio/flac")
        ...
        assert [one.range for one in origin.requests("/song")] == [None, "bytes=700000-"]
        assert origin.bytes_sent("/song") <= 1_100_000
        assert origin.connections == 2

Bodies are `bytes`, a `Path`, or a `PatternBody(size, seed)` of any size, made as it is read, in which a misplaced
range is always noticed; `body[a:b]` and `digest(body)` say what is right.

A fault per request (the first, the second, ... then right), several at once, or a fault for every request::

    origin.serve("/song", body, faults=[CloseAt(512_000)])                 # the first request only
    origin.serve("/song", body, faults=[Status(503, retry_after=1)] * 3)   # three times, then right
    origin.serve("/song", body, faults=[None, (Chunked(), CloseAt(100))])  # the second one: truncated chunks
    origin.serve("/song", body, always=[CloseAt(102_400)])                 # every reply ends after 100 KiB
    origin.serve("/song", body, always=[when(plain, CloseAt(512_000))])    # only those without a Range
    origin.serve("/song", body, always=[when(reused, HangUp(reset=True))]) # stale keep-alive connections
    origin.serve("/song", body, faults=[lambda request: Redirect("/other") if request.header("Cookie") else None])
    origin.next("/song", ResetAt(9))                                       # later: the next request
    origin.always("/song", NeverAnswer()); origin.always("/song")          # ill from now on; well again

Versions::

    origin.serve("/song", body, etag='"v1"', last_modified=http_date(0), headers={"Cache-Control": "max-age=60"})
    origin.serve("/song", body, etag='W/"weak"')       # etag=None: no validator
    origin.replace("/song", other, etag='"v2"')
    origin.serve("/song", body, always=[flapping(Version(body=a, etag='"a"'), Version(body=b, etag='"b"'))])
    origin.serve("/song", body, ranges=False)

Lines: `Origin(link=Link(rate=5e6, rtt=0.05))`, later `origin.shape(Link(...))`. Back-pressure is seen best over
`Link(send_buffer=64 * 1024)`: `origin.wait_blocked("/song").bytes_sent` stops growing while nobody reads.

Waiting, never sleeping (each has a deadline and shows the log when it passes)::

    origin.wait_requests("/song", 2); origin.wait_ended("/song"); origin.wait_disconnected()
    origin.wait_stalled("/song"); origin.release("/song")
    origin.wait_for(lambda log: log.bytes_sent("/song") >= 4096)

Also: `Origin(host="::1")`, `Origin(tls=True)` and `.ca_file`, `origin.url(path, host="localhost")`,
`origin.drop_connections(reset=True)`, `origin.go_down()` and `origin.come_back()`.

As a proxy it is asked for whole URLs, which are served like paths: `origin.serve("http://elsewhere.example/a", body)`.

Beside it, imported from their own modules:

    nginx     a real one: `with Nginx(folder, tls=True, http2=True) as nginx`, `nginx.requests("/a", count=2)`
    ports     `refusing_port()` and `silent_port()`, for connections that fail
    remote    a far end in memory, without sockets
    clock     `FakeClock`, and `run_virtual(main())`, in which sleeping costs nothing
    sound     `write_wav(path, seconds=600)`
    crash     `with Child(snippet, arg) as child: child.wait_line("ready"); child.kill()`
    fixtures  what tests may ask for by name: origin, make_origin, tls_origin, nginx, make_nginx, site, store_dir, clock
"""

from tests.world.answer import Version, http_date
from tests.world.body import Body, BytesBody, FileBody, PatternBody, digest
from tests.world.certificates import Certificate
from tests.world.faults import (
    Chunked,
    CloseAt,
    CloseDelimited,
    ConnectionClose,
    DelayHeaders,
    Drip,
    Encoded,
    Fault,
    Gzip,
    HangUp,
    Header,
    Html,
    IgnoreConditions,
    IgnoreIfRange,
    IgnoreRange,
    Multipart,
    NeverAnswer,
    OtherRange,
    Raw,
    Redirect,
    RefuseRange,
    ResetAt,
    SayLength,
    SayRange,
    Serve,
    StallAt,
    Status,
    Then,
    another,
)
from tests.world.link import Link
from tests.world.log import Exchange, RequestLog
from tests.world.message import Request
from tests.world.origin import Origin
from tests.world.script import Item, flapping, plain, ranged, reused, when

__all__ = [
    "Body",
    "BytesBody",
    "Certificate",
    "Chunked",
    "CloseAt",
    "CloseDelimited",
    "ConnectionClose",
    "DelayHeaders",
    "Drip",
    "Encoded",
    "Exchange",
    "Fault",
    "FileBody",
    "Gzip",
    "HangUp",
    "Header",
    "Html",
    "IgnoreConditions",
    "IgnoreIfRange",
    "IgnoreRange",
    "Item",
    "Link",
    "Multipart",
    "NeverAnswer",
    "Origin",
    "OtherRange",
    "PatternBody",
    "Raw",
    "Redirect",
    "RefuseRange",
    "Request",
    "RequestLog",
    "ResetAt",
    "SayLength",
    "SayRange",
    "Serve",
    "StallAt",
    "Status",
    "Then",
    "Version",
    "another",
    "digest",
    "flapping",
    "http_date",
    "plain",
    "ranged",
    "reused",
    "when",
]
