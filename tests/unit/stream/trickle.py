"""A source whose bytes come a few at a time."""

from __future__ import annotations

from kithara_file.clock import CancelToken, Deadline
from kithara_file.ranges import ByteRange
from kithara_file.storage import MemoryResource
from tests.contract.files import MemorySource


class Trickle(MemorySource):
    """A source that gets 500 bytes more of its data each time somebody waits, and tells until when each one waited."""

    read_timeout = 1000.0

    def __init__(self, data: bytes, *, told: bool) -> None:
        super().__init__(MemoryResource(len(data) if told else None))
        self._data = data
        self._came = 0
        self.deadlines: list[float] = []

    def _bring(self, deadline: Deadline) -> None:
        self.deadlines.append(deadline.at)
        self._resource.write_at(self._came, self._data[self._came : self._came + 500])
        self._came = min(self._came + 500, len(self._data))
        if self._came == len(self._data):
            self._resource.announce(self._came)

    def wait_range(self, wanted: ByteRange, deadline: Deadline, cancel: CancelToken) -> ByteRange | None:
        self._bring(deadline)
        return super().wait_range(wanted, deadline, cancel)

    async def await_range(self, wanted: ByteRange, deadline: Deadline, cancel: CancelToken) -> ByteRange | None:
        self._bring(deadline)
        return await super().await_range(wanted, deadline, cancel)
