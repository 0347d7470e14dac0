"""When what is stored is used, asked about, or not used (RFC 9111, RFC 5861)."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file import File, FileConfig, FileSession, OfflineMiss, Unavailable
from kithara_file.config import Retry
from kithara_file.errors import InvalidResponse, KitharaError
from kithara_file.events import ServedStale
from tests.world import BytesBody, CloseAt, Header, IgnoreConditions, Item, Origin, Serve, Version, http_date
from tests.world.faults import Status

pytestmark = pytest.mark.system

BODY = bytes(range(256)) * 256
GERMAN, FRENCH = BODY, BODY[::-1]
RETRY = Retry(retries=0, first_delay=0.0, max_failures=1)


def read(url: str, store: Path, **options: object) -> bytes:
    """Return the whole, which is in the store from then on."""
    with File.open(FileConfig(url, **{"store": store, "retry": RETRY, **options})) as session:  # type: ignore[arg-type]
        session.wait_complete(30)
        with session.stream() as stream:
            return stream.read(-1)


def statuses(origin: Origin) -> list[int | None]:
    return [one.status for one in origin.requests("/song")]


@pytest.mark.parametrize(
    "control, asked",
    [
        ("max-age=1000", [200]),
        ("max-age=1000, immutable", [200]),
        ("max-age=1000, must-revalidate", [200]),
        ("max-age=0", [200, 304]),
        ("no-cache", [200, 304]),
        ("max-age=1000, no-cache", [200, 304]),
        ("no-store", [200, 200]),
        ('private="a, max-age=1000", max-age=0', [200, 304]),
    ],
)
def test_the_origin_is_asked_when_it_wants_to_be(
    origin: Origin, store_dir: Path, control: str, asked: list[int]
) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": control})
    assert read(url, store_dir) == read(url, store_dir) == BODY
    assert statuses(origin) == asked


@pytest.mark.parametrize(
    "age, asked", [("5", [200]), ("5, 5000", [200]), ("5000", [200, 304]), ("5000, 5", [200, 304])]
)
def test_the_first_age_counts_where_caches_have_told_several(
    origin: Origin, store_dir: Path, age: str, asked: list[int]
) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "max-age=100", "Age": age})
    assert read(url, store_dir) == read(url, store_dir) == BODY
    assert statuses(origin) == asked


@pytest.mark.parametrize("revalidate, asked", [("auto", [200]), ("always", [200, 304]), ("never", [200])])
def test_the_caller_may_want_it_otherwise(origin: Origin, store_dir: Path, revalidate: str, asked: list[int]) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "max-age=1000"})
    assert read(url, store_dir) == read(url, store_dir, revalidate=revalidate) == BODY
    assert statuses(origin) == asked


@pytest.mark.parametrize(
    "control, served",
    [
        ("max-age=0", True),
        ("max-age=0, stale-if-error=1000", True),
        ("max-age=0, must-revalidate", False),
        ("no-cache", False),
    ],
)
@pytest.mark.parametrize("fault", [Status(503), None], ids=["failing", "down"])
def test_a_stale_answer_stands_in_for_an_error_unless_that_is_forbidden(
    origin: Origin, store_dir: Path, control: str, *, served: bool, fault: Status | None
) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": control})
    assert read(url, store_dir) == BODY
    if fault is None:
        origin.go_down()
    else:
        origin.always("/song", fault)
    if not served:
        with pytest.raises(KitharaError):
            read(url, store_dir)
        assert read(url, store_dir, offline_mode=True) == BODY
        assert read(url, store_dir, revalidate="never") == BODY
        return
    with File.open(FileConfig(url, store=store_dir, retry=RETRY)) as session, session.stream() as stream:
        assert stream.read(-1) == BODY


def mistaken(data: bytes) -> Item:
    """Answer with `data` under the tag of what was asked for."""
    return (IgnoreConditions(), Serve(Version(body=BytesBody(data), headers=(("Cache-Control", "max-age=1000"),))))


@pytest.mark.parametrize("data", [b"", BODY[:-1], BODY + b"x"], ids=["empty", "shorter", "longer"])
def test_a_complete_file_outlives_an_answer_that_gives_its_tag_to_another_length(
    origin: Origin, store_dir: Path, data: bytes
) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "max-age=0"})
    assert read(url, store_dir) == BODY
    origin.next("/song", mistaken(data))
    assert read(url, store_dir) == read(url, store_dir) == BODY
    assert statuses(origin) == [200, 200, 304]


def test_an_answer_that_gives_the_tag_held_to_another_length_is_told_where_stale_bytes_are_forbidden(
    origin: Origin, store_dir: Path
) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "no-cache"})
    assert read(url, store_dir) == BODY
    origin.next("/song", mistaken(b""))
    with pytest.raises(InvalidResponse):
        read(url, store_dir)
    assert read(url, store_dir) == BODY


def test_serving_stale_bytes_is_told(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "max-age=0"})
    assert read(url, store_dir) == BODY
    origin.always("/song", Status(503))
    config = FileConfig(url, store=store_dir, retry=Retry(retries=2, first_delay=0.2))
    with FileSession(config) as session, session.events.subscribe() as events:  # in two steps, to listen in between
        session.await_opening().result(30)
        while (event := events.take(30)) is not None and not isinstance(event, ServedStale):
            pass
    assert event is not None
    assert isinstance(event.error, Unavailable)


def variants(origin: Origin, **headers: str) -> str:
    """Serve one URL in two languages."""
    return origin.serve("/song", GERMAN, etag='"de"', headers={"Vary": "Accept-Language", **headers})


def test_an_answer_is_used_for_the_requests_that_it_fits(origin: Origin, store_dir: Path) -> None:
    url = variants(origin, **{"Cache-Control": "max-age=1000"})
    assert read(url, store_dir, headers={"Accept-Language": "de", "X-Other": "1"}) == GERMAN
    assert read(url, store_dir, headers={"accept-language": "de"}) == GERMAN
    assert statuses(origin) == [200]
    origin.replace("/song", FRENCH, etag='"fr"')
    assert read(url, store_dir, headers={"Accept-Language": "fr"}) == FRENCH
    assert statuses(origin) == [200, 200]


def test_an_answer_that_does_not_fit_is_not_used_offline_or_after_an_error(origin: Origin, store_dir: Path) -> None:
    url = variants(origin, **{"Cache-Control": "max-age=1000"})
    assert read(url, store_dir, headers={"Accept-Language": "de"}) == GERMAN
    origin.always("/song", Status(503))
    with pytest.raises(OfflineMiss):
        read(url, store_dir, headers={"Accept-Language": "fr"}, offline_mode=True)
    for mode in ("auto", "never"):
        with pytest.raises(Unavailable):
            read(url, store_dir, headers={"Accept-Language": "fr"}, revalidate=mode)
    assert read(url, store_dir, headers={"Accept-Language": "de"}, offline_mode=True) == GERMAN


def test_two_at_once_who_ask_for_other_things_get_what_they_asked_for(origin: Origin, store_dir: Path) -> None:
    url = variants(origin, **{"Cache-Control": "max-age=1000"})
    german = FileConfig(url, store=store_dir, headers={"Accept-Language": "de"})
    with File.open(german) as session, session.stream() as stream:
        assert stream.read(100) == GERMAN[:100]
        origin.replace("/song", FRENCH, etag='"fr"')
        assert read(url, store_dir, headers={"Accept-Language": "fr"}) == FRENCH
        assert stream.read(-1) == GERMAN[100:]


SILENT: list[Item] = [Header(each) for each in ("Cache-Control", "Expires", "Vary")]


@pytest.mark.parametrize(
    "said, asked",
    [
        ({"Cache-Control": "no-cache"}, [200, 304, 304, 304]),
        ({"Cache-Control": "max-age=0"}, [200, 304, 304, 304]),
        ({"Cache-Control": "max-age=1000", "Vary": "*"}, [200, 304, 304, 304]),
        ({"Expires": http_date(4_000_000_000)}, [200]),
    ],
)
def test_an_origin_that_wants_to_be_asked_need_not_say_so_each_time(
    origin: Origin, store_dir: Path, said: dict[str, str], asked: list[int]
) -> None:
    url = origin.serve("/song", BODY, headers=said, last_modified=http_date(0))
    assert read(url, store_dir) == BODY
    origin.always("/song", *SILENT)
    assert all(read(url, store_dir) == BODY for _ in range(3))
    assert statuses(origin) == asked


def test_a_304_that_does_not_say_how_long_leaves_it_at_what_was_said(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "max-age=1000"}, faults=[Header("Age", "1000")])
    assert read(url, store_dir) == BODY
    origin.always("/song", *SILENT)
    assert read(url, store_dir) == read(url, store_dir) == BODY
    assert statuses(origin) == [200, 304]


def test_what_forbids_stale_bytes_outlives_a_304_that_does_not_repeat_it(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "max-age=0, must-revalidate"})
    assert read(url, store_dir) == BODY
    origin.always("/song", *SILENT)
    assert read(url, store_dir) == BODY
    origin.go_down()
    with pytest.raises(KitharaError):
        read(url, store_dir)


def test_a_304_that_does_not_repeat_vary_is_of_one_variant_still(origin: Origin, store_dir: Path) -> None:
    url = variants(origin, **{"Cache-Control": "max-age=0"})
    assert read(url, store_dir, headers={"Accept-Language": "de"}) == GERMAN
    origin.always("/song", Header("Vary"), Header("Cache-Control", "max-age=1000"))
    assert read(url, store_dir, headers={"Accept-Language": "de"}) == GERMAN
    assert read(url, store_dir, headers={"Accept-Language": "de"}) == GERMAN
    assert statuses(origin) == [200, 304]
    origin.replace("/song", FRENCH, etag='"fr"')
    assert read(url, store_dir, headers={"Accept-Language": "fr"}) == FRENCH


def test_a_resume_that_does_not_repeat_vary_is_of_one_variant_still(origin: Origin, store_dir: Path) -> None:
    url = variants(origin, **{"Cache-Control": "max-age=1000"})
    origin.next("/song", CloseAt(len(BODY) // 2), Header("Vary"))
    german = {"Accept-Language": "de"}
    assert read(url, store_dir, headers=german, retry=Retry(first_delay=0.0)) == GERMAN
    assert statuses(origin) == [200, 206]
    origin.replace("/song", FRENCH, etag='"fr"')
    assert read(url, store_dir, headers={"Accept-Language": "fr"}) == FRENCH


def test_what_depends_on_more_than_the_request_is_never_fresh(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, headers={"Vary": "*", "Cache-Control": "max-age=1000"})
    assert read(url, store_dir) == read(url, store_dir) == BODY
    assert statuses(origin) == [200, 304]
