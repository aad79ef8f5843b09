"""Who is let in at the reading room's doors, and how often somebody may try to sign in."""

from __future__ import annotations

import pytest

from cli import readers
from schemas.reader_tables import ROLES
from web.request_checks import Doors, name_of
from web.throttle import OF_A_NAME, OF_AN_ADDRESS, WINDOW_SECONDS, Throttle

DOORS = Doors("http", frozenset({"localhost", "127.0.0.1", "[::1]"}))
HOST = "127.0.0.1:8780"
OWN = f"http://{HOST}"


@pytest.mark.parametrize("host", ["localhost:8780", "127.0.0.1", "LOCALHOST", "[::1]:8780", "[::1]"])
def test_names_of_ours_are_let_in(host: str) -> None:
    assert DOORS.fault_of_caller(host, "127.0.0.1") is None


@pytest.mark.parametrize("host", ["", "evil.example", "localhost.evil.example", "127.0.0.1:x", "evil:80", "::1"])
def test_other_names_are_refused(host: str) -> None:
    assert DOORS.fault_of_caller(host, "127.0.0.1")


def test_behind_a_proxy_nobody_else_may_call() -> None:
    doors = Doors("https", frozenset({"room.example"}), "10.0.0.5")
    assert doors.fault_of_caller("room.example", "10.0.0.5") is None
    assert doors.fault_of_caller("room.example", "::ffff:10.0.0.5") is None
    assert doors.fault_of_caller("room.example", "10.0.0.6")
    assert doors.fault_of_caller("room.example", "")


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {"origin": OWN}),
        ("POST", {"origin": OWN, "sec-fetch-site": "same-origin"}),
        ("POST", {"origin": "null", "sec-fetch-site": "same-origin"}),
        ("GET", {}),
        ("GET", {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}),
    ],
)
def test_our_own_pages_are_let_in(method: str, headers: dict[str, str]) -> None:
    assert DOORS.fault_of_source(method, "/lists", {"host": HOST} | headers) is None


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {}),
        ("POST", {"origin": "null"}),
        ("POST", {"origin": "http://evil.example"}),
        ("POST", {"origin": "http://evil.example", "sec-fetch-site": "same-origin"}),
        ("POST", {"origin": OWN, "sec-fetch-site": "cross-site"}),
        ("POST", {"origin": OWN, "sec-fetch-site": "same-site"}),
        ("POST", {"origin": "null", "sec-fetch-site": "cross-site"}),
        ("POST", {"origin": f"https://{HOST}"}),
        ("POST", {"origin": "http://127.0.0.1:9999"}),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}),
    ],
)
def test_pages_of_others_are_refused(method: str, headers: dict[str, str]) -> None:
    assert DOORS.fault_of_source(method, "/lists", {"host": HOST} | headers)


def test_the_name_of_a_host() -> None:
    assert [name_of(host) for host in ("A.example:80", "[::1]:80", "[::1]")] == ["a.example", "[::1]", "[::1]"]


def test_a_name_waits_after_failures_and_others_do_not() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    for _ in range(OF_A_NAME):
        assert throttle.seconds_left("roe", "10.0.0.1") == 0
        throttle.failed("roe", "10.0.0.1")
    assert throttle.seconds_left("roe", "10.0.0.1") == WINDOW_SECONDS
    assert throttle.seconds_left("roe", "10.0.0.2") == throttle.seconds_left("doe", "10.0.0.1") == 0
    now[0] = WINDOW_SECONDS
    assert throttle.seconds_left("roe", "10.0.0.1") == 0


def test_an_address_waits_after_failures_of_many_names() -> None:
    throttle = Throttle(lambda: 0.0)
    for number in range(OF_AN_ADDRESS):
        throttle.failed(f"name {number}", "10.0.0.1")
    assert throttle.seconds_left("another", "10.0.0.1") > 0


def test_the_command_knows_the_roles() -> None:
    assert readers.ROLES == ROLES


def test_a_program_says_no_origin_and_a_page_of_others_stays_out_of_its_door() -> None:
    program = {"host": HOST}
    assert DOORS.fault_of_source("POST", "/api/v1/runs", program) is None
    assert DOORS.fault_of_source("POST", "/lists", program)
    for browser in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        assert DOORS.fault_of_source("POST", "/api/v1/runs", program | browser), browser
