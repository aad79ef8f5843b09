"""One server process of the tests' own: a free port, a folder of its own, its life and its end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from glob import glob
from pathlib import Path
from typing import Any, ClassVar, Self

import psutil

START_SECONDS = 60.0
"""A server that does not answer within this time has failed; on an idle machine it answers in one or two."""

STOP_SECONDS = 20.0


class ServerFailed(RuntimeError):
    """A server ended or did not answer; the message holds the end of its log."""


class Server(ABC):
    """One server process on 127.0.0.1, its folder, and its life.

    Other tests may take a free port between its choice and its use: a first start then chooses another.
    A restart keeps port and data, as a real one does.
    """

    programs: ClassVar[tuple[str, ...]]
    polite_stop: ClassVar[signal.Signals]

    def __init__(self) -> None:
        self.user = _unprivileged_user()
        self.directory = Path(tempfile.mkdtemp(prefix=f"wetread-{type(self).__name__.lower()}-"))
        if self.user is not None:
            shutil.chown(self.directory, self.user)
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL that wetread's settings take."""

    @property
    @abstractmethod
    def command(self) -> list[str]:
        """The command that serves in the foreground."""

    @abstractmethod
    def answering(self) -> int | str | None:
        """Return the identity of what answers at the port; None when nothing does."""

    @property
    @abstractmethod
    def identity(self) -> int | str:
        """What `answering` returns when it is this server that answers, and not a stranger on the same port."""

    def prepare(self) -> None:  # noqa: B027  most servers need nothing
        """Make what the first start needs."""

    def start(self) -> Self:
        """Start the server and return when it answers."""
        first = self.port == 0
        for _ in range(5):
            if first:
                self.port = free_port()
            try:
                self._start()
            except ServerFailed as error:
                if not (first and "in use" in str(error)):
                    raise
            else:
                return self
        raise ServerFailed("expected a free port, found none in five tries")

    def kill(self) -> None:
        """End the server and its children with SIGKILL, as a lost machine would."""
        if self.process is None:
            return
        family: list[psutil.Process] = []
        if self.process.poll() is None:
            parent = psutil.Process(self.process.pid)
            family = [*parent.children(recursive=True), parent]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        self.process.wait()
        psutil.wait_procs(family, timeout=STOP_SECONDS)
        self.process = None

    def stop(self) -> None:
        """End the server in order, or by force when that takes too long."""
        if self.process is None:
            return
        self.process.send_signal(self.polite_stop)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def restart(self) -> None:
        """Stop the server if it runs, and start it with the same port and data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop the server and remove its folder."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start `command` in the folder, as the unprivileged user, its output in log.txt."""
        with (self.directory / "log.txt").open("ab") as log:
            return subprocess.Popen(
                [*_die_with_us(self.polite_stop), *command],
                cwd=self.directory,
                env={"PATH": os.environ["PATH"], "HOME": str(self.directory), "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C ends the tests, and they end the server
                **_as_user(self.user),
            )

    def log_tail(self) -> str:
        """The end of the server's log."""
        return (self.directory / "log.txt").read_text(errors="replace")[-2000:]

    def _start(self) -> None:
        self.prepare()
        self.process = self.run(self.command)
        until = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                self.process = None
                raise ServerFailed(f"{self.command[0]} ended before it answered:\n{self.log_tail()}")
            answering = self.answering()
            if answering == self.identity:
                return
            if answering is not None or time.monotonic() > until:
                self.kill()
                fault = "does not answer" if answering is None else f"finds port {self.port} in use by another"
                raise ServerFailed(f"{self.command[0]} {fault}:\n{self.log_tail()}")
            time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def program_path(name: str) -> str:
    """Return the path of a server's program, or "" when it is not installed."""
    # Debian keeps PostgreSQL's programs out of PATH, of which the highest version is taken, and Orthanc out of that of
    # an ordinary user.
    beside = sorted(glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4]))
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    return found or (beside[-1] if beside else "")


def _unprivileged_user() -> str | None:
    """Return whom a server runs as when we are root, since initdb and postgres refuse root."""
    return "nobody" if os.getuid() == 0 else None


def _as_user(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


def _die_with_us(signum: signal.Signals) -> list[str]:
    """Return a command's prefix that ends it when this process is gone, however that happened (Linux)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", signum.name.removeprefix("SIG")] if setpriv else []
