"""Play a ten-minute file over a slow line, as a player would, and show what was fetched; then listen to a melody.

Everything happens on this machine: an origin on loopback (5 MB/s, 50 ms away) serves a synthesised WAV, and the library
opens it by URL; then an MP3, which is played at twenty times its speed to an ear that tells what it heard
(examples/melody.py). The cache is .demo-cache beside this folder: run it again, and nothing is fetched any more. Exit
code: 0 when the bytes read are those of the original, none was fetched twice, and the melody was heard; 1 when not, 130
after Ctrl-C.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from rich.console import Console, Group, RenderableType  # noqa: E402
from rich.live import Live  # noqa: E402
from rich.table import Table  # noqa: E402
from rich.text import Text  # noqa: E402

from examples import melody  # noqa: E402
from kithara_file import File, FileConfig, FileSession, KitharaError, Stream  # noqa: E402
from kithara_file.cli import words  # noqa: E402
from kithara_file.cli.bar import CoverageBar  # noqa: E402
from tests.world import Link, Origin  # noqa: E402
from tests.world.sound import write_wav  # noqa: E402

CACHE = REPOSITORY / ".demo-cache"
LINE = Link(rate=5e6, rtt=0.05, send_buffer=8 * 1024)
MINUTES = 10
SAMPLE_RATE = 22_050
BYTES_PER_SECOND = SAMPLE_RATE * 2
WASTE = 1_000_000
"""Bytes that may have been on the line when nobody wanted them any more."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a player does: go somewhere, read some."""

    what: str
    start: int
    count: int


@dataclass(frozen=True, slots=True)
class Took:
    """What a step cost."""

    step: Step
    first_byte: float
    seconds: float
    fetched: int
    bar: CoverageBar


def steps(length: int) -> list[Step]:
    """Return what a player does with a file of `length` bytes."""
    middle = length // 2 // BYTES_PER_SECOND * BYTES_PER_SECOND
    return [
        Step("open, and read the header", 0, 4096),
        Step("jump to the end for tags", length - 128, 128),
        Step("back to the start: play 20 s", 44, 20 * BYTES_PER_SECOND),
        Step("jump to the middle: play 20 s", middle, 20 * BYTES_PER_SECOND),
        Step("the whole file, from 0", 0, length),
    ]


class Show:
    """Draws the steps done so far, and on a terminal the coverage as it grows."""

    def __init__(self, console: Console, session: FileSession) -> None:
        self.console = console
        self._session = session
        self._took: list[Took] = []
        self._doing = ""
        self._bar = CoverageBar()

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Keep the picture up to date while the body runs; without a terminal show it once, at the end."""
        if self.console.is_terminal:
            with Live(get_renderable=self._now, console=self.console, refresh_per_second=12, transient=True):
                yield
        else:
            yield
        self.console.print(self._table())

    def doing(self, what: str) -> None:
        """Say what goes on."""
        self._doing = what

    def add(self, took: Took) -> None:
        """Add a row."""
        self._took.append(took)

    def _now(self) -> RenderableType:
        self._bar.update(self._session.coverage, self._session.length)
        facts = self._session.statistics()
        have = words.progress(facts.present_bytes, facts.length)
        state = Text(f"  … {self._doing}  ·  {have} here  ·  {facts.fetches_flying} requests in flight", style="dim")
        return Group(self._table(), Text(), self._bar, state)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=self.console.is_terminal)
        table.add_column("what a player does", no_wrap=True)
        table.add_column("first byte", justify="right", no_wrap=True)
        table.add_column("took", justify="right", no_wrap=True)
        table.add_column("fetched", justify="right", no_wrap=True)
        table.add_column("what is here then", ratio=1, min_width=20)
        for each in self._took:
            times = words.seconds(each.first_byte), words.seconds(each.seconds)
            table.add_row(each.step.what, *times, words.size(each.fetched), each.bar)
        return table


class Player:
    """Does the steps, and weighs each."""

    def __init__(self, session: FileSession, stream: Stream, began: float) -> None:
        self._session = session
        self._stream = stream
        self._began = began
        self._fetched = 0
        self.digest = ""
        """SHA-256 of what the last step read."""

    def carry_out(self, step: Step) -> Took:
        """Go and read; the time of the first step counts from before the open."""
        digest, left, first_byte = hashlib.sha256(), step.count, 0.0
        self._stream.seek(step.start)
        with memoryview(bytearray(256 * 1024)) as view:
            while left and (count := self._stream.readinto(view[: min(left, len(view))])):
                first_byte = first_byte or time.perf_counter() - self._began
                digest.update(view[:count])
                left -= count
        before, self._fetched = self._fetched, self._session.statistics().network_bytes
        seconds = time.perf_counter() - self._began
        picture = CoverageBar()
        picture.update(self._session.coverage, self._session.length)
        self.digest, self._began = digest.hexdigest(), time.perf_counter()
        return Took(step, first_byte, seconds, self._fetched - before, picture)


def play(url: str, console: Console) -> str:
    """Do what a player does; return the SHA-256 of the whole as it was read."""
    began = time.perf_counter()
    with File.open(FileConfig(url, store=CACHE, cache_key="demo")) as session, session.stream() as stream:
        player, show = Player(session, stream, began), Show(console, session)
        with show.moving():
            for step in steps(session.length or 0):
                show.doing(step.what)
                show.add(player.carry_out(step))
        session.wait_complete(30)
        return player.digest


def judge(console: Console, origin: Origin, size: int, *, same: bool) -> bool:
    """Say what it comes to, and return whether it is right."""
    sent, asked = origin.bytes_sent(), len(origin.requests())
    console.print()
    requests = "1 request" if asked == 1 else f"{asked} requests"
    console.print(f"The origin was asked {requests} and sent {sent:,} bytes; the file has {size:,}.", highlight=False)
    if sent == 0:
        console.print(
            "0 bytes fetched: all of it was served from the cache. The one request asked for changes.", style="green"
        )
    elif sent < size - WASTE:
        console.print("What an earlier run had fetched was not fetched again. Run it once more.", style="green")
    else:
        console.print("Run it again: it is served from the cache.")
    console.print(
        f"SHA-256 of what was read: {'the same as' if same else 'NOT that of'} the original.",
        style="green" if same else "bold red",
    )
    if sent > size + WASTE:
        console.print(f"{sent - size:,} bytes were fetched in vain.", style="bold red", highlight=False)
    return same and sent <= size + WASTE


def demonstrate(console: Console, folder: Path) -> bool:
    """Make the sound, serve it, play it; return whether all was right."""
    wav = write_wav(folder / "ten minutes.wav", seconds=60 * MINUTES, sample_rate=SAMPLE_RATE, channels=1)
    original = hashlib.sha256(wav.read_bytes()).hexdigest()
    size = wav.stat().st_size
    with Origin(link=LINE) as origin:
        url = origin.serve("/ten%20minutes.wav", wav, etag=f'"{original[:16]}"', media_type="audio/wav")
        console.print(
            f"{words.size(size)} of sound ({MINUTES} min) at {origin.url()}, over a line of 5 MB/s and 50 ms",
            highlight=False,
        )
        console.print()
        digest = play(url, console)
        right = judge(console, origin, size, same=digest == original)
    console.print()
    return right and listen(console)


def listen(console: Console) -> bool:
    """Let the melody be played over the same line; return whether it was heard."""
    mp3 = melody.encoded()
    with Origin(link=LINE) as origin:
        url = origin.serve(
            "/melody.mp3", mp3, etag=f'"{hashlib.sha256(mp3).hexdigest()[:16]}"', media_type="audio/mpeg"
        )
        return melody.play(url, console, CACHE, origin.bytes_sent, len(mp3))


def main() -> int:
    """Run the demonstration and return its exit code."""
    console = Console(width=None if sys.stdout.isatty() else 100)
    try:
        with tempfile.TemporaryDirectory(prefix="kithara-demo-") as folder:
            return 0 if demonstrate(console, Path(folder)) else 1
    except KitharaError as error:
        console.print(f"demo: {error}", style="bold red", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted. What has landed is kept: run it again, and it goes on.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
