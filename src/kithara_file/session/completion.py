"""The end that a download is for: everything present, committed, and told to whoever waits for that.

Must not know: fetches, plans. `wanted` may be called from any thread, all else on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from kithara_file.config import MIB
from kithara_file.errors import KitharaError, StorageError, public_url
from kithara_file.events import CacheBypassed, DownloadComplete, DownloadError, Error, Phase
from kithara_file.session.promise import Promise, finish
from kithara_file.storage.digest import WrongDigest

if TYPE_CHECKING:
    from kithara_file.session.session import Session
    from kithara_file.storage.resource import Resource


QUICK_BYTES = 64 * MIB
"""Who closes waits until the disk has a resource of up to so many bytes. A larger one may take seconds."""


class Completion:
    """Commits the resource once, and keeps the promise of it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._promise = Promise()
        self._task: asyncio.Task[None] | None = None
        self._failed = False
        self._tried_again = False
        self.on_long: Callable[[], None] = lambda: None
        """Is called when only the disk is still to be waited for, which is taking something large."""

    @property
    def settled(self) -> bool:
        """True once committed, or given up."""
        return self._promise.done()

    @property
    def _large(self) -> bool:
        return (self._session.holding.length or 0) > QUICK_BYTES

    def wanted(self) -> Future[None]:
        """Return a future that is done when all is committed, or given up; what was given up is tried again."""
        session, resource = self._session, self._session.holding.resource
        if self._promise.done() and not (session.over or session.dead or self._kept(resource)):
            self._promise = Promise()
            self._failed = False
            if resource is not None and resource.fault is not None:  # nothing more lands on that disk
                finish(self._promise, resource.fault.again())
            session.background.call(session.trouble.forgive)
        session.poke()
        return self._promise

    def _kept(self, resource: Resource | None) -> bool:
        return self._promise.exception() is None and resource is not None and resource.committed

    def give_up(self, error: KitharaError) -> None:
        """Tell those who wait why there will be no completion."""
        finish(self._promise, error)

    def begin(self, resource: Resource) -> None:
        """Commit `resource`, whose every byte is present, unless that was begun or has failed; again once mended."""
        if self._task is not None and not self._task.done():
            return
        if self._task is None or not (resource.committed or self._failed):
            self._task = self._session.background.loop.create_task(self._commit(resource))
        elif resource.committed:
            finish(self._promise, None)  # given up on the way, and wanted once more since

    async def _commit(self, resource: Resource) -> None:
        session = self._session
        error: KitharaError | None = None
        try:
            if not resource.committed:
                await session.background.on_disk(session.holding.commit, long=self._large)
        except WrongDigest as failure:
            if self._tried_again or session.audience.has_read:
                error = failure
                self._condemn(resource, failure)
            else:  # one of the bytes may have been changed on the way, or on the disk; and nobody has seen any
                self._tried_again = True
                session.events.publish(Error(failure, recoverable=True))
                session.poke()
                return
        except KitharaError as failure:
            error = failure
        except OSError as failure:
            error = StorageError(f"Cannot commit {public_url(session.url)}: {failure}", errno=failure.errno)
        if error is None:
            length = resource.length or 0
            session.notices.landed(length, length, session.clock.monotonic(), last=True)
            session.notices.phase(Phase.COMPLETE)
            session.events.publish(DownloadComplete(length))
        else:
            self._failed = True
            session.events.publish(CacheBypassed(error))
        finish(self._promise, error)

    def _condemn(self, resource: Resource, error: KitharaError) -> None:
        """End a download that brings other bytes than were promised; whoever opens it again begins anew."""
        session = self._session
        session.flights.drop()
        session.dead = True
        resource.fail(error)
        session.events.publish(DownloadError(error))

    async def shut(self, error: KitharaError) -> None:
        """Let a commit under way end; tell those who still wait `error`."""
        if self._task is not None:
            if self._large and not self._task.done():
                self.on_long()
            await asyncio.gather(self._task, return_exceptions=True)
        finish(self._promise, error)
