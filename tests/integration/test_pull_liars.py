"""A DICOMweb server that lies: it caps, loses, stalls and breaks off. A pull never counts as finished with less."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.calling.patience import CallPatience
from gateway.pulling.pull_order import Wanted
from schemas.errors import PeerAway
from schemas.states import PullState
from tests.pulling import DAY, PullKit, accounts, study_film
from wetread.store.core.database import Database
from wetread.store.received.peers import Calls

STUDIES = 24
WANTED = Wanted(since=date(2026, 3, 1), until=date(2026, 3, 1))


@dataclass
class Liar:
    """How it lies. cap: studies of one answer; films: how it answers WADO, by the number of the call."""

    cap: int = 10_000
    is_said: bool = False
    stated: int = 1
    busy: int = 0
    too_much: bool = False
    films: Callable[[int], str] = lambda _: "good"
    loses: Callable[[int, int], bool] = lambda _question, _study: False
    calls: int = 0
    questions: int = 0
    gone: set[int] = field(default_factory=set)
    headers: list[Any] = field(default_factory=list)

    def studies(self, query: dict[str, list[str]]) -> list[int]:
        self.questions += 1
        first, _, last = query.get("StudyTime", ["000000-235959"])[0].partition("-")
        found = [n for n in range(STUDIES) if query.get("StudyDate") == [DAY] and first <= clock(n) <= last]
        return [n for n in found if not self.loses(self.questions, n)][: self.cap]


def clock(study: int) -> str:
    second = study * 307 % 86_400
    return f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    liar: Liar

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        liar, parts = self.liar, urlsplit(self.path)
        liar.headers.append(self.headers)
        steps, query = parts.path.strip("/").split("/"), parse_qs(parts.query)
        if liar.busy > 0:
            liar.busy -= 1
            self.said(503, b"", {"Retry-After": "0"})
        elif steps == ["studies"] and liar.too_much and "StudyTime" not in query:
            self.said(413, b"")
        elif steps == ["studies"]:
            found = liar.studies(query)
            partial = liar.is_said and len(found) == liar.cap
            self.listed([study(n, liar.stated) for n in found], 206 if partial else 200)
        elif steps[-1] == "series":
            self.listed([series(int(steps[1].split(".")[-1]), liar.stated)])
        elif steps[-1] == "instances":
            n = int(steps[1].split(".")[-1])
            self.listed([{"00080018": value("UI", f"1.2.826.5.{n}.1.0")}])
        else:
            self.film(int(steps[1].split(".")[-1]))

    def film(self, n: int) -> None:
        self.liar.calls += 1
        how = self.liar.films(self.liar.calls)
        if n in self.liar.gone:
            self.said(404, b"")
            return
        film = study_film(n)
        if how == "other":
            film = study_film(n + 1)
        body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + film + b"\r\n--b--\r\n"
        kind = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
        if how == "unended":  # whole by its length, and without the mark of its end
            self.said(200, body[: len(body) // 2], kind)
        elif how == "partial":
            self.said(206, body, kind)
        elif how in ("closes", "stalls"):
            self.send_response(200)
            for name, text in {**kind, "Content-Length": str(len(body))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            if how == "stalls":
                threading.Event().wait(12)
            self.close_connection = True
        else:
            self.said(200, body, kind)

    def listed(self, objects: list[dict[str, Any]], status: int = 200) -> None:
        self.said(status, json.dumps(objects).encode(), {"Content-Type": "application/dicom+json"})

    def said(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, text in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)


def value(vr: str, one: object) -> dict[str, Any]:
    return {"vr": vr, "Value": [one]}


def study(n: int, stated: int) -> dict[str, Any]:
    uid = f"1.2.826.5.{n}"
    return {"0020000D": value("UI", uid), "00080020": value("DA", DAY), "00201208": value("IS", stated)}


def series(n: int, stated: int) -> dict[str, Any]:
    return {
        "0020000E": value("UI", f"1.2.826.5.{n}.1"), "00080060": value("CS", "DX"), "00201209": value("IS", stated)
    }  # fmt: skip


@contextmanager
def serving(liar: Liar) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Its", (Handler,), {"liar": liar}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def quick(patience: CallPatience) -> CallPatience:
    return replace(patience, silent=5.0, tries=3, first_wait=0.01)


@pytest.fixture(params=["sqlite"])
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'results.db'}"


def pulled(database: Database, folder: Path, liar: Liar) -> tuple[PullKit, Any]:
    with serving(liar) as url:
        kit = PullKit(database, folder, Calls(web=url))
        row = kit.pull(WANTED, "wado", quick)
    assert kit.left_over() == []
    assert len(kit.files()) == row.received
    return kit, row


TRUE = {
    "an honest one": Liar(),
    "a cap that it does not tell of": Liar(cap=5),
    "a cap that it tells of by 206": Liar(cap=7, is_said=True),
    "413 for a whole day": Liar(too_much=True),
    "503 and Retry-After": Liar(busy=4),
    "studies that the first answer lost": Liar(loses=lambda question, n: question == 1 and n % 5 == 0),
    "films that break off at first": Liar(films=lambda call: "closes" if call % 3 == 0 else "good"),
    "films without their end at first": Liar(films=lambda call: "unended" if call % 3 == 0 else "good"),
    "films that stall at first": Liar(films=lambda call: "stalls" if call == 4 else "good"),
    "206 for a film at first": Liar(films=lambda call: "partial" if call % 4 == 0 else "good"),
    "another film at first": Liar(films=lambda call: "other" if call % 4 == 0 else "good"),
}


@pytest.mark.parametrize("lie", TRUE)
def test_all_of_it_is_had_in_the_end(database: Database, tmp_path: Path, lie: str) -> None:
    liar = TRUE[lie]
    _, row = pulled(database, tmp_path, liar)
    assert (row.state, row.note) == (PullState.FINISHED, None)
    assert accounts(row) == (STUDIES, 0, STUDIES, 0, 0, 0)
    assert {headers["Accept-Encoding"] for headers in liar.headers} == {"identity"}


def test_what_is_not_listed_is_never_finished(database: Database, tmp_path: Path) -> None:
    kit, row = pulled(database, tmp_path, Liar(stated=2))
    assert (row.state, row.short, row.received) == (PullState.INCOMPLETE, STUDIES, STUDIES)
    with serving(Liar()) as url:  # the peer is mended: the same wish goes on, and fetches nothing again
        again = kit_again(kit, url).pull(WANTED, "wado", quick)
    assert (again.id, again.state, again.short) == (row.id, PullState.FINISHED, 0)


def kit_again(kit: PullKit, url: str) -> PullKit:
    from wetread.store.received.peers import remove_peer

    with kit.database.writing() as session:
        remove_peer(session, "pacs")
    return PullKit(kit.database, kit.folder, Calls(web=url))


def test_films_that_never_come_whole_are_failed_and_tried_again(database: Database, tmp_path: Path) -> None:
    liar = Liar(films=lambda call: "unended" if call in range(4, 10) else "good", gone={7})
    kit, row = pulled(database, tmp_path, liar)
    assert row.state == PullState.INCOMPLETE and row.failed >= 1
    assert row.asked == row.received + row.failed + row.gone == STUDIES and row.gone == 1
    with serving(Liar(gone={7})) as url:
        again = kit_again(kit, url).pull(WANTED, "wado", quick)
    assert (again.id, again.state, accounts(again)) == (row.id, PullState.FINISHED, (STUDIES, 0, STUDIES - 1, 0, 1, 0))


def test_a_peer_that_gives_no_film_is_away(database: Database, tmp_path: Path) -> None:
    with serving(Liar(films=lambda _: "closes")) as url:
        kit = PullKit(database, tmp_path, Calls(web=url))
        with pytest.raises(PeerAway, match="in a row"):
            kit.pull(WANTED, "wado", quick)
    with pytest.raises(PeerAway):
        kit.pull(WANTED, "wado", quick)
    assert kit.files() == [] and kit.left_over() == []
