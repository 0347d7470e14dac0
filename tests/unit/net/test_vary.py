"""Which requests an answer fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.net.vary import selected_anew, selected_by, selects

SENT = {"Accept-Language": "de", "Cookie": "session=secret"}


@pytest.mark.parametrize(
    "vary, sent, fits",
    [
        ([], {}, True),
        (["*"], {}, True),
        (["accept-language"], {"accept-LANGUAGE": " de "}, True),
        (["accept-language"], SENT | {"Cookie": "other"}, True),
        (["accept-language"], {"Accept-Language": "fr"}, False),
        (["accept-language"], {}, False),
        (["accept-language", "cookie"], SENT, True),
        (["Cookie ", " accept-language", "cookie"], SENT, True),
        (["accept-language", "cookie"], SENT | {"Cookie": "other"}, False),
        (["range"], {}, True),
        (["range"], {"Range": "bytes=0-"}, False),
    ],
)
def test_an_answer_fits_requests_that_say_the_same(vary: list[str], sent: dict[str, str], *, fits: bool) -> None:
    assert selects(selected_by(vary, SENT), sent) is fits


def test_nothing_that_was_sent_is_written_down() -> None:
    kept = selected_by(["cookie"], SENT)
    assert kept is not None
    assert kept.startswith("cookie ")
    assert "secret" not in kept


TOKENS = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1)


@given(st.lists(TOKENS), st.dictionaries(TOKENS, st.text(max_size=20)))
def test_an_answer_fits_the_request_that_brought_it(vary: list[str], sent: dict[str, str]) -> None:
    assert selects(selected_by(vary, sent), sent)
    assert selected_anew(selected_by(vary, {}), sent) == selected_by(vary, sent)


@given(st.text(), st.dictionaries(TOKENS, st.text(max_size=5), max_size=2))
def test_any_text_can_be_looked_at(kept: str, sent: dict[str, str]) -> None:
    assert selects(kept, sent) in (True, False)
    assert selects(selected_anew(kept, sent), sent)
