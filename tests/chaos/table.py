"""What each fault gave: written down as the harness runs, and made into the table of docs/reliability.md.

CHAOS_RECORD=FILE       each scenario that ended well adds a line of JSON
python -m tests.chaos.table FILE        writes the table between the marks of docs/reliability.md
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tests.chaos.scale import FULL

RELIABILITY = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults -->", "<!-- /faults -->"


def record(number: str, way: str, fault: str, gave: str, seconds: float) -> None:
    """Write down a scenario that ended well. number: as the list of faults has it; way: embedded or served."""
    if file := os.environ.get("CHAOS_RECORD"):
        form = "full" if FULL else "quick"
        line = {"number": number, "way": way, "form": form, "fault": fault, "gave": gave, "seconds": round(seconds)}
        with Path(file).open("a") as lines:
            lines.write(json.dumps(line) + "\n")


def table(lines: list[dict[str, str]]) -> str:
    """Return the rows as Markdown, in the order of the faults' numbers; a scenario that ran again replaces its row."""
    latest = {(line["number"], line["way"], line["form"], line["fault"]): line for line in lines}
    rows = sorted(latest.values(), key=lambda line: (float(line["number"]), line["way"], line["form"]))
    columns = ("number", "way", "form", "fault", "gave", "seconds")
    head = "| | way | form | fault | what it gave | s |\n|---|---|---|---|---|---|\n"
    return head + "".join("| " + " | ".join(str(row[column]) for column in columns) + " |\n" for row in rows)


def main(file: str) -> None:
    """Put the table of `file` into docs/reliability.md."""
    lines = [json.loads(line) for line in Path(file).read_text().splitlines()]
    text = RELIABILITY.read_text()
    before, rest = text.split(BEGIN)
    RELIABILITY.write_text(f"{before}{BEGIN}\n{table(lines)}{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main(sys.argv[1])
