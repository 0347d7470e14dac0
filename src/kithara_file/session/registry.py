"""The live sessions of this process: one for each resource, shared by all its readers, ended by the last to leave.

Must not know: how a session fetches. The lock covers the tables only; disks and networks are touched outside of it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Hashable
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeAlias

from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.store import AssetStore
from kithara_file.config import FileConfig, StoreLike
from kithara_file.errors import ConnectFailed, OfflineMiss, StorageError
from kithara_file.net.engine import Engine
from kithara_file.net.http import HttpClient
from kithara_file.net.retry import RetryClient
from kithara_file.net.timeout import TimeoutClient
from kithara_file.net.vary import selects
from kithara_file.session.audience import Audience
from kithara_file.session.front import Front
from kithara_file.session.holding import Holding
from kithara_file.session.promise import finish
from kithara_file.session.refuge import Refuge
from kithara_file.session.session import Session
from kithara_file.storage.platform import after_fork_in_child, give_memory_back
from kithara_file.stream.runtime import DiskHand, Runtime

StoreGiven: TypeAlias = StoreLike | str | os.PathLike[str] | None

CLOSE_SECONDS = 2.0
"""How long `leave` waits for the last traces of a session; what still runs then ends by itself."""


class Registry:
    """Finds the session of a resource, or makes it; counts who holds it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._live: dict[Hashable, Front] = {}
        self._holders: dict[Front, set[object]] = {}
        self._stores: dict[Path, tuple[AssetStore, int]] = {}
        self._engine: tuple[Runtime, Engine] | None = None
        self._shutting: set[asyncio.Task[None]] = set()
        self._late: set[Front] = set()
        self._refuge = Refuge()
        self.opener = DiskHand()
        """Opens for tasks, one at a time: a crowd of them takes one thread, and not a pool."""

    def join(self, config: FileConfig, holder: object) -> Front:
        """Return the session of `config`, held by `holder` until it leaves. Blocks on the disk, not on the network.

        A holder is kept alive: whoever is to be dropped gives a token in its place.
        """
        try:
            return self._join(config, holder, config.store)
        except StorageError as fault:
            if config.store is not None:
                raise
            return self._join(config, holder, self._refuge.instead(fault))

    def _join(self, config: FileConfig, holder: object, given: StoreGiven) -> Front:
        key = ResourceKey.of(os.fspath(config.url), name=config.name, cache_key=config.cache_key)
        store = self._take_store(given)
        try:
            place = (store.root, key.asset_id, key.resource_hash, config.offline_mode, config.promised)
            front = self._find(place, holder, config)
            made = self._make(config, key, store) if front is None else None
        except BaseException:
            self._drop_store(store)
            raise
        if made is None:
            assert front is not None
            self._drop_store(store)
            return front
        with self._lock:
            front = self._find(place, holder, config)
            if front is None:
                made.place = place
                self._holders[made] = {holder}
                self._live[place] = made  # last: whatever can be found is held
        if front is not None:  # another thread was quicker
            made.session.holding.close()
            return front
        made.begin()
        return made

    def _make(self, config: FileConfig, key: ResourceKey, store: AssetStore) -> Front:
        url = os.fspath(config.url)
        entry = store.open(key, checksums=config.checksums, digest=config.promised)
        unfit = entry.remote is None or not selects(entry.remote.selected_by, config.headers)
        if config.offline_mode and unfit:
            entry.close()
            raise entry.fault.again() if entry.fault is not None else OfflineMiss(url=url, start=0, end=None)
        try:
            runtime = Runtime.current()
        except (OSError, RuntimeError) as error:  # no room for another open file, or for a thread
            entry.close()
            raise ConnectFailed(f"the background cannot be started ({error})", url=url) from error
        holding = Holding(entry, lambda: self._drop_store(store))
        audience = Audience(config.policy)
        session = Session(config, holding, self._client(config, runtime), runtime, audience)
        return Front(session, audience, runtime, self)

    def _find(self, place: Hashable, holder: object, config: FileConfig) -> Front | None:
        with self._lock:
            front = self._live.get(place)
            if front is None or front.lost or not front.fits(config):
                return None
            self._holders[front].add(holder)
            front.joined(config)
            front.session.access.join(config, lambda each: self._client(each, Runtime.current()))
            return front

    def hold(self, front: Front, holder: object) -> None:
        """Let `holder`, which got the session from somebody who holds it, hold it too."""
        with self._lock:
            self._holders.setdefault(front, set()).add(holder)

    def abandon(self, holder: object) -> None:
        """Take `holder` off whatever it holds, for one that was interrupted before it knew."""
        with self._lock:
            held = [front for front, holders in self._holders.items() if holder in holders]
        for front in held:
            self.leave(front, holder, wait=False)

    def leave(self, front: Front, holder: object, *, wait: bool) -> None:
        """Take `holder` off; the last one ends the session, with `wait` returning when nothing of it runs.

        Nobody waits for the disk to take what is large, unless it is late with another one already.
        """
        with self._lock:
            holders = self._holders.get(front)
            if holders is None:
                return
            holders.discard(holder)
            if holders or front.stays():
                return
            if self._live.get(front.place) is front:  # in the same breath: nobody may join what is to end
                del self._live[front.place]
        # Ctrl-C may be heard from here on, and before. Who closes again, or is dropped, comes here once more.
        self._end(front, wait=wait)

    def _end(self, front: Front, *, wait: bool) -> None:
        if wait and front.quiet:
            front.session.close_quietly()
            self._holders.pop(front, None)
            finish(front.closed, None)
            return
        background = front.background
        background.call(self._begin_shut, front)
        if wait and background.alive and not background.here:
            with suppress(FutureTimeout):
                front.left.result(CLOSE_SECONDS)

    def _begin_shut(self, front: Front) -> None:
        if self._holders.pop(front, None) is None:  # begun already
            return
        task = front.background.loop.create_task(self._shut(front))
        self._shutting.add(task)
        task.add_done_callback(self._shutting.discard)

    async def _shut(self, front: Front) -> None:
        front.session.completion.on_long = partial(self._be_late, front)
        await front.session.shut()
        self._late.discard(front)
        self._rest()
        finish(front.left, None)
        finish(front.closed, None)

    def _be_late(self, front: Front) -> None:
        """Let who waits for the end of `front` go on before the disk has it; with one at a time."""
        self._rest()
        first = not self._late
        self._late.add(front)
        if first:
            finish(front.left, None)

    def _rest(self) -> None:
        """Close the idle connections when nobody is left to use them."""
        if not self._holders and self._engine is not None:
            self._engine[1].rest()

    # -- what sessions stand on --------------------------------------------------------------------------------------

    def _client(self, config: FileConfig, runtime: Runtime) -> RetryClient:
        with self._lock:
            if self._engine is None or self._engine[0] is not runtime:
                engine = Engine(runtime.loop, relieved=partial(runtime.disk.submit, give_memory_back))
                self._engine = runtime, engine
                runtime.at_stop(self._shut_all)
        http = HttpClient(self._engine[1], headers=config.headers, ca_file=config.ca_file, timeouts=config.timeouts)
        return RetryClient(TimeoutClient(http, config.timeouts), config.retry)

    async def _shut_all(self) -> None:
        with self._lock:
            fronts, self._live, self._holders = list(self._live.values()), {}, {}
            engine, self._engine = self._engine, None
        # Whoever still waits does so in a daemon thread, which shall not wake at the end only to print a traceback.
        ending = [task for front in fronts for task in front.session.fall_silent()]
        await asyncio.gather(*ending, return_exceptions=True)
        await asyncio.gather(*self._shutting, return_exceptions=True)  # those whose holders did not wait
        if engine is not None:
            engine[1].close()

    def _take_store(self, given: StoreGiven) -> AssetStore:
        if isinstance(given, AssetStore):
            return given
        store = AssetStore(None if given is None else os.fspath(given))  # type: ignore[arg-type]
        with self._lock:
            known, users = self._stores.get(store.root, (store, 0))
            self._stores[store.root] = known, users + 1
            return known

    def _drop_store(self, store: AssetStore) -> None:
        with self._lock:
            known, users = self._stores.get(store.root, (None, 0))
            if known is not store:
                return
            if users > 1:
                self._stores[store.root] = store, users - 1
                return
            del self._stores[store.root]
        store.close()


registry = Registry()
"""The sessions of this process."""


def _forget_in_child() -> None:
    registry.__init__()  # type: ignore[misc]  # the child of a fork has none of the parent's sessions


after_fork_in_child(_forget_in_child)
