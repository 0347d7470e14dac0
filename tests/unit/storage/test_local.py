"""A file of the user's as a resource, and what he says it must be."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from kithara_file.errors import CorruptResource, StorageError
from kithara_file.storage.local import local_resource

BYTES = bytes(range(256))


def digest(of: bytes) -> str:
    return f"sha256:{hashlib.sha256(of).hexdigest()}"


@pytest.mark.parametrize("promised", [None, digest(BYTES)])
def test_what_it_must_be_it_is(tmp_path: Path, promised: str | None) -> None:
    path = tmp_path / "song"
    path.write_bytes(BYTES)
    resource = local_resource(path, promised)
    assert (resource.committed, resource.length) == (True, len(BYTES))
    resource.close()


def test_other_bytes_are_told_and_the_file_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "song"
    path.write_bytes(BYTES)
    with pytest.raises(CorruptResource, match=r"The bytes have the digest .* where .* was promised"):
        local_resource(path, digest(b"other"))
    assert path.read_bytes() == BYTES


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        local_resource(tmp_path / "nothing", digest(BYTES))
