"""Unit tests of the demand; the seam itself is tested by its contract."""

from __future__ import annotations

from kithara_file.errors import StreamClosed
from kithara_file.ranges import ByteRange
from kithara_file.storage import Demand


def test_a_demand_says_what_it_waits_for() -> None:
    demand = Demand(ByteRange(5, 9))
    assert repr(demand) == "<Demand 5-8>"
    demand.error = StreamClosed()
    assert repr(demand) == "<Demand 5-8 refused>"
    assert repr(Demand(None)) == "<Demand length>"
