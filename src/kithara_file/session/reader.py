"""One reader of a session: where it is, how far ahead of it to fetch, and its waits.

Must not know: requests, or how the wishes it stands for are met. Implements `stream.source.Source`.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol, TypeVar

from kithara_file.clock import CancelToken, Deadline
from kithara_file.config import KIB, FileConfig
from kithara_file.errors import ResourceChanged
from kithara_file.ranges import ByteRange
from kithara_file.session.plan import window_after
from kithara_file.session.promise import Promise, finish
from kithara_file.session.view import Playhead

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kithara_file.storage.resource import Descriptor, Resource

T = TypeVar("T")


def _nothing() -> None:
    """Take nothing back."""


GLANCE_BYTES = 64 * KIB
"""The least that is asked for at a far seek."""
MOVES = 3
"""How often a reader follows a resource to a new session; of versions that change without end one has to be told."""


class Host(Protocol):
    """What a reader needs of its session; every method may be called from any thread."""

    @property
    def outdated(self) -> bool:
        """True once the remote has changed and this session stays with the old version, for those who have read it."""

    @property
    def stillborn(self) -> bool:
        """True when it was over before there were any bytes."""

    @property
    def opened(self) -> Future[None]:
        """Done when the version is known."""

    def successor(self, reader: Reader, config: FileConfig) -> Host:
        """Return the session of the version that is there now, with `reader` in it. Blocks on the disk."""

    @property
    def resource(self) -> Resource:
        """The resource of the current version."""

    @property
    def shown_url(self) -> str:
        """The URL as it may be shown."""

    def poke(self) -> None:
        """Decide again soon."""

    def read_to(self, position: int, *, end: bool) -> None:
        """Hear how far a reader has come, and whether that is the end."""

    def leave(self, reader: Reader, *, wait: bool) -> None:
        """Hear that a reader has gone."""


class Reader:
    """A playhead with a look-ahead that grows as it reads on, and shrinks to a probe's size at each far seek.

    To read little where it has sought makes the next probe half as large. So a scrub, or a look through an index,
    leaves bodies that end soon, and their connections to the next seek.
    """

    def __init__(self, host: Host, config: FileConfig) -> None:
        self._host = host
        self._resource = host.resource
        self._config = config
        self._moves = 0
        self._limit = config.look_ahead_bytes
        self.policy = config.policy
        """What may be fetched for it."""
        self.read_timeout = config.read_timeout
        self._run_start = 0
        self._first = self.policy.initial_window
        self._position = 0
        self._needed = 0
        self._told_at = 0
        self._at_end = self._leaving = self._closed = False
        self._unlink: Callable[[], None] = _nothing
        self.has_consumed = False
        """True once a byte of this version was handed out: from then on another version is an error."""

    def obey(self, outer: CancelToken | None, inner: CancelToken) -> None:
        """Let the configuration's token end this reader's waits, and then the reader; at once if it is cancelled."""
        if outer is not None:

            def give_up() -> None:
                inner.cancel(outer.reason)
                self.close(wait=False)

            self._unlink = outer.on_cancel(give_up)

    # -- facts -------------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The URL as it may be shown."""
        return self._host.shown_url

    @property
    def length(self) -> int | None:
        """Bytes in all; None while nobody has told."""
        return None if self._left_behind else self._current().length

    @property
    def playhead(self) -> Playhead:
        """Where the reader is, and how far past that the download should be."""
        return Playhead(self._position, self.window)

    @property
    def window(self) -> int:
        """The present look-ahead in bytes, or what is waited for, if that is more."""
        return max(self._needed, window_after(self._position - self._run_start, self._first, self._limit))

    def descriptor(self) -> Descriptor | None:
        """Return a new file descriptor of the complete file; see `Resource.descriptor`."""
        return self._resource.descriptor()

    # -- moves -------------------------------------------------------------------------------------------------------

    def seeking(self, position: int) -> None:
        """Note where the next read begins; nothing is fetched for a seek alone."""

    def consumed(self, start: int, count: int) -> None:
        """Note that the reader has read `count` bytes from `start`; the download is told when it matters to it."""
        self._arrive(start)
        self._needed = 0
        self._position = start + count
        self.has_consumed = self.has_consumed or count > 0
        was_at_end, self._at_end = self._at_end, count == 0
        if self._position >= self._told_at or (self._at_end and not was_at_end):
            self._tell(end=self._at_end and not was_at_end)

    def _arrive(self, position: int) -> None:
        """Begin a new run when `position` is neither behind in this run nor in its window."""
        if self._run_start <= position <= self._position + self.window:
            self._position = position
            return
        self._first = self._window_of_a_seek()
        self._run_start = self._position = position
        self._tell(end=False)

    def _window_of_a_seek(self) -> int:
        """Return what a far seek asks for: less and less for who reads a little here and a little there."""
        read, usual = self._position - self._run_start, self.policy.seek_window
        if read >= self._first:
            return usual
        glanced = read < self._first // 4
        return min(usual, max(self._first // 2, GLANCE_BYTES) if glanced else self._first)

    def _tell(self, *, end: bool) -> None:
        self._told_at = self._position + max(32 * KIB, self.window // 8)
        self._host.read_to(self._position, end=end)

    # -- bytes -------------------------------------------------------------------------------------------------------

    def read_at(self, start: int, buffer: memoryview) -> int:
        """Fill `buffer` from what is present; see `Resource.read_at`."""
        return 0 if self._left_behind else self._current().read_at(start, buffer)

    def wait_range(self, wanted: ByteRange, deadline: Deadline, cancel: CancelToken) -> ByteRange | None:
        """Wait for the first byte of `wanted`; a version that changed before this reader read anything is followed."""
        self._wait_for(wanted)
        return self._follow(lambda resource: resource.wait_range(wanted, deadline, cancel), deadline, cancel)

    def wait_length(self, deadline: Deadline, cancel: CancelToken) -> int:
        """Wait until the length is known."""
        return self._follow(lambda resource: resource.wait_length(deadline, cancel), deadline, cancel)

    async def await_range(self, wanted: ByteRange, deadline: Deadline, cancel: CancelToken) -> ByteRange | None:
        """Do what `wait_range` does, in a task."""
        self._wait_for(wanted)
        return await self._afollow(lambda resource: resource.await_range(wanted, deadline, cancel), deadline, cancel)

    async def await_length(self, deadline: Deadline, cancel: CancelToken) -> int:
        """Do what `wait_length` does, in a task."""
        return await self._afollow(lambda resource: resource.await_length(deadline, cancel), deadline, cancel)

    def _wait_for(self, wanted: ByteRange) -> None:
        self._arrive(wanted.start)
        self._needed = wanted.end - wanted.start

    def _follow(self, wait: Callable[[Resource], T], deadline: Deadline, cancel: CancelToken) -> T:
        while True:
            if self._left_behind:
                self._move(cancel).result(deadline.remaining())
            resource = self._current()
            try:
                return wait(resource)
            except ResourceChanged:
                if self._current() is resource and not self._left_behind:
                    raise

    async def _afollow(self, wait: Callable[[Resource], Awaitable[T]], deadline: Deadline, cancel: CancelToken) -> T:
        while True:
            if self._left_behind:
                async with asyncio.timeout(deadline.remaining()):
                    await asyncio.wrap_future(await asyncio.to_thread(self._move, cancel))
            resource = self._current()
            try:
                return await wait(resource)
            except ResourceChanged:
                if self._current() is resource and not self._left_behind:
                    raise

    @property
    def _left_behind(self) -> bool:
        """True when this reader has read nothing of a version that others hold on to, and another one is there now.

        Or when the last try to go over to that has failed: each read is worth one more.
        """
        lost = self._host.stillborn or (self._moves < MOVES and self._host.outdated)
        return lost and not self.has_consumed

    def _move(self, cancel: CancelToken) -> Future[None]:
        """Go over to the session of the version that is there now; return what is done when it is known."""
        self._moves += 1
        host = self._host = self._host.successor(self, self._config)
        if self._leaving:  # another thread closes this meanwhile, and may have taken leave of the old session
            host.leave(self, wait=False)
        known = Promise()
        unlink = cancel.on_cancel(lambda: finish(known, cancel.reason))
        known.add_done_callback(lambda _: unlink())
        host.opened.add_done_callback(lambda done: finish(known, done.exception()))
        return known

    def _current(self) -> Resource:
        """Return the bytes to read: of the latest version, until a byte was handed out, and of that one from then on.

        A version that is replaced while a byte is on its way out keeps this reader, and its error is the next result.
        """
        if not self.has_consumed:
            self._resource = self._host.resource
        return self._resource

    def close(self, *, wait: bool) -> None:
        """Leave the session; the last one to leave ends it."""
        if not self._closed:
            self._leaving = True  # first: who goes over to another session meanwhile takes leave of that
            self._unlink()
            self._host.leave(self, wait=wait)
            self._closed = True  # last: who was interrupted comes here again

    def __repr__(self) -> str:
        return f"<Reader at {self._position} · {self.window} ahead>"
