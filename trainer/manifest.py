"""Films listed in a manifest.csv: path, label and patient_id, and whatever else is known of each."""

from __future__ import annotations

import csv
import os
import stat
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from schemas.errors import DataError
from trainer.film import Film, path_text

MANIFEST = b"manifest.csv"
REQUIRED_COLUMNS = ("path", "label", "patient_id")


def manifest_films(root: bytes, manifest: bytes) -> Iterator[Film]:
    """Yield the films that the file `manifest` lists, under `root`; raise DataError naming the row that is wrong."""
    seen: dict[bytes, int] = {}
    try:
        with open(manifest, encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            columns = tuple(reader.fieldnames or ())
            if missing := [column for column in REQUIRED_COLUMNS if column not in columns]:
                raise DataError(
                    f"{path_text(manifest)}: column {missing[0]!r} is missing; expected {', '.join(REQUIRED_COLUMNS)}, "
                    f"found {', '.join(columns) or 'no header'}"
                )
            for row in reader:
                where = f"{path_text(manifest)}, line {reader.line_num}"
                film = _manifest_film(where, row)
                if film.path in seen:
                    raise DataError(f"{where}: {film.name} is already on line {seen[film.path]}; keep one row a file")
                seen[film.path] = reader.line_num
                _check_file(where, root, film)
                yield film
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path_text(manifest)}: expected comma-separated UTF-8 text, found a fault: {error}"
        ) from error
    except OSError as error:
        raise DataError(f"{path_text(manifest)}: cannot be read: {error.strerror}") from error


def _manifest_film(where: str, row: Mapping[str | None, str | list[str] | None]) -> Film:
    if None in row or None in row.values():
        raise DataError(f"{where}: expected as many cells as the header has, found more or fewer")
    cells = {str(column).strip(): str(cell).strip() for column, cell in row.items()}
    path, label, patient_id = (cells.pop(column) for column in REQUIRED_COLUMNS)
    for column, cell in zip(REQUIRED_COLUMNS, (path, label, patient_id), strict=True):
        if not cell:
            raise DataError(f"{where}: {column} is empty; {path or 'the row'} cannot be used without it")
    attributes = MappingProxyType({column: cell for column, cell in cells.items() if cell})
    return Film(os.fsencode(os.path.normpath(path)), label, patient_id, attributes)


def _check_file(where: str, root: bytes, film: Film) -> None:
    if os.path.isabs(film.path) or film.path.split(b"/")[0] == b"..":
        raise DataError(f"{where}: {film.name}: expected a path below {path_text(root)}")
    try:
        mode = os.stat(os.path.join(root, film.path)).st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{where}: {film.name}: cannot be opened: {reason}") from error
    if not stat.S_ISREG(mode):
        raise DataError(f"{where}: {film.name}: expected a file, found something else")
