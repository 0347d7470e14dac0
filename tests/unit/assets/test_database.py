"""A sqlite file that nobody's success depends on."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from kithara_file.assets.database import Database, Schema
from kithara_file.assets.eviction import Usage
from kithara_file.assets.index import Index
from kithara_file.assets.locks import FileLock
from tests.world.clock import FakeClock
from tests.world.crash import run_child

SCHEMA = Schema(application=77, version=3, script="CREATE TABLE words (word TEXT);\nCREATE INDEX i ON words (word);")


class Words:
    """What the tests keep in the file."""

    def __init__(self, folder: Path, schema: Schema = SCHEMA) -> None:
        self.clock = FakeClock()
        self.path = folder / "a b?#%.sqlite3"
        self.database = Database(self.path, folder / "lock", schema, self.clock)

    def add(self, word: str) -> int:
        return self.database.ask(lambda sql: sql.execute("INSERT INTO words VALUES (?)", (word,)).rowcount, -1)

    def all(self) -> list[str] | None:
        return self.database.ask(lambda sql: [each for (each,) in sql.execute("SELECT word FROM words")], None)


@pytest.fixture
def words(tmp_path: Path) -> Iterator[Words]:
    words = Words(tmp_path)
    yield words
    words.database.close()


def test_what_was_said_is_known_to_others_and_later(words: Words, tmp_path: Path) -> None:
    assert words.add("a") == 1
    other = Words(tmp_path)
    assert other.all() == ["a"]
    other.database.close()
    assert words.all() == ["a"]


def test_the_name_of_a_folder_may_have_bytes_that_are_no_letters(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(bytes(tmp_path) + b"/\xff"))
    folder.mkdir()
    words = Words(folder)
    words.add("one")
    assert words.all() == ["one"]
    words.database.close()


def test_nothing_is_opened_before_a_question(words: Words) -> None:
    assert not words.path.exists()


def test_every_file_is_for_its_owner_only(words: Words) -> None:
    words.add("a")
    files = list(words.path.parent.iterdir())
    assert len(files) == 4
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


@pytest.mark.parametrize("garbage", [b"garbage" * 5000, b"", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_made_anew(words: Words, garbage: bytes) -> None:
    words.path.write_bytes(garbage)
    assert words.add("a") == 1
    assert words.all() == ["a"]


def test_a_file_of_other_tables_is_made_anew(words: Words) -> None:
    with closing(sqlite3.connect(words.path)) as other:
        other.execute("CREATE TABLE words (other TEXT)")
    assert words.add("a") == 1
    assert words.all() == ["a"]


def test_a_file_that_is_damaged_under_us_is_made_anew(words: Words) -> None:
    words.add("a")
    with closing(sqlite3.connect(words.path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    words.path.write_bytes(b"garbage" * 5000)
    words.all()
    words.add("b")
    assert "b" in (words.all() or [])


def test_a_file_that_is_deleted_under_us_is_made_anew(words: Words) -> None:
    words.add("a")
    for each in words.path.parent.iterdir():
        each.unlink()
    assert words.all() == []
    words.add("b")
    assert words.all() == ["b"]


def test_a_file_alone_deleted_under_us_leaves_its_log_unread(words: Words) -> None:
    words.add("a")
    words.path.unlink()
    assert words.all() == []


def test_a_link_is_removed_and_not_written_through(words: Words, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"")
    words.path.symlink_to(victim)
    assert words.add("a") == 1
    assert victim.read_bytes() == b""
    assert not words.path.is_symlink()


def test_a_later_format_is_left_alone_and_done_without(words: Words, tmp_path: Path) -> None:
    later = Words(tmp_path, replace(SCHEMA, version=4))
    later.add("a")
    assert words.all() is None
    assert later.all() == ["a"]
    later.database.close()


@pytest.mark.parametrize("opened_later", ["stays open", "is closed"])
def test_another_connection_of_the_process_leaves_the_first_its_locks(
    words: Words, tmp_path: Path, opened_later: str
) -> None:
    """Or else the next process to close it believes that it is the last, and deletes the log under us."""
    words.add("a")
    later = Words(tmp_path)
    assert later.all() == ["a"]
    if opened_later == "is closed":
        later.database.close()
    assert run_child(LOOK, tmp_path) == "['a']"
    words.add("b")
    assert run_child(LOOK, tmp_path) == "['a', 'b']"
    later.database.close()


LOOK = """
    from pathlib import Path
    from tests.unit.assets.test_database import Words
    words = Words(Path(argv[0]))
    print(words.all())
    words.database.close()
"""


def test_a_pipe_in_its_place_is_done_without(words: Words) -> None:
    os.mkfifo(words.path)
    assert words.all() is None
    assert words.path.is_fifo()


def test_a_directory_in_its_place_is_done_without(words: Words) -> None:
    words.path.mkdir()
    assert words.all() is None
    assert words.path.is_dir()


def test_a_missing_folder_is_done_without(tmp_path: Path) -> None:
    words = Words(tmp_path / "missing")
    assert words.all() is None
    assert not (tmp_path / "missing").exists()


def test_a_locked_file_is_done_without_for_a_while(words: Words) -> None:
    words.add("a")
    with closing(sqlite3.connect(words.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert words.add("b") == -1
        other.execute("COMMIT")
    assert words.add("c") == -1
    words.clock.advance(31.0)
    assert words.add("d") == 1
    assert words.all() == ["a", "d"]


def test_a_file_that_another_process_is_making_or_replacing_is_done_without(words: Words, tmp_path: Path) -> None:
    words.path.write_bytes(b"garbage" * 5000)
    with closing(FileLock(tmp_path / "lock")) as lock:
        assert lock.try_alone()
        assert words.add("a") == -1
    assert words.path.read_bytes().startswith(b"garbage")


def test_a_mistake_in_the_tables_undoes_all_of_them(tmp_path: Path) -> None:
    words = Words(tmp_path, replace(SCHEMA, script=SCHEMA.script + "\nCREATE TABLE words (again TEXT);"))
    assert words.all() is None
    words.database.close()


def test_after_close_nothing_is_answered(words: Words) -> None:
    words.add("a")
    words.database.close()
    words.database.close()
    assert words.all() is None
    assert "closed" in repr(words.database)


def test_a_forked_child_asks_by_a_connection_of_its_own(tmp_path: Path) -> None:
    said = run_child(
        """
        import os
        from pathlib import Path
        from tests.unit.assets.test_database import Words
        words = Words(Path(argv[0]))
        words.add("parent")
        inherited = words.database._connection
        words.database._mutex.acquire()         # as if another thread were asking
        child = os.fork()
        if not child:
            words.add("child")
            assert words.database._connection is not inherited
            words.database.close()
            os._exit(0)
        words.database._mutex.release()
        print(os.waitpid(child, 0)[1], words.all())
        """,
        tmp_path,
    )
    assert said == "0 ['parent', 'child']"


def test_a_child_that_only_closes_leaves_its_parents_connection_alone(tmp_path: Path) -> None:
    said = run_child(
        """
        import os
        from pathlib import Path
        from tests.unit.assets.test_database import Words
        words = Words(Path(argv[0]))
        words.add("parent")
        words.database._mutex.acquire()
        child = os.fork()
        if not child:
            words.database.close()
            os._exit(0 if words.all() is None else 1)
        words.database._mutex.release()
        print(os.waitpid(child, 0)[1], words.all())
        """,
        tmp_path,
    )
    assert said == "0 ['parent']"


def test_what_a_forked_child_opens_is_locked(tmp_path: Path) -> None:
    """Or else the next process to close it deletes the log under the child."""
    said = run_child(
        """
        import os
        from pathlib import Path
        from tests.unit.assets.test_database import LOOK, Words
        from tests.world.crash import run_child
        words = Words(Path(argv[0]))
        words.add("parent")
        opened, asked = os.pipe(), os.pipe()
        child = os.fork()
        if not child:
            words.add("child")
            os.write(opened[1], b"x")
            os.read(asked[0], 1)
            os._exit(0 if words.add("later") == 1 else 1)
        os.read(opened[0], 1)
        words.add("both")
        words.database.close()
        print(run_child(LOOK, argv[0]))
        os.write(asked[1], b"x")
        print(os.waitpid(child, 0)[1], run_child(LOOK, argv[0]))
        """,
        tmp_path,
    )
    assert said == "['parent', 'child', 'both']\n0 ['parent', 'child', 'both', 'later']"


def test_who_forks_while_another_thread_asks_does_not_wait_for_it(tmp_path: Path) -> None:
    said = run_child(
        """
        import os, threading
        from pathlib import Path
        from tests.unit.assets.test_database import Words
        words = Words(Path(argv[0]))
        words.add("parent")
        asking, forked = threading.Event(), threading.Event()
        def slow(sql):
            asking.set()
            forked.wait(30)
            return sql.execute("SELECT count(*) FROM words").fetchone()[0]
        answers = []
        thread = threading.Thread(target=lambda: answers.append(words.database.ask(slow, None)))
        thread.start()
        asking.wait(30)
        child = os.fork()
        if not child:
            os._exit(0 if words.all() == ["parent"] else 1)
        forked.set()
        thread.join()
        print(os.waitpid(child, 0)[1], answers, words.add("later"))
        """,
        tmp_path,
    )
    assert said == "0 [1] 1"


NEXT = Schema(
    application=77,
    version=3,
    script="CREATE TABLE songs (name TEXT, colour TEXT, mood TEXT);",
    steps={
        1: "ALTER TABLE songs ADD COLUMN colour TEXT;\nUPDATE songs SET colour = 'blue';",
        2: "ALTER TABLE songs ADD COLUMN mood TEXT;",
    },
)
FIRST = Schema(application=77, version=1, script="CREATE TABLE songs (name TEXT);")


def songs(path: Path, schema: Schema, question: str = "SELECT * FROM songs") -> list[tuple[str | None, ...]]:
    """Return what is in the file, opened as one of this version."""
    database = Database(path / "db", path / "lock", schema)
    try:
        return database.ask(lambda sql: sql.execute(question).fetchall(), [("unusable",)])
    finally:
        database.close()


def test_a_file_of_an_earlier_version_is_led_to_this_one_and_keeps_what_is_in_it(tmp_path: Path) -> None:
    songs(tmp_path, FIRST, "INSERT INTO songs VALUES ('air')")
    assert songs(tmp_path, NEXT) == [("air", "blue", None)]
    assert songs(tmp_path, NEXT) == [("air", "blue", None)]
    assert songs(tmp_path, FIRST) == [("unusable",)]
    assert songs(tmp_path, NEXT) == [("air", "blue", None)]


@pytest.mark.parametrize("steps", [{}, {2: "SELECT 1;"}, {1: "SELECT 1;"}, {1: "nonsense;", 2: "SELECT 1;"}])
def test_a_file_that_no_steps_lead_from_is_made_anew(tmp_path: Path, steps: dict[int, str]) -> None:
    songs(tmp_path, FIRST, "INSERT INTO songs VALUES ('air')")
    assert songs(tmp_path, replace(NEXT, steps=steps)) == []


def test_the_index_of_the_first_version_is_led_to_the_present_one(tmp_path: Path) -> None:
    first = sqlite3.connect(tmp_path / "index.sqlite3")
    first.executescript(FIRST_INDEX)
    first.execute("PRAGMA application_id = 1802073192")
    first.execute("PRAGMA user_version = 1")
    first.execute("INSERT INTO assets VALUES ('a', 'https://example.org/', NULL, 10, 5.0, 0, 1)")
    first.commit()
    first.close()
    index = Index(tmp_path / "index.sqlite3", tmp_path / "lock")
    assert (index.usage(), index.known("a")["a"].last_used) == (Usage(1, 10), 5.0)
    index.close()


FIRST_INDEX = """
CREATE TABLE assets (asset_id TEXT PRIMARY KEY, url TEXT NOT NULL, name TEXT, bytes INTEGER NOT NULL,
    last_used REAL NOT NULL, pins INTEGER NOT NULL, measured INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX assets_by_last_use ON assets (last_used, asset_id) WHERE pins = 0;
CREATE INDEX assets_to_measure ON assets (asset_id) WHERE measured = 0;
CREATE TABLE totals (assets INTEGER NOT NULL, bytes INTEGER NOT NULL, scanned INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0, 0);
CREATE TRIGGER assets_added AFTER INSERT ON assets
    BEGIN UPDATE totals SET assets = assets + 1, bytes = bytes + NEW.bytes; END;
CREATE TRIGGER assets_gone AFTER DELETE ON assets
    BEGIN UPDATE totals SET assets = assets - 1, bytes = bytes - OLD.bytes; END;
CREATE TRIGGER assets_sized AFTER UPDATE OF bytes ON assets
    BEGIN UPDATE totals SET bytes = bytes + NEW.bytes - OLD.bytes; END;
"""
"""As the first release made it; never to be changed."""
