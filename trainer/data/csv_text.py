"""Reads csv as people save it: UTF-8 or UTF-16, with or without a byte order mark, with commas, semicolons or tabs."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from schemas.errors import DataError
from wetread.path_text import path_text

DELIMITERS = (",", ";", "\t")


def csv_rows(path: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of the rows of a csv file, the header first; empty lines are left out.

    The delimiter is the one of comma, semicolon and tab that the header has most of. Raises DataError naming the file
    where it cannot be read, or the line where it is no csv.
    """
    name = path_text(path)
    try:
        with open(path, "rb") as file:
            text = _decoded(file.read())
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}: expected text in UTF-8, or in UTF-16 with a byte order mark, found other bytes: {error}; save it "
            "as CSV UTF-8"
        ) from error
    header = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=header.count), strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise DataError(f"{name}, line {reader.line_num}: expected rows of cells, found a fault: {error}") from error


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    return content.decode("utf-8-sig")
