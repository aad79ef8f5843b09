"""`wetread doctor`: checks what works on this machine, and says how to mend what does not."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from cli.context import asked_database, asked_registry
from cli.output import emit_json, emit_table
from cli.time_limit import TimedQuestion
from schemas.errors import EXIT_DONE, EXIT_FAILED, NoDatabase, WetreadError
from wetread.installing import install_command
from wetread.settings import Settings, load_settings, safe_url

LEAST_FREE_BYTES = 1024**3

MOST_SKEW_SECONDS = 5.0
"""A clock that is further off has schedules run at another time than they say, and logs that cannot be put in order."""

ANSWER_SECONDS = 6.0
"""Seconds that a database, a broker or a disk may take; then doctor says which one did not answer."""

PACKAGES = ("cli", "gateway", "screening", "producer", "worker", "trainer", "wetread", "schemas")
"""Ours, which sit at the top level under common names."""


@dataclass(frozen=True, slots=True)
class LookedAt:
    """One thing that was looked at. state: "ok", "absent" (optional, not there) or "fault"."""

    what: str
    state: str
    found: str
    cure: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check this installation, and say how to mend what is wrong.

    Looks at Python, libraries and what shadows our own modules, engines, database and its schema, clock, models and
    their digest, broker, workers and disk; exit 1 on a fault. What hangs is given up, and named, within 10 seconds.

    \b
    Example:
      wetread doctor
    """
    settings = load_settings()
    findings = list(_findings(settings))
    if as_json:
        emit_json([{"what": f.what, "state": f.state, "found": f.found, "cure": f.cure} for f in findings])
    else:
        emit_table(("what", "state", "found", "cure"), [(f.what, f.state, f.found, f.cure) for f in findings])
    ctx.exit(EXIT_FAILED if any(finding.state == "fault" for finding in findings) else EXIT_DONE)


def _findings(settings: Settings) -> Iterator[LookedAt]:
    services = _asked_services(settings)  # they answer, or hang, while the rest is looked at
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    anew = install_command()
    running = ".".join(map(str, sys.version_info[:3]))
    yield LookedAt("python", "ok" if fits else "fault", running, "" if fits else "install Python 3.11, 3.12 or 3.13")
    yield from shadowing()
    yield _package("opencv-python-headless", anew, needed=True)
    yield _checked("cv2", _cv2, f"{anew}; on a server never opencv-python, which wants libGL")
    if _installed("opencv-python"):
        yield LookedAt("opencv-python", "fault", "installed beside the headless one", "pip uninstall opencv-python")
    yield _package("numpy", anew, needed=True)
    yield _checked("engine numpy", _numpy_engine, anew)
    yield _package("tensorflow", f"for --engine keras: {install_command('keras')}")
    yield _package("onnx", f"for --engine onnx: {install_command('onnx')}")
    yield _package("onnxruntime", f"for --engine onnx: {install_command('onnx')}")
    yield _package("psycopg", f"for PostgreSQL: {install_command('postgres')}")
    yield _package("matplotlib", f"for training: {install_command('train')}")
    for what, cure, asked in services:
        try:
            if (found := asked.answer()) is not None:
                yield found
        except (WetreadError, ImportError) as error:
            yield LookedAt(what, "fault", str(error), cure)


def _asked_services(settings: Settings) -> list[tuple[str, str, TimedQuestion[LookedAt | None]]]:
    """Ask everything that can hang, all at once: (what it is, its cure when it fails, the question)."""
    # Imported here: threads that import the same at once can meet it half made. What cannot be imported, each says.
    with suppress(ImportError):
        for module in ("models.registry", "store.migrating", "store.moments", "store.workers", "queue"):
            import_module(f"wetread.{module}")

    asked: list[tuple[str, str, TimedQuestion[LookedAt | None]]] = []

    def ask(what: str, cure: str, look: Callable[[], LookedAt | str | None]) -> None:
        def finding() -> LookedAt | None:
            found = look()
            return LookedAt(what, "ok", found) if isinstance(found, str) else found

        asked.append((what, cure, TimedQuestion(what, ANSWER_SECONDS, finding)))

    url = safe_url(settings.database)
    ask("database", f"check WETREAD_DATABASE_URL ({url}) and that the server runs", lambda: _database(settings))
    database = asked[0][2]

    def afterwards(look: Callable[[Settings], LookedAt | str]) -> Callable[[], LookedAt | str]:
        def looked() -> LookedAt | str:
            with suppress(WetreadError):  # said by itself
                database.answer()
            return look(settings)

        return looked

    ask("clock", "mend the database first", afterwards(_clock))
    ask("database's disk", "mend that disk, or set WETREAD_HOME to another one", lambda: _network_disk(settings))
    ask("model", "wetread models list", afterwards(_model))
    if settings.broker is None:
        ask("broker", "", lambda: LookedAt("broker", "absent", "none set: screening runs in processes of its own"))
    else:
        ask("broker", "start Redis, or correct WETREAD_BROKER_URL", lambda: _broker(settings))
        ask("workers", "start one: wetread worker", afterwards(_workers))
    ask("disk", "mend it, or set WETREAD_HOME to another one", lambda: _disk(settings))
    return asked


def _checked(what: str, look: Callable[[], str], cure: str) -> LookedAt:
    try:
        return LookedAt(what, "ok", look())
    except WetreadError as error:
        return LookedAt(what, "fault", str(error), cure)


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _package(package: str, cure: str, *, needed: bool = False) -> LookedAt:
    found = _installed(package)
    if found is None:
        return LookedAt(package, "fault" if needed else "absent", "not installed", cure)
    return LookedAt(package, "ok", found)


def _database(settings: Settings) -> LookedAt:
    """Ask the database, and make none: a look at an installation changes nothing."""
    from wetread.store.core.migrating import HEAD

    try:
        with asked_database():
            return LookedAt("database", "ok", f"{safe_url(settings.database)}, schema {HEAD}, as this program has it")
    except NoDatabase as error:
        return LookedAt("database", "absent", str(error))


def _clock(_settings: Settings) -> LookedAt:
    """Compare this machine's clock with the database's: leases go by that one, schedules and logs by this one."""
    from wetread.store.core.database_clock import read_clock

    try:
        with asked_database() as (_, database), database.reading() as session:
            before = time.time()
            theirs = read_clock(session)
            after = time.time()
    except NoDatabase:
        return LookedAt("clock", "absent", "there is no database yet to compare it with")
    except WetreadError:
        return LookedAt("clock", "absent", "the database does not tell the time", "mend the database first")
    skew = 0.0 if before <= theirs <= after else min(theirs - before, theirs - after, key=abs)
    found = f"{abs(skew):.1f} s {'behind' if skew > 0 else 'ahead of'} the database's"
    if abs(skew) > MOST_SKEW_SECONDS:
        return LookedAt("clock", "fault", found, "set this machine's clock by NTP: timedatectl set-ntp true")
    return LookedAt("clock", "ok", found if abs(skew) >= 0.05 else "agrees with the database's")


def _cv2() -> str:
    try:
        from wetread.imaging.opencv import cv2
    except (ImportError, OSError) as error:
        raise WetreadError(f"expected to import cv2, found: {error}") from error
    return f"loads, {cv2.getNumThreads()} threads"


def _numpy_engine() -> str:
    try:
        import numpy as np
    except (ImportError, OSError) as error:
        raise WetreadError(f"expected to import numpy, found: {error}") from error
    if not np.allclose(np.eye(3, dtype=np.float32) @ np.ones((3, 1), np.float32), 1.0):
        raise WetreadError("expected numpy to multiply, found another product; its BLAS does not suit this processor")
    return "loads and multiplies"


def shadowing(path: Sequence[str] | None = None) -> Iterator[LookedAt]:
    """Yield a finding for each of our top-level packages that another one on sys.path hides, or would hide."""
    ours = Path(__file__).resolve().parent.parent
    for name in PACKAGES:
        for entry in sys.path if path is None else path:
            place = Path(entry or os.curdir).resolve()
            if place == ours:
                break  # whatever comes later is hidden by ours
            if (place / name / "__init__.py").is_file() or (place / f"{name}.py").is_file():
                yield LookedAt(
                    "names", "fault", f"{place / name} hides our package {name}",
                    "give wetread a virtual environment of its own, and run it elsewhere than beside that file",
                )  # fmt: skip
                break


def _network_disk(settings: Settings) -> LookedAt | None:
    """Return a fault when a SQLite database lies on a network's file system; its WAL mode loses data there."""
    scheme, _, file = settings.database.partition(":///")
    if not scheme.startswith("sqlite"):
        return None
    from wetread.network_disk import network_file_system

    kind = network_file_system(os.path.realpath(file))
    if kind is None:
        return None
    return LookedAt(
        "database's disk", "fault", f"SQLite on a network's file system ({kind})",
        "set WETREAD_HOME to a local disk, or WETREAD_DATABASE_URL to PostgreSQL",
    )  # fmt: skip


def _model(_settings: Settings) -> str:
    from wetread.models.artefact import verify_artefact
    from wetread.models.shipped import SHIPPED, shipped_directory

    try:
        with asked_registry() as registry:
            model = registry.resolve("production")
            registry.open(model.digest)
            return f"production is {model.name}@{model.version}, {model.digest[:12]}, verified"
    except NoDatabase:
        name, digest = next(iter(SHIPPED.items()))
        verify_artefact(shipped_directory(name), trusted_digest=digest)
        return f"production is the shipped {name}, {digest[:12]}, verified"


def _broker(settings: Settings) -> str:
    from wetread.queue import make_app, queue_length

    return f"{safe_url(settings.broker or '')}, {queue_length(make_app(settings), settings)} messages wait"


def _workers(settings: Settings) -> str:
    from wetread.store.work.workers import count_alive

    with asked_database() as (_, database), database.reading() as session:
        alive = count_alive(session, settings.sweep_seconds * 3)
    if not alive:
        raise WetreadError("no worker was heard of lately")
    return f"{alive} alive"


def _disk(settings: Settings) -> LookedAt:
    place = settings.home
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    found = f"{free / 1024**3:.1f} GiB free under {settings.home}"
    if free < LEAST_FREE_BYTES:
        return LookedAt("disk", "fault", found, "make space, or set WETREAD_HOME to another disk")
    return LookedAt("disk", "ok", found)
