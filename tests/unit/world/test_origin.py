"""What an origin is: its log, its waits, its line, its life."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path
from threading import enumerate as threads

import pytest

from tests.unit.world.witness import connected, get, receive, send_get
from tests.world import Certificate, CloseAt, Link, NeverAnswer, Origin, PatternBody, StallAt, Status
from tests.world.fixtures import MakeOrigin

BODY = PatternBody(200_000)[:]


def test_log_tells_what_was_asked_and_what_was_sent(origin: Origin) -> None:
    origin.serve("/a", BODY, etag='"v1"')
    get(origin, "/a?q=%20", {"Range": "bytes=5-9", "If-Range": '"v1"', "x-own": "ü"})
    origin.wait_ended("/a")
    (one,) = origin.requests("/a")
    assert (one.method, one.target, one.range, one.if_range) == ("GET", "/a?q=%20", "bytes=5-9", '"v1"')
    assert one.header("X-Own") == "ü".encode().decode("latin-1")
    assert (one.status, one.bytes_sent, one.span, one.closed_early) == (206, 5, (5, 10), False)
    assert one.ended is not None
    assert one.ended >= one.began


def test_requests_of_one_connection_are_numbered_and_connections_counted(origin: Origin) -> None:
    origin.serve("/a", BODY)
    with connected(origin) as sock:
        for _ in range(3):
            send_get(sock, "/a")
            assert receive(sock).body == BODY
    get(origin, "/a")
    origin.wait_disconnected()
    assert [(one.connection, one.request.nth) for one in origin.requests()] == [(1, 0), (1, 1), (1, 2), (2, 0)]
    assert origin.connections == 2


def test_unknown_path_is_not_found_and_logged(origin: Origin) -> None:
    assert get(origin, "/nope").status == 404
    assert origin.requests("/nope")[0].status == 404


def test_file_and_replaced_body_are_served(origin: Origin, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(BODY)
    origin.serve("/f", tmp_path / "f", media_type="audio/flac", headers={"Cache-Control": "max-age=5"})
    seen = get(origin, "/f")
    assert (seen.body, seen.header("Content-Type"), seen.header("Cache-Control")) == (BODY, "audio/flac", "max-age=5")
    origin.replace("/f", b"new", etag='"v2"')
    seen = get(origin, "/f")
    assert (seen.body, seen.header("ETag"), seen.header("Content-Type")) == (b"new", '"v2"', "audio/flac")


def test_client_that_leaves_during_a_stall_is_noticed(origin: Origin) -> None:
    origin.serve("/a", BODY, always=[StallAt(1000)])
    with connected(origin) as sock:
        send_get(sock, "/a")
        assert origin.wait_stalled("/a").bytes_sent == 1000
    origin.wait_disconnected()
    assert origin.requests("/a")[0].closed_early


def test_released_stall_goes_on_to_the_end(origin: Origin) -> None:
    origin.serve("/a", BODY, always=[StallAt(1000), NeverAnswer()])
    with connected(origin) as sock:
        send_get(sock, "/a")
        assert origin.wait_stalled("/a").bytes_sent == 0
        origin.release("/a")
        assert receive(sock).body == BODY


def test_reply_that_nobody_reads_blocks_and_its_count_stands_still(make_origin: MakeOrigin) -> None:
    origin = make_origin(link=Link(send_buffer=64 * 1024))
    origin.serve("/a", PatternBody(64 << 20))
    with connected(origin) as sock:
        send_get(sock, "/a")
        before = origin.wait_blocked("/a", seconds=0.2).bytes_sent
        assert before < 16 << 20
        sock.recv(1)
        assert origin.wait_blocked("/a", seconds=0.05).bytes_sent == before
        taken = 0
        while taken < before:
            taken += len(sock.recv(1 << 20))
        origin.wait_for(lambda log: log.bytes_sent("/a") > before)


def test_wait_that_is_not_fulfilled_shows_the_log(origin: Origin) -> None:
    origin.serve("/a", b"x")
    get(origin, "/a")
    with pytest.raises(TimeoutError, match="GET /a"):
        origin.wait_requests("/a", 2, timeout=0.01)
    with pytest.raises(TimeoutError, match="GET /a"):
        origin.log.wait_state("/a", "stalled", timeout=0.01)


def test_rate_is_shared_by_connections(make_origin: MakeOrigin) -> None:
    origin = make_origin(link=Link(rate=2_000_000))
    origin.serve("/a", BODY)
    with connected(origin) as one, connected(origin) as other:
        began = time.monotonic()
        send_get(one, "/a")
        send_get(other, "/a")
        assert receive(one).body == receive(other).body == BODY
        assert time.monotonic() - began >= 0.17


def test_each_reply_is_a_round_trip_away_and_the_first_one_two(make_origin: MakeOrigin) -> None:
    origin = make_origin(link=Link(rtt=0.05))
    origin.serve("/a", b"x")
    with connected(origin) as sock:
        first, *later = (_time_of_get(sock) for _ in range(10))
    assert first >= 0.095
    assert 0.045 <= min(later) < 0.095


def _time_of_get(sock: socket.socket) -> float:
    began = time.monotonic()
    send_get(sock, "/a")
    receive(sock)
    return time.monotonic() - began


def test_line_can_be_changed_while_it_runs(make_origin: MakeOrigin) -> None:
    origin = make_origin(link=Link(rate=1000))
    origin.serve("/a", BODY)
    with connected(origin) as sock:
        send_get(sock, "/a")
        origin.wait_requests("/a")
        origin.shape(Link())
        assert receive(sock).body == BODY


def test_origin_that_is_down_refuses_and_comes_back_on_its_port(origin: Origin) -> None:
    origin.serve("/a", BODY, always=[StallAt(10)])
    with connected(origin) as sock:
        send_get(sock, "/a")
        origin.wait_stalled("/a")
        origin.go_down()
        assert receive(sock).end == "fin"
        with pytest.raises(ConnectionRefusedError):
            get(origin, "/a")
    origin.come_back()
    origin.always("/a")
    assert get(origin, "/a").body == BODY


def test_dropped_connections_are_reset_also_while_blocked(make_origin: MakeOrigin) -> None:
    origin = make_origin(link=Link(send_buffer=64 * 1024))
    origin.serve("/a", PatternBody(64 << 20))
    with connected(origin) as sock:
        send_get(sock, "/a")
        origin.wait_blocked("/a", seconds=0.0)
        origin.drop_connections(reset=True)
        assert receive(sock).end == "reset"


def test_stop_ends_its_thread_and_its_connections() -> None:
    with Origin() as origin:
        origin.serve("/a", BODY, always=[StallAt(10)])
        with connected(origin) as sock:
            send_get(sock, "/a")
            origin.wait_stalled("/a")
            origin.stop()
            assert receive(sock).end == "fin"
    assert not [thread for thread in threads() if thread.name == "origin"]


def test_mistake_in_a_script_is_told_when_the_origin_stops() -> None:
    origin = Origin().start()
    origin.serve("/a", BODY, always=[lambda _request: Status(int("not a number"))])
    assert get(origin, "/a").end == "fin"
    with pytest.raises(ExceptionGroup) as told:
        origin.stop()
    assert isinstance(told.value.exceptions[0], ValueError)


def test_ipv6_loopback(make_origin: MakeOrigin) -> None:
    origin = make_origin(host="::1")
    assert origin.serve("/a", BODY) == f"http://[::1]:{origin.port}/a"
    assert get(origin, "/a").body == BODY


def test_tls_client_that_trusts_the_authority_is_served_and_cut_where_told(tls_origin: Origin) -> None:
    tls_origin.serve("/a", BODY, faults=[None, CloseAt(1000)])
    context = ssl.create_default_context(cafile=tls_origin.ca_file)
    bodies = []
    for _ in range(2):
        with connected(tls_origin) as sock, context.wrap_socket(sock, server_hostname="127.0.0.1") as tls:
            send_get(tls, "/a")
            bodies.append(receive(tls).body)
    assert bodies == [BODY, BODY[:1000]]


def test_certificate_for_another_host_is_refused_by_a_client(make_origin: MakeOrigin) -> None:
    origin = make_origin(tls=Certificate("elsewhere.example"))
    context = ssl.create_default_context(cafile=origin.ca_file)
    with connected(origin) as sock, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(sock, server_hostname="127.0.0.1")
    origin.wait_disconnected()
