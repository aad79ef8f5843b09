"""Readers who sign in at a proxy: it is believed, nobody else is, and it sees only those who were let in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.program import Program, with_model
from tests.servers.naming_proxy import ADDRESS, naming_proxy
from tests.servers.reading_room import READERS, Client, opened_room

HEADER = "X-Forwarded-Email"
ROOM = {"Host": "room.example", "Origin": "https://room.example"}


@dataclass
class Site:
    program: Program
    room: int
    proxy: int

    def browser(self, who: str, session: str = "", **headers: str) -> Client:
        """Return a browser that the proxy knows as `who`; session: the room's cookie that it brings."""
        cookie = "; ".join(filter(None, (f"who={who}" if who else "", session)))
        return Client(self.proxy, cookie=cookie, headers=ROOM | headers)

    def signed_in(self, who: str) -> str:
        answer = self.browser(who).get("/sign-in")
        assert answer.code == 200, answer.body
        return answer.headers["set-cookie"].partition(";")[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    program = with_model(tmp_path_factory.mktemp("named") / "home", patience=400.0)
    options = ("--behind-proxy", ADDRESS, "--user-header", HEADER, "--allowed-host", "room.example")
    readers = {name: READERS[name] for name in ("roe", "doe")}
    with opened_room(program, *options, readers=readers) as room, naming_proxy(room, HEADER) as proxy:
        yield Site(program, room, proxy)


def test_who_the_proxy_names_is_in_whatever_the_browser_says(site: Site) -> None:
    roe = site.browser("roe", site.signed_in("roe"), **{HEADER: "doe"})
    page = roe.get("/runs")
    assert page.code == 200 and b"<span>roe</span>" in page.body
    assert site.browser("roe").get("/runs").headers["location"] == "/sign-in"


def test_who_comes_by_a_link_of_another_site_is_signed_in_by_a_page_and_no_redirect(site: Site) -> None:
    """A strict cookie is not sent along redirects that another site began: one more would go round for ever."""
    roe = site.browser(
        "roe", **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    )
    assert roe.get("/").headers["location"] == "/sign-in"
    answer = roe.get("/sign-in")
    assert answer.code == 200 and "location" not in answer.headers
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    assert b'http-equiv="refresh" content="0; url=/"' in answer.body and b'<a href="/">Go on' in answer.body


def test_a_session_ends_where_the_proxy_names_another(site: Site) -> None:
    session = site.signed_in("roe")
    for who in ("doe", "", "roe+roe", "roe+doe"):
        assert site.browser(who, session).get("/runs").code == 303, who
    assert site.browser("roe", session).get("/runs").code == 200


def test_nobody_else_comes_in(site: Site) -> None:
    for who in ("", "stranger", "roe+doe", "Roe", "<b>"):
        answer = site.browser(who).get("/sign-in")
        assert answer.code == 403 and "set-cookie" not in answer.headers, who
        assert b"<b>" not in answer.body
    forged = Client(site.room, headers=ROOM | {HEADER: "roe"})
    assert forged.get("/sign-in").code == 421, "it comes from another address than the proxy's"
    assert site.browser("").post("/sign-in", {"name": "roe", "password": "x"}, **ROOM).code == 403


def test_signing_out_ends_the_session(site: Site) -> None:
    session = site.signed_in("roe")
    roe = site.browser("roe", session)
    word = roe.get("/runs").body.decode().partition('name="csrf" value="')[2][:64]
    answer = roe.post("/sign-out", {"csrf": word}, **ROOM)
    assert answer.code == 200 and b"signed out" in answer.body
    assert roe.get("/runs").code == 303


def test_who_is_disabled_is_out_and_a_header_wants_its_proxy(site: Site) -> None:
    session = site.signed_in("doe")
    assert site.program.run("readers", "disable", "doe").returncode == 0
    assert site.browser("doe", session).get("/runs").code == 303
    assert site.browser("doe").get("/sign-in").code == 403
    ended = site.program.run("web", "--port", "0", "--user-header", HEADER)
    assert ended.returncode == 2 and "--behind-proxy" in ended.stderr


def test_a_reader_without_a_password_is_added(site: Site, tmp_path: Path) -> None:
    assert site.program.run("readers", "add", "poe@site.example", "--no-password").returncode == 0
    assert site.browser("poe@site.example").get("/sign-in").code == 200
