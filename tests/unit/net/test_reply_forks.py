"""The head of an answer, read by one thread while another forks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import nullcontext

from kithara_file.net.reply import Head
from tests.world.crash import fork_while_held


class SlowLines(tuple[tuple[str, str], ...]):
    """Fields that are long in being read."""

    __slots__ = ()
    asked, told = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        self.asked.set()
        self.told.wait(30)
        return super().__iter__()


def test_no_child_waits_for_what_another_thread_reads_of_another_answer() -> None:
    reading = threading.Thread(target=lambda: Head(200, SlowLines(), 0.0).fields)
    reading.start()
    assert SlowLines.asked.wait(30)
    ended = fork_while_held(nullcontext(), lambda: Head(200, (), 0.0).fields)
    SlowLines.told.set()
    reading.join(30)
    assert ended == 0
