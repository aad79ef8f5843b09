"""Prometheus metrics of a real worker and a real beat, scraped before, during and after a run."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.program import REPOSITORY, eventually, films, kill_group, with_model
from tests.servers.postgres_server import PostgresServer
from tests.servers.redis_server import RedisServer
from tests.servers.server import free_port

NAME = "ZQNAMEOFAPATIENT"
DEPLOY = REPOSITORY / "deploy"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@dataclass
class Scrapes:
    """What the two ports said; text: all of it."""

    before: Samples = field(default_factory=dict)
    during: Samples = field(default_factory=dict)
    after: Samples = field(default_factory=dict)
    away: Samples = field(default_factory=dict)
    text: str = ""
    logs: str = ""


def scrape(port: int, into: Scrapes) -> Samples:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    into.text += text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def answers(port: int, into: Scrapes) -> bool:
    try:
        scrape(port, into)
    except OSError:
        return False
    return True


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, tuple(sorted(labels.items()))), 0.0)


@pytest.fixture(scope="module")
def scrapes(
    tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer, postgres_server: PostgresServer
) -> Iterator[Scrapes]:
    folder = tmp_path_factory.mktemp("metrics")
    redis_server.flush()
    url = postgres_server.create_database("metrics")
    films(folder / NAME, patients=40, seed=5)
    program = with_model(
        folder / "home", WETREAD_DATABASE_URL=url, WETREAD_BROKER_URL=redis_server.url, WETREAD_BATCH_SIZE="8",
        WETREAD_SWEEP_SECONDS="0.5", WETREAD_LEASE_SECONDS="5", WETREAD_LOG_LEVEL="debug", TMPDIR=str(folder),
    )  # fmt: skip
    of_beat, of_worker, of_listen, found = free_port(), free_port(), free_port(), Scrapes()
    beat = program.start("beat", "--metrics-port", of_beat)
    worker = program.start("worker", "--concurrency", "1", "--metrics-port", of_worker)
    listen = program.start("listen", "--port", 0, "--metrics-port", of_listen)
    try:
        for port in (of_beat, of_worker, of_listen):
            eventually(lambda port=port: answers(port, found), what="a port that answers")

        def both() -> Samples:
            return scrape(of_listen, found) | scrape(of_beat, found) | scrape(of_worker, found)

        eventually(lambda: value(both(), "wetread_workers", kind="service", state="alive") == 1, what="a worker")
        assert [program.run("health", part, "--ready").returncode for part in ("worker", "beat")] == [0, 0]
        found.before = both()
        program.json("submit", folder / NAME)
        eventually(lambda: value(both(), "wetread_films_settled_total", state="done", reason="") > 0, what="a film")
        found.during = both()
        eventually(lambda: value(both(), "wetread_films", state="pending", reason="") == 0, what="the end")
        child = max(psutil.Process(worker.pid).children(recursive=True), key=lambda one: one.memory_info().rss)
        child.kill()
        eventually(lambda: value(both(), "wetread_worker_deaths_total") == 1, what="a death that is counted")
        found.after = both()
        postgres_server.drop_database("metrics")
        found.away = scrape(of_beat, found)
        os.kill(worker.pid, signal.SIGTERM)
        os.kill(beat.pid, signal.SIGTERM)
        os.kill(listen.pid, signal.SIGTERM)
        for process in (worker, beat, listen):
            found.logs += process.communicate(timeout=60)[1]
        yield found
    finally:
        for process in (worker, beat, listen):
            if process.poll() is None:
                kill_group(process)


def test_a_scrape_during_a_run_shows_it_move(scrapes: Scrapes) -> None:
    pending, settled = ("wetread_films", "pending"), ("wetread_films_settled_total", "done")
    seen = [[value(at, name, state=state, reason="") for at in (scrapes.before, scrapes.during, scrapes.after)]
            for name, state in (pending, settled)]  # fmt: skip
    assert seen[0][0] == seen[0][2] == 0
    assert seen[1][0] == 0 < seen[1][1] <= seen[1][2] == 40
    assert value(scrapes.after, "wetread_films", state="rejected", reason="undecodable") == 1
    assert value(scrapes.after, "wetread_films_settled_total", state="rejected", reason="undecodable") == 1
    assert (
        value(scrapes.after, "wetread_batch_seconds_count")
        == value(scrapes.after, "wetread_batches_total", ending="settled")
        == 6
    )
    assert value(scrapes.after, "wetread_sweeps_total", result="made") > 0


def test_the_stages_of_each_batch_are_timed(scrapes: Scrapes) -> None:
    # Five or six: the last batch may hold one file that is no film.
    for stage in ("decode", "clahe", "network", "settle", "read", "hash"):
        assert value(scrapes.after, "wetread_stage_seconds_count", stage=stage) in (5, 6), stage
        assert value(scrapes.after, "wetread_stage_seconds_sum", stage=stage) > 0, stage


def test_a_database_that_is_away_is_said_and_the_port_still_answers(scrapes: Scrapes) -> None:
    assert value(scrapes.before, "wetread_database_up") == 1
    assert ("wetread_database_up", ()) in scrapes.away
    assert value(scrapes.away, "wetread_database_up") == 0
    assert value(scrapes.away, "wetread_broker_up") == 1


def test_the_model_is_named_by_its_digest(scrapes: Scrapes) -> None:
    infos = [dict(labels) for name, labels in scrapes.after if name == "wetread_model_info"]
    assert [(one["alias"], one["model"], len(one["digest"])) for one in infos] == [("production", "tiny@1", 64)]


def test_nobodys_name_is_in_metrics_or_logs_and_logs_are_json_that_name_run_batch_and_worker(scrapes: Scrapes) -> None:
    assert NAME not in scrapes.text + scrapes.logs
    lines = [json.loads(line) for line in scrapes.logs.splitlines() if line.startswith("{")]
    settled = [line for line in lines if line["event"] == "batch settled"]
    assert len(settled) == 6
    assert {line["level"] for line in settled} == {"info"} and len({line["run"] for line in settled}) == 1
    assert len({line["batch"] for line in settled}) == 6
    assert all(re.fullmatch(r".+:\d+:\d+:[0-9a-z.]+", line["worker"]) for line in settled)


def expressions() -> list[str]:
    """Every PromQL expression of the dashboard and of the alerts."""
    dashboard: dict[str, Any] = json.loads((DEPLOY / "grafana" / "wetread.json").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    for file in sorted((DEPLOY / "prometheus").glob("*alerts.yml")):
        found += [rule["expr"] for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]
    return found


def test_every_metric_and_label_of_dashboard_and_alerts_is_in_a_real_scrape(scrapes: Scrapes) -> None:
    known: dict[str, set[str]] = {}
    for name, labels in [*scrapes.before, *scrapes.during, *scrapes.after]:
        known.setdefault(name, {"instance", "job"}).update(label for label, _ in labels)
    asked = expressions()
    assert len(asked) > 30
    for expression in asked:
        named = re.findall(r"(wetread_\w+)(?:\{([^}]*)\})?", expression)
        assert named, expression
        for name, matchers in named:
            assert name in known, f"{expression}: no scrape has {name}"
            labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
            assert labels <= known[name], f"{expression}: {name} has no label {labels - known[name]}"
        for labels_of in re.findall(r"\bby \(([^)]*)\)", expression):
            grouped = {label.strip() for label in labels_of.split(",")}
            assert grouped <= set().union(*(known[name] for name, _ in named)), expression


def test_every_metric_is_in_the_dashboard_or_the_alerts(scrapes: Scrapes) -> None:
    asked = " ".join(expressions())
    names = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name, _ in scrapes.after}
    assert {name for name in names if name not in asked} == set()


def test_a_port_that_is_taken_is_named_with_what_to_do(tmp_path: Path, redis_url: str) -> None:
    program = with_model(tmp_path, WETREAD_BROKER_URL=redis_url)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = program.run("beat", "--metrics-port", taken.getsockname()[1])
    assert ended.returncode == 2
    assert "--metrics-port" in ended.stderr
