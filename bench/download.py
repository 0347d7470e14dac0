"""Rows about whole files on their way from an origin to the disk."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from bench.line import shaped
from bench.measure import OURS, Contest, Outcome, Row, Sample, at_least, at_most, contest
from bench.places import GIB, MIB, forget, nginx_with
from bench.rivals import OUR_OWN, SAVERS, Contender, command, curl, saving, workers

WHOLE = Contender("whole_kithara", inside=True)
COPY = Contender("copy", inside=True)
OWN_FILE = "a copy of nginx's own file"
SYNCED = "`curl -o` and `fdatasync`"
BESIDE = 2
"""Rounds of those who stand beside and are no goal's measure."""


def against_curl(*, tls: bool = False, http2: bool = False, everybody: bool = False) -> Contest:
    """Race 1 GiB from nginx into the cache, with a reader draining it, with ``curl -o`` onto the same disk."""
    others = SAVERS | {OWN_FILE: COPY} if everybody else {}
    with nginx_with(GIB, tls=tls, http2=http2) as (url, folder, server), workers({OURS: OUR_OWN, **others}) as made:
        trust = {"ca_file": str(server.ca_file)} if tls else {}
        more = ("--cacert", trust["ca_file"]) if tls else ()
        run: dict[str, Callable[[], Sample]] = {
            name: partial(saving, each, url, folder / "out", options=trust if name == OURS else {})
            for name, each in made.items()
            if name != OWN_FILE
        }
        run["curl"] = curl(url, folder / "curl.out", *more)
        if everybody:
            run["rclone"] = _rclone(url, folder / "rclone.out")
            run[OWN_FILE] = partial(saving, made[OWN_FILE], str(server.folder / "big.bin"), folder / "out")
        saving(made[OURS], url, folder / "out", options=trust)  # the first one also warms the page cache of the origin
        return contest(run, fewer=dict.fromkeys((*others, "rclone"), BESIDE))


def _rclone(url: str, out: Path) -> Callable[[], Sample]:
    run = command("rclone", "copyurl", "--config", "/dev/null", url, str(out))

    def measured() -> Sample:
        sample = run()
        forget(out)
        return sample

    return measured


def url_to_cache(*, tls: bool = False, http2: bool = False, everybody: bool = False) -> Outcome:
    """Tell wall and CPU beside curl's, and everybody else's wall."""
    taken = against_curl(tls=tls, http2=http2, everybody=everybody)
    note = "closed, and given to the disk behind that: `get` waits for it"
    return Outcome((taken.speed("curl"), taken.share("curl", "cpu")), (note,), taken.rivals)


def checksums() -> Outcome:
    """Compare it with itself, keeping no checksums; of half the size, to stay at half the time."""
    with nginx_with(GIB // 2) as (url, folder, _), workers({OURS: OUR_OWN}) as made:
        run = partial(saving, made[OURS], url, folder / "out")
        run()
        taken = contest({OURS: run, "without": partial(run, options={"checksums": False})})
        cpu = taken.share("without", "cpu").figure
        return Outcome((taken.share("without"),), (f"CPU {cpu}",))


def kithara() -> str:
    """Return the path of the command of this environment."""
    return str(Path(sys.executable).with_name("kithara"))


def getting() -> Outcome:
    """Compare the commands, with the start of their processes."""
    with nginx_with(GIB) as (url, folder, _):
        numbers = count()

        def ours() -> Sample:
            store = folder / f"store{next(numbers)}"
            sample = command(kithara(), "get", "-q", "--cache-dir", str(store), url)()
            forget(store)
            return sample

        durable = {SYNCED: curl(url, folder / "synced.out", sync=True)}
        taken = contest({OURS: ours, "curl": curl(url, folder / "curl.out"), **durable})
        notes = (
            f"CPU {taken.share('curl', 'cpu').figure} of curl's",
            f"{taken.speed(SYNCED).figure} of the speed of {SYNCED}",
        )
        return Outcome((taken.speed("curl"),), notes)


def bulk() -> Outcome:
    """Compare four connections with one, on a line that gives 5 MB/s to each connection."""
    with (
        nginx_with(48 * MIB) as (url, folder, _),
        shaped(url, rtt=0.05, rate=5e6, each=True) as line,
        workers({OURS: WHOLE}) as made,
    ):

        def run(connections: int) -> Sample:
            return saving(made[OURS], line.fresh(), folder / "out", options={"connections": connections})

        run(1)
        taken = contest({OURS: partial(run, 4), "one": partial(run, 1)})
        return Outcome((taken.speed("one"),))


def burning() -> Outcome:
    """Compare downloads beside a thread of the same process that holds the interpreter all the time."""
    size = 64 * MIB
    contenders = {OURS: OUR_OWN, "aiohttp": SAVERS["aiohttp"], "http.client, 1 MiB": Contender("http_client")}
    with nginx_with(size) as (url, folder, _), workers(contenders) as made:
        taken = contest({name: partial(saving, each, url, folder / "out", burn=True) for name, each in made.items()})
        rates = [
            f"{each.name} {size / 1e6 / each.seconds.median:.0f} MB/s"
            for each in taken.rivals
            if each.seconds is not None
        ]
        return Outcome((taken.speed("aiohttp"),), (", ".join(rates),), taken.rivals)


WALL = at_least(0.85, "speed")
CPU = at_most(2.0, of="CPU")

COPIES = (
    "A byte is written, checksummed and read again by the reader; curl writes it and is done. The rounds differ by "
    "more than what is looked for."
)
RECORDS = (
    "libcurl hands over one TLS record of 16 KiB at a time through a Python callback: 65 000 for 1 GiB. In a profile "
    "of the thread that does it a fifth of the samples are in the copy to the page cache, an eighth in the cipher, a "
    "quarter in Python, a tenth in memmove and checksums. The server of the row has one of the two processors, which "
    "slow each other down: the same code took 2.1 s in one run and 4.0 s in the next."
)
BURNING = (
    "Whenever the background thread waits, the other thread takes the interpreter and keeps it for 5 ms: what counts "
    "is how often it waits. A new cache is made and committed within the row, half a second of such waits; in between "
    "60 MB/s come over the network."
)

ROWS = (
    Row(
        "url-to-cache",
        "1 GiB URL → cache, reader draining, loopback nginx",
        "`curl -o`",
        (WALL, CPU),
        partial(url_to_cache, everybody=True),
        why=COPIES,
    ),
    Row(
        "url-to-cache-tls",
        "the same over TLS 1.3",
        "`curl -o`",
        (WALL, CPU),
        partial(url_to_cache, tls=True),
        why=RECORDS,
    ),
    Row(
        "url-to-cache-h2",
        "the same over TLS and HTTP/2",
        "`curl -o`",
        (WALL, CPU),
        partial(url_to_cache, tls=True, http2=True),
        why=RECORDS,
    ),
    Row(
        "checksums",
        "512 MiB URL → cache, with checksums",
        "without",
        (at_most(1.05, of="time"),),
        checksums,
        why="The spread of the rounds is larger than what is looked for.",
    ),
    Row(
        "get",
        "`kithara get` 1 GiB, process included",
        "`curl -o`",
        (at_least(0.75, "speed"),),
        getting,
        why="It ends when the disk has every byte, for which curl does not wait: see the notes. Up to a second goes by "
        "before the first request: the interpreter, libcurl and the command are loaded, and compiled where Python may "
        "not keep what it compiles. In an hour in which the disk was quick, 0.89 was reached.",
    ),
    Row(
        "bulk",
        "48 MiB, 5 MB/s for each connection: 4 connections",
        "1 connection",
        (at_least(3.5, "speed"),),
        bulk,
    ),
    Row(
        "burning",
        "64 MiB beside a thread that burns the GIL",
        "aiohttp",
        (at_least(1.5, "speed"),),
        burning,
        why=BURNING,
    ),
)
