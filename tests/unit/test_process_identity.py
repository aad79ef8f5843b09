"""Which process is alive and which has ended: told without any clock, and never of another table of processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from tests.namespaces import PYTHON, in_namespaces
from wetread import process_identity
from wetread.process_identity import ProcessIdentity, this_process
from worker.identity import died_here, lives_here, walker_id, worker_id

SAYS = "from worker.identity import worker_id; print(worker_id(), flush=True); input()"


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """A process that says who it is and waits."""
    started = subprocess.Popen(
        [*PYTHON, SAYS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield started
    started.kill()
    started.communicate()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_process_is_known_as_long_as_it_lives_and_no_longer(other: subprocess.Popen[str]) -> None:
    owner = heard(other)
    assert lives_here(owner)
    assert not died_here(owner)
    os.kill(other.pid, signal.SIGSTOP)
    assert not died_here(owner), "whoever stands still has not died"
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    assert died_here(owner), "its number is not free yet, and it does nothing more"
    other.wait()
    assert died_here(owner)
    assert not lives_here(owner)


def test_a_step_of_the_clock_makes_no_other_process_of_any(
    other: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, me = heard(other), worker_id()
    started = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: started(self) + 3600.0)
    assert lives_here(owner)
    assert worker_id() == me


def test_a_number_that_is_used_again_is_another_process() -> None:
    me = this_process()
    assert str(replace(me, start=me.start + 100)) != str(me)
    assert replace(me, start=me.start + 100).has_ended
    assert replace(me, pid=4_194_304).has_ended
    assert replace(me, pid=10**12).has_ended


@pytest.mark.parametrize(
    "place", ["", "f" * 32 + ".{table}.{clock}", "{boot}.1.{clock}", "{boot}.{table}.1", "unknown." + "0" * 32]
)
def test_of_another_boot_table_or_clock_nothing_is_said(place: str) -> None:
    me = this_process()
    boot, table, clock = me.place.split(".")
    elsewhere = replace(me, pid=4_194_304, place=place.format(boot=boot, table=table, clock=clock))
    for owner in (f"{socket.gethostname()}:{elsewhere}", f"{socket.gethostname()}:{elsewhere}/3"):
        assert not died_here(owner)
        assert not lives_here(owner)


@pytest.mark.parametrize("owner", ["vm:4194304:179585585174", "vm:4194304:179585585174/1", "nonsense", "", "a:b:c:d"])
def test_of_what_an_earlier_version_wrote_nothing_is_said(owner: str) -> None:
    assert not died_here(owner)
    assert not lives_here(owner)


def test_ids_fit_the_database_and_hold_nothing_that_parts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "höst:/" * 12)
    longest = ProcessIdentity(2**22, 2**64 - 1, f"{'f' * 32}.{2**32 - 1}.{2**32 - 1}")
    monkeypatch.setattr("worker.identity.this_process", lambda: longest)
    assert len(f"{worker_id()}/{10**10 - 1}") <= 128
    assert worker_id().split(":")[1:] == [str(2**22), str(2**64 - 1), longest.place]
    assert walker_id() != walker_id()


def test_a_system_that_does_not_say_where_a_process_is_has_nobody_die(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_identity, "NAMESPACES", tmp_path)
    process_identity.here.cache_clear()
    process_identity._of.cache_clear()
    try:
        me = this_process()
        assert me == this_process(), "its own name stays"
        assert not replace(me, pid=4_194_304).has_ended
        assert not died_here(f"vm:{replace(me, pid=4_194_304)}")
    finally:
        process_identity.here.cache_clear()
        process_identity._of.cache_clear()


@pytest.mark.parametrize("shown", [True, False], ids=["its own /proc", "the /proc of the table above"])
def test_of_two_tables_with_one_hosts_name_neither_speaks_of_the_others_processes(
    other: subprocess.Popen[str], shown: bool
) -> None:
    """The numbers of one mean other processes, or none, in the other."""
    ask = "from worker.identity import *; import sys; o = sys.argv[1]; print(worker_id(), died_here(o), lives_here(o))"
    flags = ["--pid", "--fork", *(["--mount-proc"] if shown else [])]
    said = subprocess.run(
        in_namespaces(*flags, "--", *PYTHON, ask, heard(other)), capture_output=True, text=True, check=True
    )
    inner, died, lives = said.stdout.split()
    assert (died, lives) == ("False", "False")
    assert inner.split(":")[0] == worker_id().split(":")[0], "the host's name is the same"
    assert not died_here(inner), "it has ended, but that is not for us to say"


def test_under_another_offset_of_the_clock_nothing_is_said(other: subprocess.Popen[str]) -> None:
    """The same process, seen from a time namespace, began at another tick."""
    ask = "from worker.identity import *; import sys; print(died_here(sys.argv[1]))"
    said = subprocess.run(
        in_namespaces("--time", "--boottime", "100000", "--fork", "--", *PYTHON, ask, heard(other)),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == "False"


def test_a_process_that_proc_hides_from_us_is_not_said_to_have_died(other: subprocess.Popen[str]) -> None:
    """As another user's is where /proc is mounted with hidepid."""
    owner = heard(other)
    ask = (
        "import os, sys; from worker.identity import *; import wetread.process_identity as p;"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534);"
        "print(p._state_and_start(int(sys.argv[2])), died_here(sys.argv[1]))"
    )
    mount = 'mount -t proc -o hidepid=invisible proc /proc && exec "$@"'
    command = in_namespaces("--mount", "--", "sh", "-c", mount, "sh", *PYTHON, ask, owner, str(other.pid))
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if "hidepid" in said.stderr or "permission denied" in said.stderr:
        pytest.skip("this kernel mounts no /proc that hides processes")
    assert said.returncode == 0, said.stderr
    assert said.stdout.strip() == "None False"


def test_a_worker_is_told_by_the_kernels_ticks() -> None:
    """A clock of its own for the test: the ticks are those that the kernel counts, within a second."""
    began = psutil.boot_time() + this_process().start / os.sysconf("SC_CLK_TCK")
    assert abs(began - psutil.Process().create_time()) < 1.5
