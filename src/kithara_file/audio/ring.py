"""Decoded sound between the decoder and its listener: bounded, and emptied at once by a seek.

Each seek raises the epoch; what is put for an older one is dropped, so that nothing older is ever heard. The lock
covers arithmetic only. Must not know: who decodes, or how.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from kithara_file.audio.media import Samples, Spec
from kithara_file.audio.splice import joined
from kithara_file.clock import Deadline
from kithara_file.errors import KitharaError, StreamClosed


@dataclass(frozen=True, slots=True)
class Work:
    """What the decoder is to do: decode on, or, when the epoch is new to it, from `target` on."""

    epoch: int
    target: int
    room: int
    """How many frames fit: two threads that wake each other for fewer spend more on that than on the sound."""


class Ring:
    """A bounded queue of PCM between one producer and its consumers."""

    def __init__(self, spec: Spec, capacity: int) -> None:
        self.spec = spec
        self.capacity = max(1, capacity)
        # For the same reason a producer that has filled the ring rests until half of it is taken.
        self._low = self.capacity // 2
        self._resting = False
        self.epoch = 0
        self.position = 0
        """The place of the frame that the listener gets next."""
        self._lock = threading.RLock()  # entered at half the price of the condition that is built on it
        self._changed = threading.Condition(self._lock)
        self._blocks: deque[Samples] = deque()
        self._used = 0  # frames of the first block that were taken
        self._frames = 0
        self._target = 0
        self._ended = False
        self._error: Exception | None = None
        self._closed = False

    # -- the producer's side -----------------------------------------------------------------------------------------

    def await_work(self, epoch: int) -> Work | None:
        """Wait for room, or for an epoch other than `epoch`; None when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self.epoch != epoch or self._has_room())
            return None if self._closed else Work(self.epoch, self._target, self.capacity - self._frames)

    def _has_room(self) -> bool:
        self._resting = self._frames > self._low if self._resting else self._frames >= self.capacity
        return not (self._resting or self._ended or self._error)

    def put(self, epoch: int, samples: Samples) -> bool:
        """Append `samples`; return False, and drop them, when a seek has made them stale."""
        with self._changed:
            if epoch != self.epoch or self._closed:
                return False
            self._blocks.append(samples)
            self._frames += len(samples)
            self._changed.notify_all()
            return True

    def end(self, epoch: int) -> None:
        """Tell that the track has ended."""
        with self._changed:
            self._ended = self._ended or epoch == self.epoch
            self._changed.notify_all()

    def fail(self, epoch: int, error: Exception) -> None:
        """Tell that nothing more comes, and why; until a seek."""
        with self._changed:
            if epoch == self.epoch and not self._closed:
                self._error = error
            self._changed.notify_all()

    # -- the listener's side -----------------------------------------------------------------------------------------

    def await_frames(self, frames: int, deadline: Deadline) -> bool:
        """Wait until `frames` (or what fits of them), the end, or an error is there; False when the deadline passed."""
        wanted = self._reachable(frames)
        with self._changed:
            return self._changed.wait_for(lambda: self._settled or self._frames >= wanted, deadline.remaining())

    def _reachable(self, frames: int) -> int:
        return min(frames, self._low + 1)

    def lacks(self, frames: int) -> bool:
        """Return True when waiting for `frames` would have been for nothing."""
        return self._frames < self._reachable(frames)

    @property
    def _settled(self) -> bool:
        return self._ended or self._closed or self._error is not None

    def take(self, frames: int) -> Samples:
        """Return up to `frames` of what is there; waits for nothing."""
        with self._lock:
            pieces = self._remove(frames)
        return joined(pieces) if pieces else self.spec.silence(0)

    def take_all(self, frames: int) -> Samples | None:
        """Return `frames`, if all of them are there; waits for nothing."""
        with self._lock:
            pieces = self._remove(frames) if 0 < frames <= self._frames else None
        return None if pieces is None else joined(pieces)

    def take_block(self) -> Samples | None:
        """Return the next block as it was put; None when there is none."""
        with self._lock:
            pieces = self._remove(len(self._blocks[0]) - self._used) if self._blocks else []
        return pieces[0] if pieces else None

    def fill(self, out: Samples) -> int:
        """Copy what is there into `out`; return how many frames that were."""
        with self._lock:
            pieces = self._remove(len(out))
        return _copy(pieces, out)

    def fill_of(self, epoch: int, out: Samples) -> int | None:
        """Do the same; return None when a seek has raised the epoch."""
        with self._lock:
            pieces = self._remove(len(out)) if epoch == self.epoch else None
        return None if pieces is None else _copy(pieces, out)

    def _remove(self, frames: int) -> list[Samples]:
        self._check()
        pieces: list[Samples] = []
        left = min(frames, self._frames)
        self._frames -= left
        self.position += left
        if self._resting and self._frames <= self._low:
            self._changed.notify_all()
        while left:
            block = self._blocks[0]
            piece = block[self._used : self._used + left]
            pieces.append(piece)
            left -= len(piece)
            self._used += len(piece)
            if self._used == len(block):
                self._blocks.popleft()
                self._used = 0
        return pieces

    def give_back(self, epoch: int, pieces: list[Samples]) -> None:
        """Put what was taken back to the front, unless a seek has made it stale."""
        with self._changed:
            if epoch == self.epoch and not self._closed:
                count = sum(map(len, pieces))
                if self._used:
                    self._blocks[0], self._used = self._blocks[0][self._used :], 0
                self._blocks.extendleft(reversed(pieces))
                self._frames += count
                self.position -= count

    def seek(self, frame: int) -> int:
        """Drop everything, and ask for what begins at `frame`; return the new epoch."""
        with self._changed:
            self._check()
            self.epoch += 1
            self._target = self.position = frame
            self._blocks.clear()
            self._frames, self._used, self._ended, self._error = 0, 0, False, None
            self._changed.notify_all()
            return self.epoch

    @property
    def frames(self) -> int:
        """How many frames wait to be heard."""
        return self._frames

    @property
    def finished(self) -> bool:
        """True when the track has ended and everything was taken."""
        return self._ended and not self._frames

    def raise_error(self) -> None:
        """Raise what the producer failed with, or `StreamClosed`."""
        with self._changed:
            self._check()
            error = self._error
        if error is not None:
            raise error.again() if isinstance(error, KitharaError) else error

    @property
    def failed(self) -> bool:
        """True while nothing more comes because of an error."""
        return self._error is not None

    def close(self) -> None:
        """Wake everybody for good. Idempotent."""
        with self._changed:
            self._closed = True
            self._blocks.clear()
            self._frames = self._used = 0
            self._error = None  # where it was raised, its frames hold the file
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._closed

    def _check(self) -> None:
        if self._closed:
            raise StreamClosed("This audio is closed")

    def __repr__(self) -> str:
        return f"<Ring epoch {self.epoch} · {self._frames} of {self.capacity} frames>"


def _copy(pieces: list[Samples], out: Samples) -> int:
    at = 0
    for piece in pieces:
        out[at : at + len(piece)] = piece
        at += len(piece)
    return at
