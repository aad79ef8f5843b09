"""`wetread peers echo`: what an engineer tries first when a PACS does not send, or is not heard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.errors import EXIT_UNAVAILABLE
from tests.command_line import refused, run
from tests.receiving import needs
from tests.servers.orthanc_server import OrthancServer
from tests.servers.server import free_port
from tests.services import started


@pytest.fixture(scope="module")
def orthanc() -> Iterator[OrthancServer]:
    needs("Orthanc")
    server = started(OrthancServer, free_port())  # type: ignore[arg-type] # a port, and no server
    yield server
    server.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WETREAD_HOME", str(tmp_path))
    return tmp_path


def _added(name: str, *options: object) -> None:
    result = run("peers", "add", name, "--title", "ORTHANC", "--address", "127.0.0.1", *options)
    assert result.exit_code == 0, (result.output, result.exception)


@pytest.mark.usefixtures("home")
def test_a_peer_that_answers_says_what_it_takes(orthanc: OrthancServer) -> None:
    _added("pacs", "--port", orthanc.dicom_port, "--web", orthanc.web)
    result = run("peers", "echo", "pacs", "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    dicom, web = json.loads(result.stdout)
    assert (dicom["way"], dicom["answers"], dicom["why"]) == ("dicom", True, None)
    assert {"C-FIND", "C-MOVE", "C-GET", "reports", "storage commitment"} == set(dicom["takes"])
    assert (web["way"], web["answers"], web["takes"]) == ("web", True, ["QIDO-RS"])
    assert "yes" in run("peers", "echo", "pacs").stdout


# pynetdicom closes a socket that could not be connected only where shutting it down succeeds, which it cannot.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("home")
def test_a_way_that_does_not_answer_is_named_and_ends_with_4(orthanc: OrthancServer) -> None:
    _added("half", "--port", free_port(), "--web", orthanc.web)
    result = run("peers", "echo", "half", "--json", "--seconds", "5")
    assert result.exit_code == EXIT_UNAVAILABLE
    dicom, web = json.loads(result.stdout)
    assert (dicom["answers"], web["answers"]) == (False, True)
    assert "found no connection" in dicom["why"]


@pytest.mark.usefixtures("home")
def test_the_wrong_service_is_no_answer(orthanc: OrthancServer) -> None:
    _added("wrong", "--web", f"{orthanc.url}/elsewhere")
    result = run("peers", "echo", "wrong", "--json")
    assert result.exit_code == EXIT_UNAVAILABLE
    assert "HTTP 404" in json.loads(result.stdout)[0]["why"]


@pytest.mark.usefixtures("home")
def test_a_peer_that_only_sends_cannot_be_asked() -> None:
    _added("modality")
    refused(run("peers", "echo", "modality"), "a way to call modality")
    refused(run("peers", "echo", "modalty"), "none named 'modalty'")
