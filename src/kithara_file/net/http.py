"""The `Client` that speaks HTTP: requests put together, redirects followed, answers judged, bodies handed on.

Must not know: when to try again, how long silence may last within a body, what is stored.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import pycurl

from kithara_file.clock import Clock, SystemClock
from kithara_file.config import Timeouts
from kithara_file.errors import ConnectFailed, InvalidResponse, KitharaError, NetTimeout, StatusError, public_url
from kithara_file.net.address import Address
from kithara_file.net.client import WHOLE, NotModified, Want
from kithara_file.net.decode import OURS, decodable
from kithara_file.net.engine import Engine
from kithara_file.net.faults import before_headers
from kithara_file.net.remote import Validator
from kithara_file.net.reply import Accepted, Asked, Head, announced_length, judge
from kithara_file.net.request import fields, line
from kithara_file.net.response import DecodedResponse, HttpResponse
from kithara_file.net.transfer import Transfer
from kithara_file.net.trust import system_bundle
from kithara_file.ranges import ByteRange

MAX_REDIRECTS = 10

_log = logging.getLogger("kithara_file.net")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LONGEST_MS = 2**31 - 1
"""The longest limit that libcurl takes everywhere, 24 days; 0 would mean 300 s."""
_SUPPRESS_CONNECT_HEADERS = 265  # CURLOPT_…, which pycurl has no name for: what a proxy says to CONNECT is no answer
_OPTIONS: tuple[tuple[int, int | str], ...] = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
    (pycurl.FOLLOWLOCATION, 0),
    (pycurl.PATH_AS_IS, 1),
    (_SUPPRESS_CONNECT_HEADERS, 1),
    (pycurl.TCP_KEEPALIVE, 1),
)


@cache
def codings() -> frozenset[str]:
    """Return the content codings that we or this libcurl can take off a body."""
    features = pycurl.version_info()[4]
    more = ((pycurl.VERSION_BROTLI, "br"), (pycurl.VERSION_ZSTD, "zstd"))
    return OURS | {name for bit, name in more if features & bit}


Body = HttpResponse | DecodedResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What is special about one of the requests that an `open` may take."""

    unpack: bool = False
    """libcurl takes the content codings off."""
    fresh: bool = False
    """It has a connection of its own."""
    loyal: bool = False
    """It stays on its connection, though another one comes free."""
    framed: bool = False
    """It is sent over HTTP/1.1, where every end is proven."""
    trusting: bool = False
    """The end of its body is believed."""


USUAL = Way()


def _better(way: Way, answer: Accepted, *, proven: bool) -> Way | None:
    """Return how to ask for the same once more; None where the answer can be used as it is.

    `proven` tells whether the end of the body will be. libcurl takes a stream of HTTP/2 which is reset without an error
    for one that has ended, so that only a length tells, or what is packed; an origin that speaks nothing else has to be
    believed.
    """
    unpackable = decodable(answer.codings)
    if not (unpackable or way.unpack):  # only libcurl knows this coding, and it has to be told before it asks
        return replace(way, unpack=True)
    packed = unpackable and bool(answer.codings) and not way.unpack
    if proven or packed or way.framed or way.trusting or answer.end is not None:
        return None
    return replace(way, framed=True)


class HttpClient:
    """Opens http and https URLs by GET, on one engine; many requests may be under way at once.

    `headers` are sent to the origin of the URL that was opened and to no other; `ca_file` is trusted instead of the
    system's certificates. Limits the time to connect and the time from there to the headers; what a body takes is for
    `TimeoutClient` to limit. Proxies are those of the environment.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        headers: Mapping[str, str] | None = None,
        ca_file: str | None = None,
        timeouts: Timeouts | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._engine = engine
        self._headers = dict(headers or {})
        self._ca_file = ca_file
        self._timeouts = timeouts or Timeouts()
        self._clock = clock or SystemClock()

    async def open(self, url: str, want: Want, same_as: Validator | None) -> Body | NotModified:
        """Send one GET, follow where it leads, and return when the headers are in.

        Raises a `NetError`; cancelled, it ends the request before it returns.
        """
        asked = Asked(url, want, same_as, self._headers)
        home = address = Address.of(url)
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._ask(asked, home, address)
            if not isinstance(answer, Address):
                return answer
            address = answer
        raise InvalidResponse(f"more than {MAX_REDIRECTS} redirects", url=url)

    async def _ask(
        self, asked: Asked, home: Address, address: Address, way: Way = USUAL
    ) -> Body | NotModified | Address:
        _log.debug("> GET %s of %s", asked.want, public_url(address.url))
        transfer = self._begin(asked, home, address, way)
        try:
            head = await self._head(transfer, address)
        except InvalidResponse:
            if transfer.fresh:
                raise
            return await self._ask(asked, home, address, replace(way, fresh=True))
        if head is None:
            return await self._ask(asked, home, address, replace(way, loyal=True))
        _log.debug("< %d from %s", head.status, public_url(address.url))
        try:
            answer = self._judge(head, asked, address)
        except KitharaError as error:
            _log.debug("! %s", error)
            if not isinstance(error, InvalidResponse):
                await transfer.part(announced_length(head))
                raise
            transfer.close()  # it may be the answer to another question, and the next one would get ours
            if asked.want is not WHOLE or transfer.fresh:  # a range is asked for in another way by whoever wants it
                raise
            return await self._ask(asked, home, address, replace(way, fresh=True))
        if not isinstance(answer, Accepted):
            await transfer.part(announced_length(head))
            return answer
        better = _better(way, answer, proven=transfer.framed or announced_length(head) is not None)
        if better is not None:
            transfer.close()
            return await self._ask_anew(asked, home, address, better)
        plain = way.unpack or not answer.codings
        response = HttpResponse(transfer, answer if plain else replace(answer, codings=()), asked.url)
        return response if plain else DecodedResponse(response, answer.codings, asked.url)

    async def _ask_anew(self, asked: Asked, home: Address, address: Address, way: Way) -> Body | NotModified | Address:
        try:
            return await self._ask(asked, home, address, way)
        except (ConnectFailed, InvalidResponse, StatusError):
            if not way.framed:
                raise
            return await self._ask(asked, home, address, replace(way, framed=False, trusting=True))

    def _begin(self, asked: Asked, home: Address, address: Address, way: Way) -> Transfer:
        handle = self._handle(asked, home, address)
        if way.unpack:
            handle.setopt(pycurl.ACCEPT_ENCODING, "")  # what is said in the request is in our own field
        if way.fresh:
            handle.setopt(pycurl.FRESH_CONNECT, 1)
        if way.framed:
            handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        loyal = way.loyal or way.fresh
        try:
            return Transfer(
                self._engine,
                handle,
                address.origin,
                self._timeouts.headers,
                loyal=loyal,
                raw=not way.unpack,
                endless=not isinstance(asked.want, ByteRange),
            )
        except pycurl.error as error:  # which does not say why
            reason = f"libcurl cannot be set up ({error}), perhaps because too many files are open"
            raise ConnectFailed(reason, url=address.url) from error

    async def _head(self, transfer: Transfer, address: Address) -> Head | None:
        """Return what came before the body; None when there is a better connection to ask on."""
        try:
            complete = await transfer.headers()
        except BaseException:
            transfer.close()
            raise
        if complete:
            split = (line.decode("latin-1").partition(":") for line in transfer.lines)
            lines = tuple((name, value.strip()) for name, _, value in split)
            return Head(transfer.status, lines, self._clock.wall())
        transfer.close()
        if transfer.outdone:
            return None
        error = self._no_answer(transfer, address)
        _log.debug("! %s", error)
        raise error

    def _no_answer(self, transfer: Transfer, address: Address) -> KitharaError:
        if transfer.outcome is None:
            return NetTimeout(url=address.url, stage="headers", seconds=self._timeouts.headers)
        return before_headers(transfer.outcome, address.url, self._timeouts.connect)

    def _judge(self, head: Head, asked: Asked, address: Address) -> Accepted | NotModified | Address:
        if head.status not in _REDIRECTS:
            return judge(head, asked, codings())
        location = head.only("location")
        if location is None:
            raise InvalidResponse(f"redirect {head.status} without a Location", url=asked.url)
        return address.redirected(location.encode("latin-1"))

    def _handle(self, asked: Asked, home: Address, address: Address) -> pycurl.Curl:
        handle = pycurl.Curl()
        wanted = fields(asked, self._headers, home, address)
        for option, value in _OPTIONS:
            handle.setopt(option, value)
        handle.setopt(pycurl.URL, address.url)
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, round(min(self._timeouts.connect * 1000, _LONGEST_MS))))
        handle.setopt(pycurl.HTTPHEADER, [line(*each) for each in wanted.items()])
        if address.target is not None:
            handle.setopt(pycurl.REQUEST_TARGET, address.target)
        bundle = self._ca_file or system_bundle()
        if bundle is not None:
            handle.setopt(pycurl.CAINFO, bundle)
        return handle
