"""Programs for children whose processes are killed, or whose disk loses its power, at each of many moments.

The moments are those at which something was done to a file: `Recorder` counts them. Must not know: how many are wanted.
"""

KILLED = """
    # Die after a random one of all the things that are done to files, three times on each store; look at what is left.
    import os
    import signal
    from pathlib import Path
    from random import Random

    import kithara_file.assets.store
    from tests.system.bad_machine import BODY, DATA, claims, reads_right, session_of
    from tests.world.powercut import Recorder

    url, work, seed, count = argv[0], Path(argv[1]), int(argv[2]), int(argv[3])
    random = Random(seed)

    class Executioner(Recorder):
        until = 0

        def _note(self, act):
            super()._note(act)
            if len(self.acts) == self.until:
                os.kill(os.getpid(), signal.SIGKILL)

    def download(store, until, seed):
        random = Random(seed)
        executioner = Executioner(store)
        executioner.until = until
        with executioner:
            with session_of(url, store) as session, session.stream() as stream:
                for _ in range(6):
                    start = stream.seek(random.randrange(BODY.length))
                    assert stream.read(30_000) == DATA[start : start + 30_000]
                session.wait_complete(20)
                (store / "committed").touch()
        print("acts", len(executioner.acts), flush=True)

    def check(store, last):
        committed = (store / "committed").exists()
        assert not committed or claims(url, store) == BODY.length
        if last:
            reads_right(url, store)
            assert claims(url, store) == BODY.length

    def forked(work, *arguments):
        # This process itself has no threads, so that a child of it costs a hundredth of a second.
        child = os.fork()
        if child == 0:
            try:
                work(*arguments)
            except BaseException:
                import traceback
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    deaths = 0
    for number in range(count):
        store = work / f"store {number // 3}"
        ended = forked(download, store, random.choice([random.randrange(1, 30), random.randrange(1, 90)]), number)
        assert ended in (0, -9), ended
        deaths += ended == -9
        assert forked(check, store, number % 3 == 2) == 0, (seed, number)
    print("deaths", deaths)
"""

POWERLESS = """
    # Record a download, then open what each of many power cuts would have left of it, on another boot.
    import shutil
    from pathlib import Path
    from random import Random
    from uuid import UUID

    import kithara_file.assets.store
    import kithara_file.storage.system as system
    from kithara_file import File
    from tests.system.bad_machine import BODY, DATA, claims, config, look
    from tests.world.powercut import Recorder

    url, work, seed, cuts = argv[0], Path(argv[1]), int(argv[2]), int(argv[3])
    # As on one disk: the files after the cut are the same files, and were last touched when it came.
    system.OpenFile.inode = property(lambda self: 7)
    system.OpenFile.stamp = property(lambda self: (1, 2, 3))
    system._BOOT_ID = work / "boot"
    random = Random(seed)
    store = work / "store"
    with Recorder(store) as recorder:
        with File.open(config(url, store)) as session, session.stream() as stream:
            for _ in range(6):
                stream.seek(random.randrange(BODY.length))
                stream.read(20_000)
            session.wait_complete(20)
            committed = len(recorder.acts)
    kinds = {each.kind for each in recorder.acts[:committed]}
    assert kinds >= {"make", "move", "write", "sync", "sync names"}, kinds
    kept = number = 0
    # What is kept of a part is seldom whole: where chance kept none that often, it is asked some more.
    while number < cuts or (not kept and number < 20 * cuts):
        late = number % 5 == 0
        upto = random.randint(committed, len(recorder.acts)) if late else random.randrange(committed)
        after = work / f"after {number}"
        recorder.replay(random, upto, after)
        system._BOOT_ID.write_text(str(UUID(int=number + 1)))
        system.boot_id.cache_clear()
        held = claims(url, after)
        kept += 0 < held < BODY.length
        assert held == BODY.length or not late, (seed, number, upto, held)
        if number % 4 == 0:
            assert look(url, after).data == DATA
        shutil.rmtree(after, ignore_errors=True)
        number += 1
    print("kept a part", kept)
"""
