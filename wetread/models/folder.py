"""Finds models' files on one machine: NAME/VERSION under the models' folder, or in the program itself."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from schemas.errors import UsageError
from wetread.models.card import checked_name
from wetread.models.shipped import shipped_here
from wetread.store.models.registrations import Registration


@dataclass(frozen=True, slots=True)
class ModelsFolder:
    """The folder `path`, absolute; it is made when the first model is kept."""

    path: str

    def place(self, name: str, version: int) -> str:
        """Return where the files of this version belong; raise UsageError for a name that could lead elsewhere."""
        return os.path.join(self.path, checked_name(name), str(version))

    def find(self, registration: Registration) -> str | None:
        """Return the folder that holds the model's files here, or None; whether they are right is not looked at."""
        shipped = shipped_here(registration.directory, registration.digest)
        own = self.place(registration.name, registration.version)
        return shipped if shipped is not None else own if os.path.isdir(own) else None

    def locate(self, registration: Registration) -> str:
        """Return the folder that holds the model's files here; raise UsageError, with the cure, when none does."""
        if (directory := self.find(registration)) is not None:
            return directory
        raise UsageError(
            f"model {registration.reference} ({registration.digest[:12]}): expected its files in "
            f"{self.place(registration.name, registration.version)}, found none; copy them there from a machine that "
            "has them, or run 'wetread models import FOLDER' here"
        )

    def versions(self, name: str) -> set[int]:
        """Return the versions of `name` whose folders exist, registered or left half done."""
        try:
            return {int(entry) for entry in os.listdir(os.path.join(self.path, name)) if entry.isdecimal()}
        except FileNotFoundError:
            return set()

    @contextmanager
    def incoming(self) -> Iterator[str]:
        """Give the path of a folder that does not exist yet and is removed at the end."""
        path = os.path.join(self.path, f".{secrets.token_hex(8)}.incoming")
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
