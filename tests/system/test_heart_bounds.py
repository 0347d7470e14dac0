"""Memory, threads and descriptors stay bounded, in long lives, in forked children and at the end of the interpreter."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from kithara_file import AssetStore, File, FileConfig, Stream, open_file
from tests.system.kit import SOON
from tests.world import Origin, PatternBody, StallAt, digest
from tests.world.crash import Child, run_child
from tests.world.nginx import Nginx

pytestmark = pytest.mark.system

MIB = 1 << 20
BODY = PatternBody(2 * MIB + 5, seed=12)


READ_THROUGH = """
    # Read everything, and tell how much memory that took beyond the import.
    url, store = argv
    import resource

    from kithara_file import File, FileConfig, Stream

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    total = 0
    buffer = bytearray(1 << 16)
    with Stream.open(File, FileConfig(url, store=store)) as stream:
        while count := stream.readinto(buffer):
            total += count
    print(total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_size_of_the_file(nginx: Nginx, site: Path, store_dir: Path) -> None:
    spent: list[int] = []
    for size in (64 * MIB, 1024 * MIB):
        with (site / f"{size}.bin").open("wb") as out:
            out.truncate(size)
        total, kilobytes = map(int, run_child(READ_THROUGH, nginx.url(f"/{size}.bin"), store_dir, timeout=100).split())
        assert total == size
        spent.append(kilobytes * 1024)
    assert max(spent) <= 80 * MIB
    assert spent[1] <= spent[0] + 16 * MIB


def test_sixty_four_sessions_run_in_one_thread(origin: Origin, store_dir: Path) -> None:
    before = set(threading.enumerate())
    with AssetStore(store_dir) as store, ExitStack() as opened, ThreadPoolExecutor(8) as pool:

        def opening(number: int) -> Stream:
            url = origin.serve(f"/{number}", BODY, always=[StallAt(MIB)])
            return Stream.open(File, FileConfig(url, store=store))

        streams = [opened.enter_context(each) for each in pool.map(opening, range(64))]
        assert all(each.read(100_000) == BODY[:100_000] for each in streams)
        names = [each.name for each in set(threading.enumerate()) - before if each.name.startswith("kithara-file")]
        assert [each for each in names if each != "kithara-file-disk"] in ([], ["kithara-file"])
        assert [each.name for each in threading.enumerate()].count("kithara-file") == 1


def test_two_thousand_opens_and_closes_leave_nothing(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", b"x" * 1000, headers={"Cache-Control": "max-age=3600"})

    def descriptors() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    def some(count: int) -> None:
        for _ in range(count):
            with open_file(url, store=store) as file:
                assert file.read() == b"x" * 1000

    with AssetStore(store_dir) as store:
        some(50)
        before, threads = descriptors(), threading.active_count()
        some(2000)
        assert descriptors() <= before + 2
        assert threading.active_count() <= threads + 1
    assert len(origin.requests()) == 1


def test_opens_and_closes_in_the_middle_of_downloads_leave_nothing(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY)
    with AssetStore(store_dir) as store, ThreadPoolExecutor(4) as pool:

        def one(number: int) -> bool:
            start = number * 977 % BODY.length
            with Stream.open(File, FileConfig(f"{url}?{number % 7}", store=store)) as stream:
                stream.seek(start)
                return stream.read(500) == BODY[start : start + 500]

        assert all(pool.map(one, range(200)))
    origin.wait_disconnected()


FORKING = """
    import os, sys
    from kithara_file import open_file
    url, store, other = argv
    file = open_file(url, store=store)
    head = file.read(1000)
    file.seek(1 << 20)
    child = os.fork()
    if child == 0:
        with open_file(other, store=store) as fresh:
            fresh.seek(-10, 2)
            assert len(fresh.read()) == 10
        with open_file(url, store=store) as again:
            assert again.read(1000) == head
        file.close()
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    file.seek(0)
    print(len(file.read()))
"""


def test_after_a_fork_both_processes_open_and_read(origin: Origin, store_dir: Path) -> None:
    url, other = origin.serve("/song", BODY), origin.serve("/other", BODY)
    assert run_child(FORKING, url, store_dir, other) == str(BODY.length)


ORPHANED = """
    import os
    from kithara_file import open_file, KitharaError
    url, store = argv
    file = open_file(url, store=store)
    child = os.fork()
    if child == 0:
        try:
            file.seek(1 << 20)
            file.read(10)
        except (KitharaError, OSError, ValueError) as error:
            print("refused", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    print("over", flush=True)
"""


def test_a_stream_from_before_the_fork_does_not_hang_in_the_child(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, always=[StallAt(1000)])
    with Child(ORPHANED, url, store_dir) as child:
        assert child.next_line() == "refused"
        assert child.next_line() == "over"
        assert child.wait() == 0


@pytest.mark.parametrize(
    "end", ["pass", "sys.exit(0)", "del sys.modules['kithara_file']", "import gc; gc.disable(); file.me = file"]
)
def test_the_interpreter_ends_quickly_and_silently_with_sessions_open(
    origin: Origin, store_dir: Path, end: str
) -> None:
    url = origin.serve("/song", BODY, always=[StallAt(MIB)])
    program = f"""
        import sys
        from kithara_file import File, FileConfig, open_file
        file = open_file(argv[0], store=argv[1])
        session = File.open(FileConfig(argv[0], store=argv[1]))
        stream = session.stream()
        file.read(10)
        print("open", flush=True)
        {end}
    """
    with Child(program, url, store_dir) as child:
        child.wait_line("open")
        assert child.wait(timeout=SOON) == 0
        assert child.errors == []


def test_the_interpreter_ends_while_a_daemon_thread_is_blocked(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, always=[StallAt(1000)])
    program = """
        import threading
        from kithara_file import open_file
        file = open_file(argv[0], store=argv[1])
        threading.Thread(target=file.read, daemon=True).start()
        print("open", flush=True)
    """
    with Child(program, url, store_dir) as child:
        child.wait_line("open")
        assert child.wait(timeout=SOON) == 0


def test_what_landed_before_the_end_of_the_interpreter_is_kept(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, faults=[StallAt(MIB)])
    run_child(
        "from kithara_file import open_file\nf = open_file(*argv[:1], store=argv[1])\nf.read(1 << 20)", url, store_dir
    )
    with open_file(url, store=store_dir) as file:
        assert file.read() == BODY[:]
    assert origin.bytes_sent("/song") == BODY.length


ALL_OF_IT = """
    # Read at random, then everything; tell the digest.
    url, store, seed = argv
    from hashlib import sha256
    from random import Random

    from kithara_file import open_file

    random = Random(int(seed))
    with open_file(url, store=store) as file:
        for _ in range(20):
            file.seek(random.randrange(2 << 20))
            file.read(random.randrange(100_000))
        file.seek(0)
        print(sha256(file.read()).hexdigest())
"""


def test_processes_that_share_a_store_read_right_bytes(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY)
    with ExitStack() as running:
        children = [running.enter_context(Child(ALL_OF_IT, url, store_dir, seed)) for seed in range(4)]
        assert {each.output(3 * SOON) for each in children} == {digest(BODY)}
    with open_file(url, store=store_dir, offline_mode=True) as file:
        assert file.read() == BODY[:]
