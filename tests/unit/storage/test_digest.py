"""The whole is what was promised, or all of it is absent."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from kithara_file.errors import CorruptResource, StorageError
from kithara_file.storage.digest import WrongDigest, digests_of, wrong
from kithara_file.storage.system import OpenFile
from tests.unit.storage.places import Place, pattern, spans

BYTES = pattern(0, 2_500_000)


def promise(name: str, data: bytes = BYTES) -> str:
    return f"{name}:{hashlib.new(name, data).hexdigest()}"


def stored(folder: Path) -> OpenFile:
    (folder / "data").write_bytes(BYTES + b"beyond the end")
    return OpenFile.readable(folder / "data")


def test_several_digests_are_made_in_one_go(tmp_path: Path) -> None:
    names = ("md5", "sha1", "sha256", "sha384", "sha512")
    assert digests_of(stored(tmp_path), len(BYTES), names) == {name: promise(name) for name in names}


def test_the_first_broken_promise_is_told(tmp_path: Path) -> None:
    data = stored(tmp_path)
    assert wrong(data, len(BYTES), ()) is None
    assert wrong(data, len(BYTES), [promise("md5"), promise("sha256")]) is None
    error = wrong(data, len(BYTES), [promise("md5"), promise("sha256", b"other")])
    assert isinstance(error, CorruptResource)
    right, other = promise("sha256"), promise("sha256", b"other")
    assert str(error) == f"The bytes have the digest {right} where {other} was promised"


def test_a_file_that_ends_early_has_another_digest(tmp_path: Path) -> None:
    assert wrong(stored(tmp_path), len(BYTES) + 1_000_000, [promise("md5")]) is not None


def test_bytes_that_break_a_promise_are_absent_and_not_committed(place: Place) -> None:
    resource = place.create(length=1000)
    resource.write_at(0, pattern(0, 1000))
    with pytest.raises(WrongDigest):
        resource.commit(lambda: resource.check([promise("sha256")]))
    assert not resource.committed
    assert spans(resource) == []
    with pytest.raises(StorageError, match="bytes are missing"):
        resource.commit()
    resource.write_at(0, pattern(0, 1000))
    resource.commit(lambda: resource.check([promise("sha256", pattern(0, 1000))]))
    resource.close()
    again = place.reopen(length=1000, committed=True)
    assert again.committed
    again.close()
