"""Logs are JSON where no terminal is, Celery's too; they name the worker, and no other library is let in."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator

import pytest
import structlog

from wetread import logs


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    logs._everywhere.clear()
    structlog.reset_defaults()
    for name in logs.TAKEN_OVER:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.NOTSET)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_what_celery_logs_has_our_form_and_names_the_worker(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up_logs()
    logs.say_everywhere(worker="h:1:1")
    logging.getLogger("celery.worker.consumer").error("lost %s", "it")
    logging.getLogger("celery.worker.consumer").info("each message")
    structlog.get_logger().warning("ours", run=3)
    theirs, ours = lines(capsys)
    assert (theirs["event"], theirs["level"], theirs["worker"]) == ("lost it", "error", "h:1:1")
    assert theirs["logger"] == "celery.worker.consumer"
    assert (ours["event"], ours["run"], ours["worker"]) == ("ours", 3, "h:1:1")


def test_setting_it_up_again_logs_nothing_twice(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up_logs()
    logs.set_up_logs()
    logging.getLogger("kombu").warning("once")
    assert len(lines(capsys)) == 1


def test_what_quotes_files_is_not_let_in(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up_logs()
    record = logging.getLogger("pydicom").makeRecord("pydicom", logging.WARNING, "", 0, "PatientName", (), None)
    logging.getLogger("pydicom").callHandlers(record)
    assert not any(isinstance(one, logs._StderrHandler) for one in logging.getLogger().handlers)
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("{")] == []


@pytest.mark.parametrize(("level", "heard"), [("", ["warning"]), ("info", ["info", "warning"]), ("error", [])])
def test_the_level_is_what_the_variable_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], level: str, heard: list[str]
) -> None:
    if level:
        monkeypatch.setenv(logs.LEVEL, level)
    logs.set_up_logs()
    structlog.get_logger().info("a")
    structlog.get_logger().warning("b")
    assert [line["level"] for line in lines(capsys)] == heard


def test_verbose_reaches_the_processes_that_are_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(logs.LEVEL, "error")
    logs.set_up_logs(verbose=True)
    assert os.environ[logs.LEVEL] == "info"
