"""A promise is settled once."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from kithara_file.errors import Cancelled
from kithara_file.session.promise import finish


def test_whoever_comes_first_settles_a_promise() -> None:
    kept: Future[None] = Future()
    finish(kept, None)
    finish(kept, Cancelled())
    assert kept.result(0) is None

    broken: Future[None] = Future()
    finish(broken, Cancelled("first"))
    finish(broken, Cancelled("second"))
    finish(broken, None)
    with pytest.raises(Cancelled, match="first"):
        broken.result(0)
