"""`wetread screen` that is killed, ended, cancelled or left without its archive, embedded: the same command goes on."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

from tests.program import Program, eventually, kill_group
from wetread.process_identity import process_of
from wetread.store.core.database import Database
from wetread.store.roots.adding import resolved_roots, root_ids
from wetread.store.runs.lifecycle import open_run


def test_kill_of_the_command_in_the_middle_and_the_same_command_again(program: Program, large_archive: Path) -> None:
    running = program.start("screen", large_archive)
    eventually(lambda: program.rows("SELECT 1 FROM runs WHERE done > 0 AND done < found"), what="a run half way")
    kill_group(running)
    ended = program.json("screen", large_archive)
    assert ended["run"] == 1, "the unfinished run goes on under its id"
    assert (ended["state"], ended["found"], ended["done"]) == ("finished", 112, 112)
    assert program.rows("SELECT count(*), count(DISTINCT image_id) FROM work_items") == [(112, 112)]
    assert program.rows("PRAGMA integrity_check") == [("ok",)]


def test_kill_of_a_worker_process_loses_nobody(program: Program, large_archive: Path) -> None:
    running = program.start("screen", large_archive, "--workers", "2", "--json")
    eventually(lambda: program.rows("SELECT 1 FROM batches WHERE owner IS NOT NULL"), what="a worker with a batch")
    owner = str(program.rows("SELECT owner FROM batches WHERE owner IS NOT NULL")[0][0])
    os.kill(int(owner.split(":")[1]), signal.SIGKILL)
    out, err = running.communicate(timeout=120)
    assert running.returncode == 0, err
    assert '"found": 112, "done": 112, "rejected": 0, "dead": 0' in out


def test_a_worker_process_that_is_told_to_end_is_replaced(program: Program, large_archive: Path) -> None:
    running = program.start("screen", large_archive, "--workers", "1", "--json")
    eventually(lambda: program.rows("SELECT 1 FROM batches WHERE owner IS NOT NULL"), what="a worker with a batch")
    owner = str(program.rows("SELECT owner FROM batches WHERE owner IS NOT NULL")[0][0])
    os.kill(int(owner.split(":")[1]), signal.SIGTERM)
    out, err = running.communicate(timeout=120)
    assert running.returncode == 0, err
    assert '"found": 112, "done": 112, "rejected": 0, "dead": 0' in out
    assert program.rows("SELECT max(kills) FROM batches") == [(0,)], "it ended in order: nothing died"


def test_a_worker_process_of_which_no_thread_runs_is_ended_and_replaced(program: Program, large_archive: Path) -> None:
    """Its lease does not say so: the database might have been away."""
    program.environment["WETREAD_LEASE_SECONDS"] = "4"
    running = program.start("screen", large_archive, "--workers", "1", "--json")
    eventually(lambda: program.rows("SELECT 1 FROM batches WHERE owner IS NOT NULL"), what="a worker with a batch")
    owner = str(program.rows("SELECT owner FROM batches WHERE owner IS NOT NULL")[0][0])
    os.kill(int(owner.split(":")[1]), signal.SIGSTOP)
    out, err = running.communicate(timeout=120)
    assert running.returncode == 0, err
    assert "a worker process died and is replaced" in err
    assert '"found": 112, "done": 112, "rejected": 0, "dead": 0' in out


def test_a_command_takes_over_the_walk_of_one_that_died_in_it(program: Program, archive: Path) -> None:
    walker = subprocess.Popen(["sleep", "600"])
    database = Database(f"sqlite:///{program.home / 'results.db'}")
    try:
        digest = str(program.rows("SELECT digest FROM models WHERE name = 'tiny'")[0][0])
        process = process_of(walker.pid)
        with database.writing() as session:
            roots = root_ids(session, resolved_roots([str(archive)]))
            open_run(
                session, roots, digest, "numpy", force=False,
                walker=f"{socket.gethostname()[:32]}:{process}/1", dead=lambda _: False,
            )  # fmt: skip
        running = program.start("screen", archive, "--workers", "1", "--json")
        eventually(lambda: program.rows("SELECT 1 FROM runs"), what="the run")
        time.sleep(3.0)
        assert running.poll() is None, "the other one walks, so that this one waits"
    finally:
        walker.kill()
        walker.wait()
        database.dispose()
    out, err = running.communicate(timeout=30)
    assert running.returncode == 0, err
    assert '"run": 1, "state": "finished"' in out
    assert '"found": 12, "done": 12' in out


def test_ctrl_c_leaves_a_run_that_the_same_command_continues(program: Program, large_archive: Path) -> None:
    running = program.start("screen", large_archive, "--workers", "1")
    eventually(lambda: program.rows("SELECT 1 FROM runs WHERE done > 0"), what="a first batch")
    os.killpg(running.pid, signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "the same command continues" in err
    assert program.json("status")["state"] == "interrupted"
    ended = program.json("screen", large_archive)
    assert (ended["run"], ended["state"], ended["dead"]) == (1, "finished", 0)


def test_an_archive_that_goes_away_pauses_the_run_and_blames_no_film(program: Program, large_archive: Path) -> None:
    running = program.start("screen", large_archive, "--workers", "1")
    eventually(
        lambda: program.rows("SELECT 1 FROM runs WHERE done > 0 AND walked_at IS NOT NULL"), what="a first batch"
    )
    large_archive.rename(large_archive.with_name("away"))
    _, err = running.communicate(timeout=60)
    assert running.returncode == 4, err
    assert program.json("status")["state"] == "paused"
    large_archive.with_name("away").rename(large_archive)
    ended = program.json("screen", large_archive)
    assert (ended["run"], ended["state"], ended["rejected"], ended["dead"]) == (1, "finished", 0, 0)


def test_runs_can_be_cancelled_resumed_and_deleted(program: Program, large_archive: Path) -> None:
    program.environment["WETREAD_BATCH_SIZE"] = "1"
    for path in sorted(large_archive.rglob("*.png")):  # so many that a command that cancels is there before the end
        for number in range(10):
            path.with_name(f"{path.stem}-{number}.png").write_bytes(path.read_bytes() + bytes([number]))
    running = program.start("screen", large_archive, "--workers", "1")
    eventually(lambda: program.rows("SELECT 1 FROM runs WHERE done > 0"), what="a first batch")
    assert program.run("runs", "cancel", "1").returncode == 0
    running.communicate(timeout=60)
    assert running.returncode == 1
    account = program.json("status", "1")
    assert account["state"] == "cancelled"
    assert account["found"] == account["done"] + account["cancelled"] + account["rejected"]
    assert account["cancelled"] > 0
    assert program.run("runs", "resume", "1").returncode == 2
    assert program.run("runs", "delete", "1", "--yes").returncode == 0
    assert program.json("runs", "list") == []
    assert program.lines("results", "list") == []


def test_a_cancel_that_was_cut_off_is_taken_up_again(program: Program, archive: Path) -> None:
    program.json("screen", archive)
    assert program.run("runs", "cancel", "1").returncode == 2, "a finished run stays as it is"
    with sqlite3.connect(program.home / "results.db") as connection:
        connection.execute("UPDATE work_items SET state = 'pending', current = 0")
        connection.execute("UPDATE batches SET pending = 12")
        connection.execute("UPDATE runs SET state = 'cancelled', pending = 12, done = 0")
    connection.close()
    assert program.run("runs", "cancel", "1").returncode == 0
    account = program.json("status", "1")
    assert (account["state"], account["cancelled"], account["pending"]) == ("cancelled", 12, 0)
    assert program.run("runs", "cancel", "1").returncode == 2
