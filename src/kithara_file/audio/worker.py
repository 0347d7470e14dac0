"""The decode thread: keeps the ring full, and moves where it is told.

Must not know: who listens. It holds nothing of the `Audio` it works for, so that a dropped one ends it.
"""

from __future__ import annotations

import logging
import threading

from kithara_file.audio.converter import Converter
from kithara_file.audio.decoder import Decoder
from kithara_file.audio.door import Door, reason
from kithara_file.audio.events import SeekComplete
from kithara_file.audio.media import Samples
from kithara_file.audio.ring import Ring, Work
from kithara_file.errors import DecodeFailed, KitharaError
from kithara_file.events import EventBus

_log = logging.getLogger(__name__)


class Worker:
    """Decodes for one ring, in a thread of its own from `start` on."""

    def __init__(self, ring: Ring, decoder: Decoder, converter: Converter, door: Door, events: EventBus) -> None:
        self._ring = ring
        self._decoder = decoder
        self._converter = converter
        self._door = door
        self._events = events
        self._epoch = 0
        self._told = True
        self.thread = threading.Thread(target=self._run, name="kithara-audio", daemon=True)

    def start(self) -> None:
        """Begin to decode."""
        self.thread.start()

    def _run(self) -> None:
        try:
            while (work := self._ring.await_work(self._epoch)) is not None:
                self._do(work)
        finally:
            self._decoder.close()
            self._door.leave()

    def _do(self, work: Work) -> None:
        try:
            if work.epoch != self._epoch:
                self._move(work)
            if self._produce(work.room):
                self._ring.end(self._epoch)
        except (KitharaError, OSError, ValueError) as error:
            self._ring.fail(self._epoch, error)
        except Exception as error:  # noqa: BLE001 - a listener that waits must be told, whatever it was
            _log.exception("! the decoder broke")
            failure = DecodeFailed(f"The decoder broke: {reason(error)}")
            failure.__cause__ = error
            self._ring.fail(self._epoch, failure)

    def _move(self, work: Work) -> None:
        _log.debug("? seek to frame %d, epoch %d", work.target, work.epoch)
        self._epoch, self._told = work.epoch, False
        self._door.heed(work.epoch)
        self._decoder.seek(self._converter.start(work.target))

    def _produce(self, room: int) -> bool:
        """Put one block into the ring; return True at the end of the track."""
        block = self._decoder.next(self._converter.source_length(room))
        samples = self._converter.finish() if block is None else self._converter.feed(block.samples)
        if len(samples):
            self._put(samples)
        return block is None

    def _put(self, samples: Samples) -> None:
        if self._ring.put(self._epoch, samples) and not self._told:
            self._told = True
            position = self._ring.spec.seconds(self._ring.position)
            self._events.publish(SeekComplete(self._epoch, position, self._decoder.exact))

    def __repr__(self) -> str:
        return f"<Worker epoch {self._epoch} of {self._decoder!r}>"
