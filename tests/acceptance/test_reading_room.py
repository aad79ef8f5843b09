"""The reading room at its door, as programs and pages of others meet it: sessions, forms, roles, films."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.program import Program, with_model
from tests.servers.reading_room import PASSWORD, Client, drawn_films, opened_room
from web.guard import POLICY
from wetread.imaging.decode import decode
from wetread.imaging.opencv import cv2
from wetread.models.artefact import load_artefact


@dataclass
class Room:
    program: Program
    archive: Path
    port: int
    signed_in: dict[str, Client] = field(default_factory=dict)

    def client(self, name: str | None = None, *, anew: bool = False) -> Client:
        """Return a client; of a reader, one that signed in before, since passwords take their time."""
        if name in self.signed_in and not anew:
            return self.signed_in[name]
        client = Client(self.port)
        if name is not None:
            assert client.sign_in(name).code == 303
            client.get("/")  # which makes the first list
            self.signed_in[name] = client
        return client


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("room")
    environment = {}
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        environment["WETREAD_DATABASE_URL"] = server.create_database(f"room_{os.getpid()}")
    program = with_model(folder / "home", **environment)
    program.environment["WETREAD_IMAGE_SECONDS"] = "20"
    archive = drawn_films(folder / "archive")
    ramp = np.linspace(900, 3300, 300 * 240).reshape(300, 240).astype(np.uint16)
    (archive / "deep.png").write_bytes(cv2.imencode(".png", ramp)[1].tobytes())
    (archive / "<script>alert(1)<").mkdir()
    shutil.copy(archive / "deep.png", archive / "<script>alert(1)<" / "script>&amp;\"'.png")
    (archive / "cut.png").write_bytes((archive / "deep.png").read_bytes()[:2000])
    assert program.run("screen", archive).returncode == 0
    with opened_room(program) as port:
        yield Room(program, archive, port)


def key_of(room: Room, client: Client, ending: str) -> str:
    """Return RUN-IMAGE of a film, found as the page finds films."""
    for number in range(1, 20):
        facts = client.get(f"/lists/1/films/1-{number}/facts")
        if facts.code == 200 and json.loads(facts.body)["path"].endswith(ending):
            return f"1-{number}"
    raise AssertionError(ending)


def review(client: Client, key: str, verdict: str, label: str = "", number: int = 1, **headers: str):
    facts = json.loads(client.get(f"/lists/{number}/films/{key}/facts").body)
    form = {"verdict": verdict, "label": label, "seconds": "1", "sha256": facts["sha256"] or ""}
    return client.post(f"/lists/{number}/films/{key}/reviews", form, **headers)


def test_nobody_sees_anything_without_signing_in(room: Room) -> None:
    for address in ("/", "/runs", "/lists/1", "/lists/1/films/1-1"):
        answer = room.client().get(address)
        assert (answer.code, answer.headers.get("location")) == (303, "/sign-in")
    for address in ("/lists/1/films/1-1/facts", "/films/1-1/values", "/films/1-1/thumb.png", "/films/1-1/as-read.png"):
        assert room.client().get(address).code == 401
    stranger = Client(room.port, cookie="__Host-wetread=guessed")
    assert stranger.get("/films/1-1/values").code == 401


def test_the_cookie_and_the_headers_are_strict(room: Room) -> None:
    answer = room.client().sign_in("roe")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-wetread=")
    for word in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie
    for address in ("/sign-in", "/assets/film.js", "/nothing"):
        headers = room.client().get(address).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


def test_wrong_passwords_are_refused_and_then_have_to_wait(room: Room) -> None:
    client = room.client()
    codes = [client.sign_in("nobody", "wrong password!").code for _ in range(6)]
    assert codes == [403] * 5 + [429]
    assert client.sign_in("roe").code == 303


def test_signing_out_ends_the_session_for_whoever_copied_the_cookie(room: Room) -> None:
    client = room.client("roe", anew=True)
    thief = Client(room.port, cookie=client.cookie)
    assert thief.get("/runs").code == 200
    assert thief.post("/lists", {"order": "newest"}).code == 403, "without the word of the session's forms"
    client.post("/sign-out", {})
    assert thief.get("/runs").code == 303
    del room.signed_in["roe"]


def test_who_is_disabled_is_out_at_once(room: Room) -> None:
    client = room.client("zoe")
    assert room.program.run("readers", "disable", "zoe").returncode == 0
    assert client.get("/runs").code == 303
    assert room.client().sign_in("zoe").code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": ""},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Host": "evil.example"},
    ],
)
def test_a_form_of_another_page_does_nothing(room: Room, headers: dict[str, str]) -> None:
    client = room.client("roe")
    assert client.post("/lists", {"order": "newest"}, **headers).code in (403, 421)
    assert client.post("/lists", {"order": "newest"}).code == 303


def test_a_form_without_the_sessions_word_does_nothing(room: Room) -> None:
    client = room.client("roe")
    other = room.client("max")
    for word in ("", "0" * 64, other.csrf):
        assert client.post("/lists", {"order": "newest", "csrf": word}).code == 403


def test_a_form_that_is_too_large_is_not_read(room: Room) -> None:
    client = room.client("roe")
    assert client.post("/lists", {"path": "x" * 70_000}).code == 413
    assert client.ask("POST", "/lists", b"x", Origin=f"http://127.0.0.1:{room.port}", Content_Length="-1").code >= 400


def test_roles_may_what_they_may(room: Room) -> None:
    doe, roe, chief = room.client("doe"), room.client("roe"), room.client("max")
    key = key_of(room, doe, "deep.png")
    assert doe.get(f"/films/{key}/values").code == 200
    assert review(doe, key, "agree").code == 403
    assert review(roe, key, "agree").code == 200
    assert roe.post("/runs/1/cancel", {}).code == 403
    assert chief.post("/runs/1/cancel", {}).code == 400, "it has ended"


def test_a_film_comes_whole_and_as_the_model_sees_it(room: Room) -> None:
    client = room.client("roe")
    key = key_of(room, client, "deep.png")
    whole = client.get(f"/films/{key}/values")
    head = json.loads(whole.headers["x-film"])
    values = np.frombuffer(gzip.decompress(whole.body), "<u2").reshape(head["height"], head["width"])
    data = (room.archive / "deep.png").read_bytes()
    assert np.array_equal(values, decode(data).pixels)
    assert (head["low"], head["high"], head["bits"]) == (900, 3300, 16)
    record = load_artefact(str(room.program.home / "models" / "tiny" / "1")).card.preprocess
    shown = cv2.imdecode(np.frombuffer(client.get(f"/films/{key}/as-read.png").body, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert np.array_equal(shown, record.steps(decode(data, record.enough).pixels).brightened)


def test_the_map_is_the_commands(room: Room, tmp_path: Path) -> None:
    client = room.client("max")
    key = key_of(room, client, "deep.png")
    said = room.program.json("explain", room.archive / "deep.png", "--map-only", "--output", tmp_path / "map.png")
    assert said["map_and_bias"] == pytest.approx(said["logit"], abs=1e-3)
    page = client.get(f"/lists/1/films/{key}/map.png")
    one, other = (
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED).astype(int)
        for data in (page.body, (tmp_path / "map.png").read_bytes())
    )
    # Two processes may round a sum differently, by a level of 255.
    assert one.shape == other.shape and one.shape[2] == 4 and np.abs(one[..., 3] - other[..., 3]).max() <= 1
    seen = one[..., 3] > 2
    assert one[..., 3].max() == 255 and np.array_equal(one[seen][:, :3], other[seen][:, :3])
    blinded = client.post("/lists", {"blinded": "yes", "order": "oldest"}).headers["location"]
    review(client, key, "withdrawn")
    assert client.get(f"{blinded}/films/{key}/map.png").code == 400


def test_a_film_that_cannot_be_decoded_says_why_and_the_room_lives_on(room: Room) -> None:
    client = room.client("roe")
    key = key_of(room, client, "cut.png")
    for address in (f"/films/{key}/values", f"/films/{key}/thumb.png"):
        answer = client.get(address)
        assert answer.code == 422
        assert "ends before its end" in json.loads(answer.body)["error"]
    assert client.get(f"/films/{key_of(room, client, 'deep.png')}/thumb.png").code == 200


def test_addresses_that_lead_nowhere_are_refused(room: Room) -> None:
    client = room.client("roe")
    for address in ("/lists/999", "/lists/1/films/1-999/facts", "/films/9-9/values", f"/films/{2**63}-1/values"):
        assert client.get(address).code == 400, address
    for address in ("/films/..%2f..%2fetc/values", "/assets/..%2fsite.py", "/assets/film.html", "/lists/-1"):
        assert client.get(address).code in (400, 404), address


def test_names_are_shown_as_text_and_stand_in_no_address(room: Room) -> None:
    client = room.client("roe")
    where = client.post("/lists", {"path": str(room.archive / "<script>alert(1)<")}).headers["location"]
    page = client.get(where)
    assert page.code == 200 and b"&lt;script&gt;alert(1)&lt;" in page.body
    assert b"<script>alert" not in page.body
    assert "script" not in where
    assert b'value="' + str(room.archive).encode() in page.body


def test_a_blinded_reader_is_told_nothing_before_their_own_label(room: Room) -> None:
    other, client = room.client("max"), room.client("roe")
    number = int(client.post("/lists", {"blinded": "yes"}).headers["location"].rpartition("/")[2])
    key = key_of(room, client, "/1.png")
    review(other, key, "unsure")
    before = json.loads(client.get(f"/lists/{number}/films/{key}/facts").body)
    assert before["hidden"] is True
    assert {"label", "bars", "probability", "decision", "reviews", "others"}.isdisjoint(before)
    assert review(client, key, "agree", number=number).code == 400
    after = json.loads(review(client, key, "label", before["labels"][0], number).body)
    assert after["hidden"] is False and after["reviews"][0]["blinded"] is True
    assert after["own"]["verdict"] == ("agree" if after["label"] == before["labels"][0] else "disagree")


def test_reviews_are_exported_and_an_export_trains(room: Room) -> None:
    client = room.client("max")
    labels = ("covid", "normal", "pneumonia")
    for number in range(1, 12):
        assert review(client, f"1-{number}", "label", labels[number % 3]).code in (200, 400)
    if room.program.run("reviews", "verify").returncode != 0:
        pytest.fail("the chain is broken")
    ended = room.program.run("reviews", "export", "--output", room.archive / "manifest.csv")
    assert ended.returncode == 0, ended.stderr
    assert room.program.run("reviews", "export", "--output", room.program.home / "x.csv").returncode == 2
    rows = (room.archive / "manifest.csv").read_text().splitlines()
    assert rows[0] == "path,label,patient_id,source,readers,sha256" and len(rows) > 6
    checked = room.program.run("audit", room.archive)
    assert checked.returncode in (0, 5), checked.stderr
    agreed = room.program.json("reviews", "agreement")
    assert any(one["other"] == "tiny@1" for one in agreed)


def test_beyond_this_machine_it_wants_tls(room: Room) -> None:
    ended = room.program.run("web", "--host", "0.0.0.0", "--port", "0")  # noqa: S104 - which is what is refused
    assert ended.returncode == 2 and "--tls-certificate" in ended.stderr
    assert room.program.run("web", "--port", str(room.port)).returncode == 2
    assert room.program.run("web", "--tls-key", __file__).returncode == 2


def test_tls_is_spoken_and_a_proxy_alone_may_call(room: Room, tmp_path: Path) -> None:
    key, certificate = tmp_path / "room.key", tmp_path / "room.pem"
    made = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=room",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
    ]  # fmt: skip
    subprocess.run(made, check=True, capture_output=True)
    with opened_room(room.program, "--tls-certificate", str(certificate), "--tls-key", str(key), readers={}) as port:
        trusted = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/sign-in", context=trusted) as answer:
            assert answer.status == 200 and "max-age" in answer.headers["strict-transport-security"]
    with opened_room(room.program, "--behind-proxy", "127.0.0.1", "--allowed-host", "room.example", readers={}) as port:
        client = Client(port, headers={"Host": "room.example", "Origin": "https://room.example"})
        assert client.post("/sign-in", {"name": "nobody", "password": "x"}, Origin="https://room.example").code == 403
        assert client.post("/sign-in", {"name": "x", "password": "x"}, Origin="http://room.example").code == 403
        assert b"Nobody signs in" in client.post("/sign-in", {"name": "x"}, Origin="https://room.example").body
    with opened_room(room.program, "--behind-proxy", "127.0.0.9", readers={}) as port:
        assert Client(port).get("/sign-in").code == 421


def test_what_a_form_cannot_mean_is_told(room: Room) -> None:
    client = room.client("max")
    for form in (
        {"run": "x"}, {"run": "9" * 30}, {"min_probability": "nan"}, {"max_probability": "2"}, {"since": "soon"},
        {"state": "pending"}, {"order": "best"},
    ):  # fmt: skip
        answer = client.post("/lists", form)
        assert answer.code == 400 and b"This cannot be shown" in answer.body, form
    assert client.post("/lists/run", {"run": "9" * 30}).code == 400


def test_passwords_are_asked_for_by_a_terminal_or_given_by_a_pipe(room: Room) -> None:
    ended = subprocess.run(
        room.program.command("readers", "add", "new"),
        env=room.program.env(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 2 and "--password-stdin" in ended.stderr
    listed = room.program.run("readers", "list", "--json").stdout
    assert {"doe", "max", "roe"} <= {one["name"] for one in json.loads(listed)}
    assert PASSWORD not in listed
