"""Unit tests of the names of the operating system's complaints."""

from __future__ import annotations

from errno import EACCES, EDQUOT, EIO, EISDIR, ENOENT, ENOSPC, EROFS

import pytest

from kithara_file.errors import DiskFull, StorageError
from kithara_file.storage.faults import named


@pytest.mark.parametrize(
    "number, kind, builtin",
    [
        (ENOSPC, DiskFull, OSError),
        (EDQUOT, DiskFull, OSError),
        (EIO, StorageError, OSError),
        (EROFS, StorageError, OSError),
        (ENOENT, StorageError, FileNotFoundError),
        (EACCES, StorageError, PermissionError),
        (EISDIR, StorageError, IsADirectoryError),
    ],
)
def test_each_complaint_has_our_name_and_the_builtin_one(
    number: int, kind: type[StorageError], builtin: type[OSError]
) -> None:
    cause = OSError(number, "said the disk", "/elsewhere")
    fault = named(cause, "write", "/here")
    assert isinstance(fault, kind)
    assert isinstance(fault, builtin)
    assert (fault.errno, fault.filename, fault.__cause__) == (number, "/here", cause)
    assert str(fault) == "Cannot write /here: said the disk"
    assert str(fault.again()) == str(fault)


def test_a_complaint_without_a_number_keeps_its_words() -> None:
    assert str(named(OSError("odd"), "read", "/here")) == "Cannot read /here: odd"


def test_a_complaint_without_words_is_told_by_its_kind() -> None:
    assert str(named(OSError(), "read", "/here")) == "Cannot read /here: OSError"
