"""The seam of sinks, as a sink of somebody else's would fill it."""

from __future__ import annotations

from kithara_file.audio.media import Spec
from kithara_file.audio.sink import Feed, Sink
from kithara_file.audio.sinks import NullSink


class Meter:
    """A sink in three lines."""

    def start(self, spec: Spec, feed: Feed) -> None:
        """Take one block."""
        self.heard = feed.fill(spec.silence(10))

    def stop(self) -> None:
        """Nothing runs."""


def test_any_object_with_two_methods_is_a_sink() -> None:
    sinks: list[Sink] = [Meter(), NullSink()]
    for sink in sinks:
        sink.stop()
