"""What the room shows of itself."""

from __future__ import annotations

import pytest

import kithara_file.net


@pytest.mark.parametrize("name", kithara_file.net.__all__)
def test_every_promised_name_is_there(name: str) -> None:
    assert getattr(kithara_file.net, name) is not None


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = kithara_file.net.nothing
