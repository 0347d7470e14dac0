"""What others fetch is seen, ours is told, and a claim dies with its file."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.ranges import ByteRange, Coverage
from kithara_file.storage import claims as module
from kithara_file.storage.claims import LANE, Claim, Claims
from tests.world.crash import Child

pytestmark = pytest.mark.skipif(not module._TAKE, reason="this system has no locks that belong to open files")


class Party:
    """Somebody who shares the file: a descriptor of its own, as another process has."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR)
        self.claims = Claims(self.fd)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.touch()
    return path


@pytest.fixture
def us(path: Path) -> Iterator[Claims]:
    party = Party(path)
    yield party.claims
    os.close(party.fd)


@pytest.fixture
def them(path: Path) -> Iterator[Claims]:
    party = Party(path)
    yield party.claims
    os.close(party.fd)


def test_what_one_claims_the_others_see_and_it_does_not(us: Claims, them: Claims) -> None:
    assert us.take(100, 200) is not None
    assert them.others(0, 1000) == [ByteRange(100, 200)]
    assert us.others(0, 1000) == []


def test_a_claim_is_told_whole_where_it_is_touched_and_not_beyond(us: Claims, them: Claims) -> None:
    us.take(100, 200)
    assert them.others(199, 200) == [ByteRange(100, 200)]
    assert them.others(200, 300) == []
    assert them.others(0, 100) == []
    assert them.others(5, 5) == []


def test_a_claim_inside_of_another_takes_the_second_lane_and_both_are_seen(
    path: Path, us: Claims, them: Claims
) -> None:
    first, second = us.take(0, 1000), them.take(400, 500)
    assert first is not None
    assert second is not None
    assert (first.lane, second.lane) == (0, 1)
    third = Party(path)
    assert third.claims.others(0, 2000) == [ByteRange(0, 1000), ByteRange(400, 500)]
    assert third.claims.take(450, 460) is None
    os.close(third.fd)


def test_claims_that_touch_stay_two_and_a_part_can_be_let_go(us: Claims, them: Claims) -> None:
    first, second = us.take(0, 100), us.take(100, 1 << 64)
    assert them.others(0, 1000) == [ByteRange(0, 100), ByteRange(100, LANE)]
    assert first is not None
    assert second is not None
    us.release(Claim(ByteRange(0, 40), first.lane))
    us.release(Claim(ByteRange(100, 101), second.lane))
    assert them.others(0, 1000) == [ByteRange(40, 100), ByteRange(101, LANE)]
    assert them.others(0, 40) == them.others(100, 101) == []
    assert them.others(39, 41) == [ByteRange(40, 100)]
    us.release(second)
    assert them.others(0, 1000) == [ByteRange(40, 100)]


def test_a_claim_can_be_asked_for_in_one_lane_only(us: Claims, them: Claims) -> None:
    assert us.take(0, 100, (1,)) == Claim(ByteRange(0, 100), 1)
    assert them.take(50, 60, (1,)) is None
    assert them.take(50, 60) == Claim(ByteRange(50, 60), 0)


def test_a_released_claim_is_gone_in_its_lane_only(us: Claims, them: Claims, path: Path) -> None:
    first, second = us.take(0, 1000), them.take(400, 500)
    assert first is not None
    assert second is not None
    us.release(first)
    third = Party(path)
    assert third.claims.others(0, 2000) == [ByteRange(400, 500)]
    them.release(second)
    assert third.claims.others(0, 2000) == []
    os.close(third.fd)


def test_a_claim_ends_with_the_file_of_its_holder(path: Path, us: Claims) -> None:
    party = Party(path)
    party.claims.take(0, 10)
    os.close(party.fd)
    assert us.others(0, 10) == []
    assert us.take(0, 10) is not None


def test_a_claim_without_an_end_reaches_as_far_as_any_offset(us: Claims, them: Claims) -> None:
    us.take(10, 1 << 64)
    assert them.others(1 << 50, (1 << 50) + 1) == [ByteRange(10, LANE)]
    assert us.take(LANE, LANE + 1) is None  # beyond what can be claimed: it is fetched unclaimed


def test_what_several_wish_for_is_seen_by_the_others_and_is_no_claim(path: Path, us: Claims, them: Claims) -> None:
    us.wish(ByteRange(0, 100), ByteRange(500, 1 << 62))
    them.wish(ByteRange(50, 200))
    assert us.wished(0, 1000) == [ByteRange(50, 200)]
    assert them.wished(0, 1000) == [ByteRange(0, 100), ByteRange(500, LANE)]
    assert Coverage(Claims(them._descriptor).wished(200, 500)) == Coverage()
    assert us.others(0, 1 << 64) == []
    assert them.take(0, 100) is not None


def test_thousands_of_wishes_are_seen_in_order(us: Claims, them: Claims) -> None:
    wishes = [ByteRange(at, at + 1) for at in range(0, 10_000, 5)]
    us.wish(*wishes)
    assert them.wished(0, 10_000) == wishes


def test_a_lock_of_a_stranger_on_the_whole_file_claims_all_of_it(us: Claims, them: Claims) -> None:
    us._lock(fcntl.F_WRLCK, 0, 0)
    assert them.take(0, 10) is None
    assert them.others(10, 100) == [ByteRange(0, 100)]
    assert them.wished(10, 100) == [ByteRange(0, 100)]


def test_a_new_wish_takes_the_place_of_the_old_and_ends_with_the_file(path: Path, us: Claims) -> None:
    party = Party(path)
    party.claims.wish(ByteRange(0, 100), ByteRange(300, 400))
    party.claims.wish(ByteRange(350, 500))
    assert us.wished(0, 1000) == [ByteRange(350, 500)]
    party.claims.wish()
    assert us.wished(0, 1000) == []
    party.claims.wish(ByteRange(0, 1))
    os.close(party.fd)
    assert us.wished(0, 1000) == []


def test_a_descriptor_that_cannot_be_written_claims_nothing_and_fails_nobody(path: Path, us: Claims) -> None:
    fd = os.open(path, os.O_RDONLY)
    assert Claims(fd).take(0, 10) is None
    us.take(0, 5)
    assert Claims(fd).others(0, 10) == [ByteRange(0, 5)]
    os.close(fd)


def test_where_there_are_no_such_locks_nobody_claims_and_nobody_sees(
    us: Claims, them: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    us.take(0, 10)
    monkeypatch.setattr(module, "_TAKE", 0)
    monkeypatch.setattr(module, "_ASK", 0)
    assert them.take(20, 30) is None
    assert them.others(0, 100) == []
    them.wish(ByteRange(0, 10))
    assert us.wished(0, 100) == []


@given(spans=st.lists(st.tuples(st.integers(0, 500), st.integers(1, 80)), max_size=12))
def test_what_is_seen_covers_exactly_what_was_granted(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.mktemp("claims") / "data"
    path.touch()
    parties = [Party(path) for _ in spans]
    try:
        granted = Coverage()
        for party, (start, size) in zip(parties, spans, strict=True):
            if party.claims.take(start, start + size) is not None:
                granted.add(start, start + size)
        watcher = Party(path)
        parties.append(watcher)
        assert Coverage(watcher.claims.others(0, 1000)) == granted
    finally:
        for party in parties:
            os.close(party.fd)


FORK = """
    import os, signal
    from pathlib import Path
    from kithara_file.ranges import ByteRange
    from kithara_file.storage.claims import Claims
    from kithara_file.storage.system import OpenFile
    data = OpenFile.existing(Path(argv[0]))
    claims = Claims(data.fd)
    assert claims.take(10, 20)
    claims.wish(ByteRange(30, 40))
    child = os.fork()
    if not child:
        buffer = bytearray(10)
        count = data.read_into(memoryview(buffer), 0)
        print(os.getpid(), bytes(buffer[:count]).decode(), os.get_inheritable(data.fd), flush=True)
        signal.pause()
    signal.pause()
"""


def test_a_forked_child_holds_none_of_its_parents_claims_and_reads_on(path: Path, us: Claims) -> None:
    path.write_bytes(b"bytes")
    with Child(FORK, path) as parent:
        child, *said = parent.next_line().split()
        try:
            assert said == ["bytes", "False"]
            assert us.others(0, 100) == [ByteRange(10, 20)]
            assert us.wished(0, 100) == [ByteRange(30, 40)]
            parent.kill()
            parent._process.wait(30)
            assert us.others(0, 100) == us.wished(0, 100) == []
        finally:
            os.kill(int(child), signal.SIGKILL)
