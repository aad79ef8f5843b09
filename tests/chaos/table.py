"""What each fault gave: written down as the harness runs, and made into the table of docs/reliability.md.

CHAOS_RECORD=FILE       each scenario that ended well adds a line of JSON
python -m tests.chaos.table FILE        writes these rows between the marks of docs/reliability.md; a row there of the
                                        same fault is replaced, the others stay as they are
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path

from tests.chaos.scale import FULL

RELIABILITY = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults -->", "<!-- /faults -->"

COLUMNS = ("number", "way", "form", "fault", "gave", "seconds", "day")

HEAD = "| | way | form | fault | what it gave | s | day |\n|---|---|---|---|---|---|---|\n"

Row = dict[str, str]


def record(number: str, way: str, fault: str, gave: str, seconds: float) -> None:
    """Write down a scenario that ended well. number: as the list of faults has it; way: embedded or served."""
    form = "full" if FULL else "quick"
    line = {"number": number, "way": way, "form": form, "fault": fault, "gave": gave, "seconds": str(round(seconds))}
    add_line(line | {"day": time.strftime("%Y-%m-%d")})


def add_line(line: dict[str, str]) -> None:
    """Add a line of JSON to the record, if one is kept."""
    if file := os.environ.get("CHAOS_RECORD"):
        with Path(file).open("a") as lines:
            lines.write(json.dumps(line) + "\n")


def read_lines(file: Path) -> list[dict[str, str]]:
    """Return the record's lines; none where nothing was recorded yet."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def table(rows: list[Row]) -> str:
    """Return the rows as Markdown, in the order of the faults' numbers; of two of one scenario the later stays."""
    latest = {_scenario(row): row for row in rows}
    ordered = sorted(latest.values(), key=lambda row: (float(row["number"]), row["way"], row["form"]))
    return HEAD + "".join("| " + " | ".join(row[column] for column in COLUMNS) + " |\n" for row in ordered)


def rows_of(markdown: str) -> list[Row]:
    """Return the rows of a table that `table` has written."""
    lines = [line for line in markdown.splitlines() if line.startswith("| ")][1:]
    return [dict(zip(COLUMNS, line.strip("| \n").split(" | "), strict=True)) for line in lines]


def _scenario(row: Row) -> tuple[str, ...]:
    """Return what makes two rows one scenario: how many films and how many times may differ."""
    return row["number"], row["way"], row["form"], re.sub(r"\d[\d,.]*", "N", row["fault"])


def main(file: str) -> None:
    """Put the rows of `file` into docs/reliability.md."""
    rows = [line for line in read_lines(Path(file)) if "number" in line]
    text = RELIABILITY.read_text()
    before, rest = text.split(BEGIN)
    there, after = rest.split(END)
    RELIABILITY.write_text(f"{before}{BEGIN}\n{table(rows_of(there) + rows)}{END}{after}")


if __name__ == "__main__":
    main(sys.argv[1])
