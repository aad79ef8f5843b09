"""The HTTP API as a program meets it: what the commands say, page by page, and nothing for a mistyped question."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.program import REPOSITORY, Program, eventually, with_model
from tests.servers.reading_room import Client, drawn_films, opened_room
from wetread.clock import utc_now
from wetread.store.core.database import Database
from wetread.store.readers.tokens import add_token


@dataclass
class Api:
    program: Program
    archive: Path
    port: int
    tokens: dict[str, str]

    def ask(self, method: str, path: str, /, role: str | None = "manage", body: Any = None, **query: object) -> Any:
        """Return (code, answer)."""
        headers = {} if role is None else {"Authorization": f"Bearer {self.tokens.get(role, role)}"}
        headers |= {} if body is None else {"Content-Type": "application/json"}
        asked = f"/api/v1{path}" + (f"?{urlencode(query)}" if query else "")
        data = b"" if body is None else json.dumps(body).encode()
        answer = Client(self.port, headers=headers).ask(method, asked, data)
        assert answer.headers["content-type"] == "application/json", answer.body
        return answer.code, json.loads(answer.body)

    def get(self, path: str, /, **query: object) -> Any:
        code, answer = self.ask("GET", path, "look", **query)
        assert code == 200, answer
        return answer


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("api")
    environment = {}
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        environment["WETREAD_DATABASE_URL"] = server.create_database(f"api_{os.getpid()}")
    program = with_model(folder / "home", patience=400.0, **environment)
    archive = drawn_films(folder / "archive")
    assert program.run("screen", archive, "--workers", "1").returncode == 0
    with opened_room(program, readers={"max": "manage"}) as port:
        tokens = {}
        database = Database(environment.get("WETREAD_DATABASE_URL") or f"sqlite:///{program.home}/results.db")
        with database.writing() as session:
            for role in ("look", "review", "manage"):
                tokens[role] = add_token(session, f"by-{role}", "max", role, utc_now())
        database.dispose()
        yield Api(program, archive, port, tokens)


def test_it_answers_what_the_commands_say(api: Api) -> None:
    lines = sorted(api.program.lines("results", "list", "--format", "jsonl"), key=lambda one: one["path"])
    assert len(lines) > 6
    pages, after = [], {}
    while True:
        page = api.get("/predictions", limit=5, sort="path", **after)
        pages += page["predictions"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert pages == lines
    assert page["model"] == lines[0]["model"]
    covid = api.get("/predictions", label=lines[0]["label"], min_probability=0, state="done", run=1)["predictions"]
    assert covid == [one for one in covid if one["label"] == lines[0]["label"]] and covid
    listed = api.program.json("runs", "list")
    runs = api.get("/runs")
    assert (runs["next"], len(runs["runs"])) == (None, len(listed))
    assert api.get("/runs/1") == listed[-1] == runs["runs"][-1]
    sha256 = lines[0]["sha256"]
    shown = api.program.json("results", "show", sha256)
    assert api.get(f"/films/{sha256[:12]}")["images"] == shown


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"labl": "covid"}, "label"),
        ({"label": "covdi"}, "Did you mean 'covid'"),
        ({"decision": "unsure"}, "decision"),
        ({"state": "dome"}, "done"),
        ({"reason": "x"}, "reason"),
        ({"run": "77"}, "no run 77"),
        ({"run": "-1"}, "whole number"),
        ({"model": "tinny"}, "tiny"),
        ({"min_probability": "nan"}, "from 0 to 1"),
        ({"since": "soon"}, "since"),
        ({"since": "today", "until": "yesterday"}, "since: expected a time before until"),
        ({"min_probability": "0.9", "max_probability": "0.1"}, "at most max_probability"),
        ({"acquired_since": "soon"}, "acquired_since"),
        ({"path": "/nowhere"}, "path: expected"),
        ({"study": "1.2.3"}, "study: expected"),
        ({"view": "PAA"}, "view"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"sort": "best"}, "sort"),
        ({"after": "1-1-abcdef"}, "after"),
        ({"label": ""}, "expected a value"),
    ],
)
def test_a_mistyped_question_is_refused_with_what_was_expected(api: Api, query: dict[str, str], said: str) -> None:
    code, answer = api.ask("GET", "/predictions", "look", **query)
    assert code == 400 and said in answer["error"] and "--" not in answer["error"].replace("--format", ""), answer


def test_who_may_not_is_refused(api: Api) -> None:
    for role in (None, "wetread_guessed", ""):
        assert api.ask("GET", "/runs", role)[0] == 401
    film = api.get("/predictions", limit=1)["predictions"][0]["sha256"]
    assert api.ask("POST", f"/films/{film}/reviews", "look", {"verdict": "unsure"})[0] == 403
    assert api.ask("POST", "/runs/1/cancel", "review")[0] == 403
    assert api.ask("POST", "/runs", "review", {"directories": [str(api.archive)]})[0] == 403
    reader = Client(api.port)
    assert reader.sign_in("max").code == 303
    assert reader.get("/api/v1/runs").code == 401, "a cookie opens no program's door"
    assert b"/api/v1/predictions" in reader.get("/api").body


def test_a_token_ends_when_it_is_revoked_and_with_its_reader(api: Api) -> None:
    program = api.program
    added = subprocess.run(
        program.command("readers", "add", "tim", "--role", "review", "--password-stdin"),
        env=program.env(), input="correct horse battery\n", text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    assert program.run("tokens", "add", "x", "--reader", "tim", "--role", "manage").returncode == 2
    one, other = (
        program.run("tokens", "add", name, "--reader", "tim", "--role", "review").stdout.strip() for name in "pq"
    )
    assert [api.ask("GET", "/runs", secret)[0] for secret in (one, other)] == [200, 200]
    assert program.run("tokens", "revoke", "p").returncode == 0
    assert [api.ask("GET", "/runs", secret)[0] for secret in (one, other)] == [401, 200]
    assert program.run("readers", "disable", "tim").returncode == 0
    assert api.ask("GET", "/runs", other)[0] == 401
    listed = program.run("tokens", "list", "--json").stdout
    assert one not in listed and {row["name"] for row in json.loads(listed)} >= {"p", "q"}


def test_a_body_that_cannot_be_meant_is_refused(api: Api) -> None:
    film = api.get("/predictions", limit=1)["predictions"][0]["sha256"]
    for body, said in (
        ({}, "verdict"), ({"verdict": "maybe"}, "verdict"), ({"verdict": "unsure", "sekonds": 1}, "seconds"),
        ({"verdict": "unsure", "seconds": "1"}, "seconds"), ({"verdict": "disagree", "label": "flu"}, "flu"),
        ([], "object"),
    ):  # fmt: skip
        code, answer = api.ask("POST", f"/films/{film}/reviews", "review", body)
        assert code == 400 and said in answer["error"], (body, answer)
    for directory in (
        "/etc",
        str(api.archive.parent),
        "archive",
        str(api.archive) + "/../../..",
        str(api.archive) + "x",
    ):
        code, answer = api.ask("POST", "/runs", body={"directories": [directory]})
        assert code == 400 and "directories" in answer["error"], directory
    assert api.ask("POST", "/runs", body={"directories": [str(api.archive)], "engine": "abacus"})[0] == 400
    assert api.ask("GET", "/runs/77")[0] == api.ask("GET", "/nothing")[0] == api.ask("DELETE", "/runs/1")[0] == 404
    assert api.ask("GET", "/films/" + "0" * 64)[0] == 404
    assert api.ask("GET", "/films/xyz")[0] == 400


def test_the_notebook_of_the_page_runs_as_it_stands(api: Api) -> None:
    (example,) = re.findall(r"```python\n(.+?)```", (REPOSITORY / "docs" / "api.md").read_text(), re.DOTALL)
    given = os.environ | {"ROOM": f"http://127.0.0.1:{api.port}", "TOKEN": api.tokens["manage"]}
    ended = subprocess.run(
        [sys.executable, "-c", example], env=given, capture_output=True, text=True, timeout=200, check=False
    )
    assert ended.returncode == 0, ended.stderr
    state, counted, why, said = ended.stdout.splitlines()
    assert state.startswith("finished") and "{" in counted and "threshold" in why and "motion" in said
    assert api.program.run("reviews", "verify").returncode == 0
    listed = api.program.json("reviews", "list")
    assert [one["comment"] for one in listed] == ["motion"] and listed == api.get("/reviews")["reviews"]


def test_a_run_is_started_goes_on_by_itself_and_is_cancelled(api: Api) -> None:
    code, run = api.ask("POST", "/runs", body={"directories": [str(api.archive)], "force": True})
    assert code == 202 and run["state"] == "running"
    assert api.ask("POST", "/runs", body={"directories": [str(api.archive)]})[0] in (202, 409)
    assert api.ask("POST", f"/runs/{run['run']}/cancel")[0] in (200, 400), "it may have ended by now"
    eventually(lambda: api.get(f"/runs/{run['run']}")["state"] in ("cancelled", "finished"), what="the run's end")
    assert api.ask("POST", f"/runs/{run['run']}/cancel")[0] == 400
