"""The seams are met by what stands behind them."""

from __future__ import annotations

import inspect

import pytest

from kithara_file.session.file import File, FileSession
from kithara_file.session.reader import Reader
from kithara_file.stream.source import Opened, Source, StreamType
from tests.contract.files import MemorySource


@pytest.mark.parametrize(
    "kind, seam", [(Reader, Source), (MemorySource, Source), (FileSession, Opened), (File, StreamType)]
)
def test_each_method_of_the_seam_is_there_and_takes_the_same(kind: type, seam: type) -> None:
    for name, method in vars(seam).items():
        if name.startswith("_") or not inspect.isfunction(method):
            continue
        wanted = [each.name for each in inspect.signature(method).parameters.values() if each.name != "self"]
        found = [
            each.name for each in inspect.signature(getattr(kind, name)).parameters.values() if each.name != "self"
        ]
        assert found[: len(wanted)] == wanted, name
