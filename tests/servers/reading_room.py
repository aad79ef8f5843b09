"""A reading room of a test's own: `wetread web` on a free port, with readers, and a client that speaks HTTP by hand."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from tests.program import Program, eventually, films

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
READERS = {"doe": "look", "roe": "review", "zoe": "review", "max": "manage"}


@dataclass
class Answer:
    """What the room answered; headers with small letters."""

    code: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Client:
    """A browser without a page: it keeps cookies and says where it comes from."""

    port: int
    cookie: str = ""
    csrf: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, address: str, body: bytes = b"", **headers: str) -> Answer:
        """Ask; headers by their names with _ for -."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        given = {"Host": f"127.0.0.1:{self.port}"} | ({"Cookie": self.cookie} if self.cookie else {}) | self.headers
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, address, body, {name: value for name, value in given.items() if value})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, address: str) -> Answer:
        """Ask for a page."""
        return self.ask("GET", address)

    def post(self, address: str, form: dict[str, str], **headers: str) -> Answer:
        """Send a form as our own page would."""
        own = {"Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", address, urlencode({"csrf": self.csrf} | form).encode(), **(own | headers))

    def sign_in(self, name: str, password: str = PASSWORD) -> Answer:
        """Sign in; keep the cookie, and the word of the session's forms."""
        answer = self.post("/sign-in", {"name": name, "password": password})
        if answer.code == 303:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
            page = self.get("/runs").body.decode()
            self.csrf = re.findall(r'name="csrf" value="([0-9a-f]+)"', page)[0]
        return answer


def drawn_films(directory: Path) -> Path:
    """Draw a dozen films; return their directory."""
    films(directory, patients=12, seed=12)
    (directory / "manifest.csv").unlink()
    return directory


@contextmanager
def opened_room(program: Program, *options: str, readers: Mapping[str, str] = READERS) -> Iterator[int]:
    """Give the port of a reading room that has READERS, and end it as a person would."""
    for name, role in readers.items():
        added = program.run("readers", "add", name, "--role", role, "--password-stdin", given=PASSWORD + "\n")
        assert added.returncode == 0, added.stderr
    process = program.start("web", "--port", "0", *options)
    said: list[str] = []
    reading = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    reading.start()
    try:
        eventually(lambda: "reading room" in "".join(said) or process.poll() is not None, what="the room's address")
        found = re.search(r"reading room: https?://\S+:(\d+)/", "".join(said))
        assert found, "".join(said)
        yield int(found[1])
    finally:
        process.terminate()
        process.wait(60)
        reading.join(10)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    assert process.returncode == 0, "".join(said)
