"""How a peer is called: secrets stay where they are kept, nothing goes open by mistake, no half body counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.calling.credentials import authorization
from gateway.calling.part10 import file_parts, split_head
from gateway.calling.patience import NoAnswer, retry_after
from schemas.errors import UsageError
from tests.pulling import study_film
from wetread.clock import utc_now
from wetread.store.received.peers import Calls, Peer, checked_calls


def calls_by(variable: str) -> Calls:
    return Calls(secret_variable=variable)


def test_secrets_come_from_a_file_that_is_ours_alone_or_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("name:word\n")
    calls = Calls(secret_file=str(secret))
    secret.chmod(0o640)
    with pytest.raises(UsageError, match="chmod 600"):
        authorization(calls)
    secret.chmod(0o600)
    assert authorization(calls) == "Basic bmFtZTp3b3Jk"
    monkeypatch.setenv("OUR_TOKEN", "abc.def")
    assert authorization(calls_by("OUR_TOKEN")) == "Bearer abc.def"
    with pytest.raises(UsageError, match="NOT_SET"):
        authorization(calls_by("NOT_SET"))
    assert authorization(Calls()) is None


@pytest.mark.parametrize(
    ("network", "calls", "why"),
    [
        ("10.1.2.3", Calls(port=104), "--tls-authority"),
        ("10.1.0.0/16", Calls(port=104, plain=True), "--host"),
        ("10.1.2.3", Calls(web="http://10.1.2.3/dicom-web"), "https"),
        ("10.1.2.3", Calls(web="https://name:word@pacs/dicom-web"), "password"),
        ("10.1.2.3", Calls(web="ftp://pacs/"), "DICOMweb"),
    ],
)
def test_what_would_be_open_or_stored_is_refused(network: str, calls: Calls, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        checked_calls(Peer("pacs", "PACS", network, utc_now(), calls))


def test_what_is_protected_is_taken() -> None:
    calls = Calls(port=104, plain=True, web="https://pacs/dicom-web/")
    assert checked_calls(Peer("pacs", "PACS", "10.1.2.3", utc_now(), calls)).web == "https://pacs/dicom-web"
    here = Calls(port=104, web="http://127.0.0.1:8042/dicom-web")
    assert checked_calls(Peer("pacs", "PACS", "127.0.0.1", utc_now(), here)) == here


def test_retry_after_in_both_forms() -> None:
    assert (retry_after("7"), retry_after(None), retry_after("soon")) == (7.0, None, None)
    assert retry_after("Sun, 06 Nov 1994 08:49:37 GMT") == 0.0


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_a_multipart_body_is_taken_whole_or_not(size: int) -> None:
    film = study_film(1)
    body = b"\r\n--mark\r\nContent-Type: application/dicom\r\n\r\n" + film + b"\r\n--mark--\r\n"
    kind = 'multipart/related; type="application/dicom"; boundary="mark"'
    assert b"".join(file_parts(kind, pieces(body, size))) == film
    head, data_set = split_head(file_parts(kind, pieces(body, size)))
    assert (head.instance, film[head.size :]) == ("1.2.826.5.1.1.0", b"".join(data_set))
    for cut in (10, 60, len(body) // 2, len(body) - 12):
        with pytest.raises(NoAnswer):
            b"".join(file_parts(kind, pieces(body[:cut], size)))
