"""Every error that wetread raises on purpose.

    WetreadError                    exit 1
    +-- UsageError                  exit 2   an option, a directory, a model or a run that cannot be used
    |   +-- DataError               exit 2   training or evaluation data that cannot be used as given
    +-- ServiceUnavailable          exit 4   a database, a broker or an archive root that does not answer
    |   +-- DatabaseReplaced        exit 4   SQLite's file was removed or replaced while it was open
    |   +-- DatabaseFault           exit 4   the database refuses a statement that it should take
    |   +-- NoDatabase              exit 4   a question to a database that is not there
    |   +-- PeerAway                exit 4   a PACS does not answer, or says that it is too busy
    |   +-- RootUnavailable         exit 4   the archive's root is gone or unreadable
    |       +-- RootSilent          exit 4   it does not answer: a read or a walk hangs
    |       +-- RootEmptied         exit 4   it is there, and holds no file where films were
    +-- MachineUnfit                exit 4   this machine reads no film now: its processes die
    |   +-- EngineFault             exit 4   the engine raised where it was to read films
    +-- UnsafeError                 exit 5   data or a model that must not be trusted
    |   +-- ArtefactError           exit 5   a model artefact that is damaged, altered or malformed
    +-- RightsMissing               exit 1   the database's role may not do what was asked for
    +-- MessageError                exit 1   a broker message that is not one of ours
    +-- LeaseLost                   exit 1   another worker holds the batch: nothing of ours may be written
    +-- ReadingsChanged             exit 1   a model's readings changed under a batch: it is to be read again
    +-- PeerFault                   exit 1   a DICOM peer broke the protocol: its association is aborted
    +-- PeerGone                    exit 1   a DICOM peer's connection ended, or was silent for too long
    +-- Rejected                    exit 1   one image cannot be read: carries the reason, never stops the rest

A message says what was expected, what was found and what to do next. `Rejected` is for one image and is
caught by the worker; all others reach the command line, which prints them and exits with `exit_code`.
"""

from __future__ import annotations

from schemas.reasons import Reason

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_FAILURE_RATE = 3
EXIT_UNAVAILABLE = 4
EXIT_UNSAFE = 5
EXIT_BROKEN = 70
"""Of a long-running process that lost a thread which it cannot do without, or stands still: start it again."""

EXIT_INTERRUPTED = 130


class WetreadError(Exception):
    """Base of every error that wetread raises on purpose."""

    exit_code: int = EXIT_FAILED


class UsageError(WetreadError):
    """What was asked for cannot be done as asked."""

    exit_code: int = EXIT_USAGE


class DataError(UsageError):
    """Training or evaluation data that cannot be used; the message names the file or the row."""


class ServiceUnavailable(WetreadError):
    """A database, a broker or an archive cannot be reached; what was settled stays settled."""

    exit_code: int = EXIT_UNAVAILABLE


class DatabaseReplaced(ServiceUnavailable):
    """SQLite's file, or one beside it, was removed or replaced while it was open: waiting brings nothing back."""


class DatabaseFault(ServiceUnavailable):
    """The database refuses a statement that it should take: a backup is restored under us, or we are at fault."""


class NoDatabase(ServiceUnavailable):
    """The database that the settings name does not exist; a question does not make it."""


class PeerAway(ServiceUnavailable):
    """A PACS that we call does not answer, or says for too long that it is too busy."""


class RootUnavailable(ServiceUnavailable):
    """The archive's root is gone or unreadable: no verdict on any of its files."""


class RootSilent(RootUnavailable):
    """The archive's file server does not answer: no verdict on any of its files."""


class RootEmptied(RootUnavailable):
    """The archive's root holds no file where films were found before: so looks a mount that went away."""


class MachineUnfit(WetreadError):
    """This machine reads no film now: no verdict on any of them; what was settled stays settled."""

    exit_code: int = EXIT_UNAVAILABLE


class EngineFault(MachineUnfit):
    """The engine raised where it was to read films that were decoded: no verdict on any of them."""


class UnsafeError(WetreadError):
    """Data or a model that must not be trusted."""

    exit_code: int = EXIT_UNSAFE


class ArtefactError(UnsafeError):
    """A model artefact that is damaged, altered or malformed; nothing of it was loaded."""


class RightsMissing(WetreadError):
    """The database refuses this to our role; nothing was written."""


class MessageError(WetreadError):
    """A broker message that is not one of ours; nothing was read."""


class LeaseLost(WetreadError):
    """The batch now belongs to another worker; the transaction was rolled back."""


class ReadingsChanged(WetreadError):
    """A model's decision or stored readings changed while a batch was read; the transaction was rolled back."""


class PeerFault(WetreadError):
    """A DICOM peer broke the protocol, or a limit of size or time; its association is aborted."""


class PeerGone(WetreadError):
    """A DICOM peer's connection ended, or was silent for too long; what it was not answered was not received."""


class Rejected(WetreadError):
    """One image that cannot be read.

    reason: one of `schemas.reasons.Reason`.
    detail: a short text for people, without the image's path (paths can hold patients' names).
    word: of our own lists, by which a DICOM film was set aside.
    """

    def __init__(self, reason: Reason, detail: str, *, word: str | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.word = word
