"""What may happen to the process itself: forks at any moment, an end at any moment, streams that nobody closes."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path

import pytest

from kithara_file import File, open_file
from tests.leaks import take_stock
from tests.system.bad_machine import BODY, DATA, claims, config, fill, serve
from tests.world import CloseDelimited, Link, Origin, StallAt
from tests.world.crash import Child, run_child
from tests.world.fixtures import MakeOrigin

pytestmark = pytest.mark.system

PROMPT_SECONDS = 1.0
"""How long the end of an interpreter may take, of one at least out of several: the machine may be busy meanwhile."""
TRIES = 10


# -- fork ------------------------------------------------------------------------------------------------------------

FORKING_AT_RANDOM = """
    # Threads read while the process forks again and again; every child reads what it inherited and opens anew.
    import os, sys, threading
    from random import Random
    from kithara_file import Cancelled, File, KitharaError, StreamClosed
    from tests.system.bad_machine import DATA, config, look
    url, store, ca_file, forks = argv[0], argv[1], argv[2] or None, int(argv[3])
    session = File.open(config(url, store, ca_file=ca_file, look_ahead_bytes=64 << 10))
    stop = threading.Event()
    wrong = []

    def read(seed):
        random = Random(seed)
        with session.stream() as stream:
            while not stop.is_set():
                start = stream.seek(random.randrange(len(DATA)))
                if stream.read(3000) != DATA[start:start + 3000]:
                    wrong.append(start)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    inherited = session.stream()

    def in_child(number):
        refused = 0
        for start in range(0, len(DATA), 50_000):
            inherited.seek(start)
            try:
                assert inherited.read(1000) == DATA[start:start + 1000], start
            except Cancelled:
                refused += 1
        if number % 3 == 0:
            assert look(url, store, ca_file=ca_file).data == DATA
        if number % 3 == 1:
            inherited.close()
            session.close()

    for number in range(forks):
        child = os.fork()
        if child == 0:
            try:
                in_child(number)
            except BaseException as error:
                print("child", repr(error), flush=True)
                os._exit(1)
            if number % 2:
                os._exit(0)
            for each in threads:
                each._tstate_lock = None
            sys.exit(0)              # the whole end of an interpreter, with all that was inherited
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status == 0, (number, status)
    stop.set()
    for thread in threads:
        thread.join()
    inherited.seek(0)
    assert inherited.read() == DATA
    inherited.close()
    session.wait_complete(30)
    session.close()
    print("wrong", wrong)
"""


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_forks_at_any_moment_hang_no_child_and_disturb_no_parent(
    make_origin: MakeOrigin, store_dir: Path, tls: bool
) -> None:
    origin = make_origin(tls=tls, link=Link(rate=4e6))
    with Child(FORKING_AT_RANDOM, serve(origin), store_dir, origin.ca_file if tls else "", 12) as child:
        assert child.output(timeout=100) == "wrong []"
        assert child.errors == []


PRESENT_AND_MISSING = """
    import os
    from kithara_file import Cancelled, open_file
    from tests.system.bad_machine import DATA
    file = open_file(argv[0], store=argv[1], buffering=1)
    assert file.read(1000) == DATA[:1000]
    if os.fork() == 0:
        file.seek(0)
        print(file.read(1000) == DATA[:1000], flush=True)
        try:
            file.read(1)
        except Cancelled as error:
            print(isinstance(error, OSError), error, flush=True)
        os._exit(0)
    os.wait()
"""


def test_in_the_child_of_a_fork_what_is_present_is_read_and_what_is_missing_is_a_typed_error(
    origin: Origin, store_dir: Path
) -> None:
    url = origin.serve("/song", BODY, always=[StallAt(1000)])
    said = run_child(PRESENT_AND_MISSING, url, store_dir).splitlines()
    assert said[0] == "True"
    assert said[1].startswith("True ")
    assert "fork" in said[1]


# -- the end of the interpreter --------------------------------------------------------------------------------------

ENDS = {
    "idle": "",
    "with a blocked reader in a daemon thread": """
        import threading
        threading.Thread(target=stream.read, daemon=True).start()
        """,
    "with a blocked opening in a daemon thread": """
        import threading
        threading.Thread(target=open_file, args=(argv[2],), kwargs={"store": argv[1]}, daemon=True).start()
        """,
    "with a subscriber": """
        session.events.subscribe(print)
        """,
    "with an exception": """
        raise SystemExit(0)
        """,
    "with a detached download": """
        detached = File.open(config(argv[0] + "?detached", argv[1], detach=True, look_ahead_bytes=None))
        detached.stream().read(10)
        detached.close()
        """,
    "with a cycle": """
        session.me, stream.me = session, stream
        """,
}


@pytest.mark.parametrize("act", ENDS.values(), ids=list(ENDS))
def test_the_interpreter_ends_within_a_second_and_in_silence(origin: Origin, store_dir: Path, act: str) -> None:
    url = origin.serve("/song", BODY, always=[StallAt(300_000)])
    silent = origin.serve("/silent", BODY, always=[CloseDelimited(), StallAt(0)])
    program = f"""
        from kithara_file import File, open_file
        from tests.system.bad_machine import config
        session = File.open(config(argv[0], argv[1]))
        stream = session.stream()
        stream.read(10)
        print("open", flush=True)
        {act.strip().replace(chr(10) + "        ", chr(10) + "        ")}
    """

    def seconds_of_an_end() -> float:
        with Child(program, url, store_dir, silent) as child:
            child.wait_line("open")
            since = time.monotonic()
            assert child.wait() == 0
            assert child.errors == []
            return time.monotonic() - since

    assert any(seconds_of_an_end() < PROMPT_SECONDS for _ in range(TRIES))
    assert claims(url, store_dir) >= 10


def test_the_interpreter_does_not_wait_for_a_commit_on_a_slow_disk(origin: Origin, store_dir: Path) -> None:
    program = """
        import threading, time
        from pathlib import Path
        import kithara_file.storage.system as system
        from kithara_file import File
        from tests.system.bad_machine import config
        begun = threading.Event()
        sync = system.OpenFile.sync
        def slow(self):
            begun.set()
            time.sleep(600)                # a disk that takes its time
            sync(self)
        system.OpenFile.sync = slow
        session = File.open(config(argv[0], argv[1]))
        threading.Thread(target=session.wait_complete, daemon=True).start()
        assert begun.wait(30)
        print("committing", flush=True)
    """
    url = serve(origin)
    with Child(program, url, store_dir) as child:
        child.wait_line("committing")
        assert child.wait() == 0
        assert child.errors == []
    assert claims(url, store_dir) == BODY.length


def test_whoever_opens_or_reads_after_the_end_has_begun_is_told(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, always=[StallAt(1000)])
    program = """
        import atexit

        def too_late():
            for read in (lambda: open_file(argv[0], store=argv[1] + "/other"), lambda: file.read()):
                try:
                    read()
                except Cancelled as error:
                    print(error)

        atexit.register(too_late)      # before the library's own, and so run after it
        from kithara_file import Cancelled, open_file
        file = open_file(argv[0], store=argv[1])
    """
    said = run_child(program, url, store_dir).splitlines()
    assert len(said) == 2
    assert all("the interpreter ends" in each for each in said)


# -- streams that nobody closes --------------------------------------------------------------------------------------


def test_streams_that_are_dropped_unread_half_read_or_in_cycles_leave_nothing(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, always=[StallAt(500_000)])
    before = len(take_stock().descriptors)
    for number in range(20):
        file = open_file(url, store=store_dir)
        if number % 3:
            file.read(number * 1000)
        if number % 2:
            file.raw.me = file  # type: ignore[attr-defined]
        session = File.open(config(url, store_dir))
        streams = [session.stream() for _ in range(3)]
        streams[0].read(10)
        del file, session, streams
    gc.collect()
    origin.wait_disconnected()
    assert len(take_stock().descriptors) <= before + 16


def test_a_thousand_opens_and_closes_grow_nothing(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "max-age=600"})
    fill(url, store_dir)

    def rounds(count: int) -> tuple[int, int, int]:
        for number in range(count):
            with open_file(url, store=store_dir) as file:
                file.seek(number * 997 % BODY.length)
                assert file.read(10) == DATA[file.tell() - 10 : file.tell()]
        gc.collect()
        stock = take_stock()
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        threads = [each for each in stock.threads if each.name != "kithara-file-disk"]  # that one goes by itself
        return len(stock.descriptors), len(threads), resident

    warm = rounds(200)
    after = rounds(800)
    assert after[0] <= warm[0] + 2
    assert after[1] <= warm[1]
    assert after[2] <= warm[2] + (4 << 20)


# -- open files ------------------------------------------------------------------------------------------------------

TOO_MANY_FILES = """
    # Fork after fork: each has room for one more open file than the one before it when it opens for the first time.
    import logging, os, resource
    from pathlib import Path
    from kithara_file import KitharaError, Retry, open_file
    from kithara_file.session import registry  # what is loaded later needs files too
    from tests.system.bad_machine import DATA
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
    tracebacks = []

    class Ear(logging.Handler):
        def emit(self, record):
            tracebacks.extend([record] if record.exc_info else [])

    logging.getLogger().addHandler(Ear())

    def meet(room):
        full = []
        try:
            while True:
                full.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            pass
        for each in full[:room]:
            os.close(each)
        try:
            with open_file(argv[0], store=Path(argv[1]) / str(room), retry=Retry(retries=1, first_delay=0.01)) as file:
                assert file.read() == DATA
            return "read"
        except KitharaError:
            return "told"

    for room in range(14):
        child = os.fork()
        if child == 0:
            try:
                told = meet(room)
            except BaseException as error:
                told = repr(error)
            finally:
                print(told, len(tracebacks), flush=True)
                os._exit(0)
        os.waitpid(child, 0)
"""


def test_whoever_opens_where_no_more_files_may_be_open_reads_or_is_told(origin: Origin, tmp_path: Path) -> None:
    found = run_child(TOO_MANY_FILES, serve(origin), tmp_path).split("\n")
    assert len(found) == 14
    assert set(found) <= {"read 0", "told 0"}
    assert found[0] == "told 0"
