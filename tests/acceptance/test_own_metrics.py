"""Without a broker the command that reads films serves its own metrics: they move, and count processes that died."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.chaos.films import draw_films
from tests.program import Program, eventually, kill_group, with_model
from tests.servers.server import free_port


def scraped(port: int) -> dict[str, float]:
    """Return {name: sum over all labels}; {} where nothing answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


@contextmanager
def running(program: Program, *arguments: object, code: int) -> Iterator[subprocess.Popen[str]]:
    process = program.start(*arguments)
    try:
        yield process
        os.kill(process.pid, signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert process.returncode == code, said
    finally:
        if process.poll() is None:
            kill_group(process)


def test_a_watch_counts_what_its_processes_read_also_those_that_died(tmp_path: Path) -> None:
    program, inbox, port = with_model(tmp_path / "home", TMPDIR=str(tmp_path)), tmp_path / "in", free_port()
    inbox.mkdir()
    arguments = ["watch", inbox, "--still", "0.1", "--workers", "1", "--metrics-port", port]
    with running(program, *arguments, code=0) as watch:
        for seed in (1, 2):
            draw_films(inbox / str(seed), 5, seed=seed)
            eventually(
                lambda seed=seed: scraped(port).get("wetread_films_settled_total") == 5 * seed, what="films read"
            )
            for child in psutil.Process(watch.pid).children():
                if "resource_tracker" not in " ".join(child.cmdline()):
                    child.kill()
            eventually(lambda seed=seed: scraped(port).get("wetread_worker_deaths_total") == seed, what="a death")
        found = scraped(port)
        assert found["wetread_stage_seconds_sum"] > 0
        assert found["wetread_batch_seconds_count"] == found["wetread_batches_total"] >= 2
    assert not list(tmp_path.glob("wetread-metrics-*")), "its files go with it"


def test_a_scrape_during_a_screening_shows_it_move(tmp_path: Path) -> None:
    program, port = with_model(tmp_path / "home", WETREAD_BATCH_SIZE="4"), free_port()
    draw_films(tmp_path / "in", 2000, seed=3)
    with running(program, "screen", tmp_path / "in", "--workers", "1", "--metrics-port", port, code=130):
        eventually(lambda: scraped(port).get("wetread_films_settled_total", 0) > 0, what="a first film")
        first = scraped(port)["wetread_films_settled_total"]
        eventually(lambda: scraped(port).get("wetread_films_settled_total", 0) > first, what="another")


def test_a_beat_that_reads_by_itself_serves_its_processes_beside_the_whole_work(tmp_path: Path) -> None:
    program, port = with_model(tmp_path / "home"), free_port()
    with running(program, "beat", "--metrics-port", port, code=0):
        eventually(lambda: scraped(port), what="a port that answers")
        found = scraped(port)
    assert (found["wetread_database_up"], found["wetread_worker_processes"]) == (1, 1)


@pytest.mark.parametrize("command", ["screen", "watch"])
def test_a_port_that_is_taken_is_named_with_what_the_command_heeds(tmp_path: Path, command: str) -> None:
    program = with_model(tmp_path / "home")
    (tmp_path / "in").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = program.run(command, tmp_path / "in", "--metrics-port", taken.getsockname()[1])
    assert ended.returncode == 2
    assert "--metrics-port" in ended.stderr
    assert "WETREAD_METRICS_PORT" not in ended.stderr, "it is the port of worker and beat"


@pytest.mark.parametrize("command", ["screen", "watch"])
def test_where_workers_read_a_port_of_the_command_would_say_nothing(tmp_path: Path, command: str) -> None:
    program = with_model(tmp_path / "home", WETREAD_BROKER_URL="redis://127.0.0.1:1/0")
    (tmp_path / "in").mkdir()
    ended = program.run(command, tmp_path / "in", "--metrics-port", 0)
    assert ended.returncode == 2
    assert "wetread worker" in ended.stderr
