"""Whatever comes in the midst of a fork, every lock is free after it."""

from __future__ import annotations

import gc
from pathlib import Path

from kithara_file.storage.forking import ForkLocks, Living
from kithara_file.storage.platform import lock_of_forks
from tests.world.crash import run_child

FORK = """
    import os, sys, threading
    from pathlib import Path
    from kithara_file.storage import platform
    from tests.unit.assets.test_database import Words

    told = []
    sys.unraisablehook = lambda fault: told.append(fault.exc_value)

    def fork(step):
        # Fork, and do `step` with the number of each step that Python takes in the hooks of the parent.
        def taken(frame, event, _):
            if os.getpid() != parent or frame.f_code is fork.__code__:
                return sys.settrace(None)
            if "logging" in frame.f_code.co_filename:  # its hooks are its own
                return None
            frame.f_trace_opcodes = True
            steps.append(event)
            step(len(steps) - 1)
            return taken
        steps, parent = [], os.getpid()
        sys.settrace(taken)
        child = os.fork()
        sys.settrace(None)
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
        return len(steps)

    locks = [platform.lock_of_forks() for _ in range(2)]
    words = [Words(Path(argv[0]))]
    words[0].add("parent")
"""


def test_a_fork_minds_no_lock_that_another_thread_makes_meanwhile(tmp_path: Path) -> None:
    said = run_child(
        FORK
        + """
    def make_another(step):
        if step % 16 == 0:
            locks.append(platform.lock_of_forks())
            words.append(Words(Path(argv[0])))

    made = fork(make_another)
    print(made > 20, told)
        """,
        tmp_path,
    )
    assert said == "True []"


def test_ctrl_c_at_any_step_of_a_fork_leaves_no_lock_held(tmp_path: Path) -> None:
    said = run_child(
        FORK
        + """
    def free():
        takes = [each.acquire(timeout=0) and each.release() is None for each in locks]
        return all(takes) and not words[0].database._mutex.locked() and words[0].all() == ["parent"]

    def interrupted(at):
        def step(now):
            if now == at:
                raise KeyboardInterrupt
        fork(step)

    steps = fork(lambda _: None)
    for at in range(steps):
        thread = threading.Thread(target=interrupted, args=(at,))  # forks for the first time
        thread.start()
        thread.join(10)
        assert free(), at
    print(steps > 20, {type(each).__name__ for each in told})
        """,
        tmp_path,
    )
    assert said == "True {'KeyboardInterrupt'}"


def test_no_thread_begins_to_use_sqlite_in_the_midst_of_a_fork(tmp_path: Path) -> None:
    said = run_child(
        """
        import os, threading
        from pathlib import Path
        begun, seen, threads = threading.Event(), [], []
        def begin():
            Words(Path(argv[0])).add("meanwhile")
            begun.set()
        def meanwhile():
            threads.append(threading.Thread(target=begin))
            threads[0].start()
            seen.append(begun.wait(0.5))
        os.register_at_fork(before=meanwhile)       # whose turn comes after those which are registered later
        from tests.unit.assets.test_database import Words
        child = os.fork()
        if not child:
            os._exit(0 if Words(Path(argv[0])).add("child") == 1 else 1)
        threads[0].join(30)
        print(os.waitpid(child, 0)[1], seen, begun.is_set())
        """,
        tmp_path,
    )
    assert said == "0 [False] True"


def test_what_is_taken_is_told_and_let_go_once() -> None:
    forks, locks = ForkLocks(), [lock_of_forks() for _ in range(3)]
    assert forks.take(locks, 0.1) == locks
    assert repr(forks) == "<ForkLocks 3 held here>"
    for _ in range(2):
        forks.let_go()
        assert not any(each._is_owned() for each in locks)  # type: ignore[attr-defined]


def test_only_what_lives_is_known() -> None:
    one, two = lock_of_forks(), lock_of_forks()
    living = Living(one, two)
    assert set(living) == {one, two}
    del two
    gc.collect()
    assert list(living) == [one]
    assert repr(living) == "<Living 1>"
