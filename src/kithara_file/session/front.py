"""A session as the other threads see it: readers, handles and the registry come in here.

Must not know: fetches, answers, plans. Everything may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Hashable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from kithara_file.errors import Cancelled, KitharaError, public_url
from kithara_file.events import EndOfStream, Phase
from kithara_file.net.vary import selects
from kithara_file.session.audience import Audience
from kithara_file.session.promise import Promise, finish
from kithara_file.session.reader import Reader
from kithara_file.session.seams import Background, House
from kithara_file.session.session import Session
from kithara_file.session.statistics import Statistics

if TYPE_CHECKING:
    from kithara_file.clock import CancelToken
    from kithara_file.config import FileConfig
    from kithara_file.net.remote import Remote
    from kithara_file.storage.resource import Resource


class Front:
    """The thread-safe side of one `Session`."""

    def __init__(self, session: Session, audience: Audience, background: Background, house: House) -> None:
        self.session = session
        self.events = session.events
        self.shown_url = public_url(session.url)
        self.background = background
        self._audience = audience
        self._house = house
        self._alone: set[CancelToken | None] = set()
        self.joined(session.config)
        self.left = Promise()
        """Done when nothing of this session runs any more but what the disk is slow to take."""
        self.closed = Promise()
        """Done when nothing of it runs any more."""
        self.quiet = False
        """True while nothing has ever run, since all is there."""
        self.place: Hashable = None
        """What the house knows it by."""

    def begin(self) -> None:
        """Start the session; one that is complete and current sleeps until its readers miss something.

        So opening what is in the cache, reading and closing it costs no hop to the loop.
        """
        session = self.session
        resource = session.holding.resource
        if resource is None or not resource.committed or session.judge.must_ask():
            self.background.call(session.opening.start)
            if self.background.forsaken:
                session.poke()  # which tells so
            return
        self.quiet = True
        resource.on_demand = self.poke
        finish(session.opened, None)

    # -- facts -------------------------------------------------------------------------------------------------------

    @property
    def resource(self) -> Resource:
        """The bytes of the current version; there are some once `opened` is done."""
        resource = self.session.holding.resource
        if resource is None:
            error = self.opened.exception() if self.opened.done() else None
            raise error.again() if isinstance(error, KitharaError) else Cancelled("The session has no bytes yet")
        return resource

    @property
    def remote(self) -> Remote | None:
        """What is known of the version held."""
        return self.session.holding.remote

    @property
    def phase(self) -> Phase:
        """Where the download stands."""
        return self.session.phase

    @property
    def opened(self) -> Future[None]:
        """Done when the first answer is in, or none is needed."""
        return self.session.opened

    @property
    def lost(self) -> bool:
        """True when this session can do no more for anybody new: it failed, the file changed or its thread is gone."""
        return self.stillborn or self.session.dead or not self.background.alive

    @property
    def stillborn(self) -> bool:
        """True when opening it has failed before anything was known."""
        return self.session.holding.resource is None and self.opened.done() and self.opened.exception() is not None

    @property
    def outdated(self) -> bool:
        """True once the remote has changed under those who had read of the version held."""
        return self.session.dead

    def fits(self, config: FileConfig) -> bool:
        """Tell whether the request of `config` would be given what is held here (RFC 9111, 4.1)."""
        return self.remote is None or selects(self.remote.selected_by, config.headers)

    def statistics(self) -> Statistics:
        """Return a snapshot."""
        session, resource = self.session, self.session.holding.resource
        fetches = session.flights.views
        return Statistics(
            phase=session.phase,
            length=session.holding.length,
            present_bytes=resource.snapshot().total if resource is not None else 0,
            network_bytes=session.link.brought,
            fetches_started=session.flights.started,
            fetches_flying=len(fetches),
            fetches_resting=sum(each.resting_since is not None for each in fetches),
            readers_waiting=len(resource.demands()) if resource is not None else 0,
            failures=session.trouble.failures,
            round_trip_seconds=session.link.round_trip,
            bytes_per_second=session.link.rate,
        )

    # -- readers -----------------------------------------------------------------------------------------------------

    def reader(self, config: FileConfig, cancel: CancelToken) -> Reader:
        """Return a new reader, which holds the session until it is closed."""
        reader = Reader(self, config)
        try:
            self._house.hold(self, reader)
            self._audience.add(reader)
            reader.obey(config.cancel, cancel)
            self.poke()
        except BaseException:  # Ctrl-C may be heard in here, and nobody else knows of this reader
            reader.close(wait=False)
            raise
        return reader

    def successor(self, reader: Reader, config: FileConfig) -> Front:
        """Return the session of the version that is there now, with `reader` in it. Blocks on the disk."""
        front = self._house.join(config, reader)
        front._audience.add(reader)  # noqa: SLF001 - of this class
        front.poke()
        self.leave(reader, wait=False)
        return front

    def poke(self) -> None:
        """Decide again soon."""
        if self.quiet and self.resource.committed:
            return
        self.quiet = False
        self.session.poke()

    def read_to(self, position: int, *, end: bool) -> None:
        """Hear how far a reader has come."""
        self.session.notices.read(position, self.session.holding.length, self.session.clock.monotonic())
        if end:
            self.events.publish(EndOfStream(position))
        resource = self.session.holding.resource
        if resource is None or not resource.committed:  # else the download has nothing to do with it
            self.poke()

    # -- the whole, and the end --------------------------------------------------------------------------------------

    def want_everything(self, holder: object) -> Future[None]:
        """Lift every look-ahead until `holder` leaves; return what is done when all is committed, or was given up."""
        self._audience.want_everything(holder)
        self.quiet = False
        return self.session.completion.wanted()

    def leave(self, holder: object, *, wait: bool) -> None:
        """Take leave of a reader or handle; the last one ends the session unless it is to go on alone."""
        self._audience.remove(holder)
        self._house.leave(self, holder, wait=wait)
        if self._audience:
            self.poke()

    def joined(self, config: FileConfig) -> None:
        """Note under which tokens somebody wants the download to go on with nobody left."""
        if config.detach:
            self._alone.add(config.cancel)

    def stays(self) -> bool:
        """Tell whether the download goes on with nobody left; it then ends by itself, or by the last such token."""
        session = self.session
        self._alone = {each for each in self._alone if each is None or not each.cancelled}
        if not self._alone or session.over or session.dead or session.completion.settled:
            return False
        look_again = partial(self._house.leave, self, None, wait=False)
        for token in filter(None, self._alone):
            unlink = token.on_cancel(look_again)
            self.closed.add_done_callback(lambda _, unlink=unlink: unlink())  # type: ignore[misc]
        self.want_everything(self).add_done_callback(lambda _: look_again())
        return True

    def __repr__(self) -> str:
        return f"<Front of {self.session!r}>"
