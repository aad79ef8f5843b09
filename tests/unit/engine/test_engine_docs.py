from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
PAGE = REPOSITORY / "docs" / "engine.md"


def test_the_walk_through_a_training_step_runs_as_it_is_written() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 8
    exec(compile("\n".join(blocks), str(PAGE), "exec"), {})  # noqa: S102 (our own page)


def test_every_file_that_the_page_names_is_there() -> None:
    engine = REPOSITORY / "wetread" / "engine"
    for name in re.findall(r"`([\w/]+\.py)`", PAGE.read_text("utf-8")):
        assert (engine / name).is_file() or (REPOSITORY / name).is_file(), name
