"""The same film by a directory, by C-STORE and by WADO-RS: one reading; with another window: two."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.program import eventually, kill_group, with_model
from tests.pulling import needs_dicomweb, study_film
from tests.receiving import needs
from tests.servers.orthanc_server import OrthancServer
from tests.servers.server import free_port
from tests.services import started


@pytest.fixture
def orthanc() -> Iterator[OrthancServer]:
    needs("Orthanc", "storescu")
    needs_dicomweb()
    server = started(OrthancServer, free_port())  # type: ignore[arg-type] # a port, and no server
    yield server
    server.close()


def with_window(data: bytes, centre: str) -> bytes:
    record, written = dcmread(BytesIO(data)), BytesIO()
    record.WindowCenter, record.WindowWidth = centre, "1500"
    record.save_as(written)
    return written.getvalue()


@pytest.mark.timeout(600)
def test_the_same_film_by_three_ways_is_read_once(orthanc: OrthancServer, tmp_path: Path) -> None:
    program = with_model(tmp_path / "home", patience=280)
    film = with_window(study_film(1, side=96), "1200")
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "film.dcm").write_bytes(film)
    orthanc.ask("/instances", film)
    # C-STORE in Implicit VR: other bytes than those that Orthanc gives by WADO-RS.
    port = free_port()
    for name, title, also in (
        ("pacs", "ORTHANC", ["--port", orthanc.dicom_port, "--web", orthanc.web]),
        ("ward", "STORESCU", []),
    ):
        added = program.run("peers", "add", name, "--title", title, "--address", "127.0.0.1", *also)
        assert added.returncode == 0, added.stderr
    assert program.json("screen", archive)["done"] == 1
    # Before the other: what the spool has is not fetched again.
    pulled = program.run("pull", "pacs", "--study", "1.2.826.5.1", "--via", "wado", "--least-free-gb", "0")
    assert pulled.returncode == 0, pulled.stderr
    listening = program.start("listen", "--port", port, "--least-free-gb", "0", "--least-free-percent", "0")
    try:
        eventually(lambda: subprocess.run(
            ["storescu", "-xi", "-aec", "WETREAD", "127.0.0.1", str(port), str(archive / "film.dcm")],
            capture_output=True, check=False,
        ).returncode == 0, seconds=200, what="a film received")  # fmt: skip
        settled = "SELECT count(*) FROM work_items WHERE state = 'done'"
        eventually(lambda: program.rows(settled) == [(3,)], seconds=200, what="three films settled")
    finally:
        kill_group(listening)
    assert len({str(row["sha256"]) for row in program.lines("results", "list")}) == 3
    assert program.rows("SELECT count(*) FROM predictions") == [(1,)]
    shown = program.json("results", "show", archive / "film.dcm")
    shown = shown[0] if isinstance(shown, list) else shown
    assert len(shown["same_picture_at"]) == 2 and shown["readings"][0]["read_from_sha256"] == shown["sha256"]
    (archive / "brighter.dcm").write_bytes(with_window(film, "900"))
    assert program.json("screen", archive)["done"] == 1
    assert program.rows("SELECT count(*) FROM predictions") == [(2,)]
    digests = {row["picture_digest"] for row in program.lines("results", "list")}
    assert len(digests) == 2 and None not in digests
