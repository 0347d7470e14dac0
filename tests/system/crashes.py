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
                session.wait_complete(30)
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
    import kithara_file.session.session as hall
    import kithara_file.storage.system as system
    from kithara_file import File
    from tests.system.bad_machine import BODY, DATA, claims, config, look
    from tests.world.powercut import Recorder

    url, work, seed, cuts = argv[0], Path(argv[1]), int(argv[2]), int(argv[3])
    # As on one disk: the files after the cut are the same files, and were last touched when it came.
    system.OpenFile.inode = property(lambda self: 7)
    system.OpenFile.stamp = property(lambda self: (1, 2, 3))
    system._BOOT_ID = work / "boot"
    hall.FLUSH_SECONDS = 0.0  # the journal grows with each chunk, and not in as many steps as this machine is slow
    random = Random(seed)
    store = work / "store"
    with Recorder(store) as recorder:
        with File.open(config(url, store)) as session, session.stream() as stream:
            for _ in range(6):
                stream.seek(random.randrange(BODY.length))
                stream.read(20_000)
            session.wait_complete(30)
            committed = len(recorder.acts)
    kinds = {each.kind for each in recorder.acts[:committed]}
    assert kinds >= {"make", "move", "write", "sync", "sync names"}, kinds

    class Merciful(Random):
        # Lets everything come to the disk that was written before the cut.
        def random(self):
            return 0.0

        def randint(self, least, greatest):
            return greatest

    for number in range(cuts):
        late = number % 5 == 0
        upto = random.randint(committed, len(recorder.acts)) if late else random.randrange(committed)
        after = work / f"after {number}"
        recorder.replay(random, upto, after)
        system._BOOT_ID.write_text(str(UUID(int=number + 1)))
        system.boot_id.cache_clear()
        held = claims(url, after)
        assert held == BODY.length or not late, (seed, number, upto, held)
        if number % 4 == 0:
            assert look(url, after).data == DATA
        shutil.rmtree(after, ignore_errors=True)
    middle = max(place for place, each in enumerate(recorder.acts[:committed]) if each.kind == "write") // 2
    recorder.replay(Merciful(), middle, work / "in the middle")
    system._BOOT_ID.write_text(str(UUID(int=cuts + 1)))
    system.boot_id.cache_clear()
    print("kept a part", claims(url, work / "in the middle"))
"""
