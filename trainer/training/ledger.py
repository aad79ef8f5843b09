"""Keeps the finished trainings of a study, so that the same command continues after a kill."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from schemas.errors import UsageError
from trainer.training.resuming import as_json, replace_file, require_same
from wetread.path_text import path_text

FILE = b"trainings.json"


class Ledger:
    """Records by name, in a file that is replaced as a whole after each training; in memory without a folder.

    setting: what all trainings have in common, as JSON has it. Records of another setting are never mixed in:
    a folder that holds some raises UsageError, as does a file that is not a ledger.
    """

    def __init__(self, setting: Mapping[str, Any], folder: bytes | None = None) -> None:
        self._setting = as_json(setting)
        self._path = None if folder is None else os.path.join(folder, FILE)
        self._records: dict[str, Any] = {}
        if self._path is not None and os.path.exists(self._path):
            self._records = self._read(self._path)

    def find(self, name: str) -> Any:
        """Return the record kept under `name`, or None."""
        return self._records.get(name)

    def keep(self, name: str, record: Any) -> None:
        """Keep `record`, which JSON can hold, under `name`."""
        self._records[name] = record
        if self._path is None:
            return
        body = {"setting": self._setting, "finished": self._records}
        replace_file(self._path, json.dumps(body).encode())

    def _read(self, path: bytes) -> dict[str, Any]:
        try:
            with open(path, encoding="utf-8") as file:
                body = json.load(file)
            setting, finished = dict(body["setting"]), dict(body["finished"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{path_text(path)}: expected trainings of this program, found a fault: {error}"
            ) from error
        require_same(path, "trainings", setting, self._setting)
        return finished
