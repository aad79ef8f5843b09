"""Turns a database driver's error into ours: what was expected, what was found, what to do next."""

from __future__ import annotations

from collections.abc import Callable

from schemas.errors import DatabaseFault, RightsMissing, ServiceUnavailable, WetreadError
from wetread.settings import safe_url

NO_RIGHT = "42501"
READ_ONLY = "25006"
"""PostgreSQL's codes for a right that the role lacks, and for a write where only reading is possible."""

CONTENDED = frozenset({"40P01", "40001", "55P03", "57014"})
"""Its codes for a deadlock, for a transaction that another one forestalled, for a lock that was not to be had, and for
a statement that took too long."""

NO_SUCH_THING = frozenset({"42P01", "42703", "42704", "42883", "42P10", "3F000", "3D000"})
"""Its codes for a table, column, type, function, unique constraint, schema or database that is not there."""

UNREADABLE = ("not a database", "malformed")


def named(error: Exception, url: str, forbids_writing: Callable[[], bool], *, away: bool = False) -> WetreadError:
    """Return the error to raise for one of the driver's, or of SQLAlchemy's around it.

    forbids_writing: asked where a write was refused, whether the role may never write; else it is a standby, or was
    one a moment ago. away: the connection is known to be broken.
    """
    original: BaseException = getattr(error, "orig", None) or error
    said = (str(original).strip().splitlines() or [type(original).__name__])[0]
    place, state = safe_url(url), getattr(original, "sqlstate", None)
    if "disk is full" in said or "No space left" in said or "disk I/O error" in said:
        return WetreadError(f"the database {place} cannot write: {said}; make space, then run the same command")
    if state == NO_RIGHT or "readonly database" in said or (state == READ_ONLY and forbids_writing()):
        return RightsMissing(
            f"expected the right to do this in the database {place}, found: {said}; nothing was written. Use "
            "a role that has it: docs/operations.md lists them"
        )
    if state == READ_ONLY:
        return ServiceUnavailable(
            f"expected a database that takes writes at {place}, found a standby: {said}; nothing was written, and the "
            "same command goes on once a server is promoted. Of several hosts in the URL, "
            "target_session_attrs=read-write finds it"
        )
    if state in CONTENDED:
        return ServiceUnavailable(
            f"expected a turn in the database {place}, found: {said}; nothing was written, and the same command goes on"
        )
    if state in NO_SUCH_THING or "no such table" in said or "no such column" in said:
        return ServiceUnavailable(
            f"expected wetread's tables in the database {place}, found: {said}; while a backup is restored, the same "
            "command goes on after it; else check WETREAD_DATABASE_URL, and run `wetread doctor`"
        )
    operational = (
        away or _is(original, "OperationalError", "InterfaceError") or any(word in said for word in UNREADABLE)
    )
    if operational or _is(error, "TimeoutError", "PendingRollbackError"):
        return ServiceUnavailable(
            f"expected a database at {place}, found: {said}; check WETREAD_DATABASE_URL and that the server runs"
        )
    kind = type(original).__name__ + (f" {state}" if state else "")
    return DatabaseFault(
        f"expected the database {place} to take a statement, found {kind}: {said}; nothing was written. While a backup "
        "is restored, run the same command after it; else this is a fault of wetread: please report it"
    )


def _is(error: BaseException, *names: str) -> bool:
    """Return whether an error is of a class of one of these names; each driver has its own."""
    return any(kind.__name__ in names for kind in type(error).__mro__)
