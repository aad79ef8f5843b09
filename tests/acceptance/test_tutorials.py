"""The tutorials of docs/tutorials: each one's commands run in order as a new user's, and print what the page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.program import REPOSITORY
from tests.pulling import needs_dicomweb
from tests.receiving import needs
from tests.tutorials.page import missing_shapes, page_steps, reader_home, run_page, shapes
from tests.tutorials.servers import free_ports, instead, needs_orthanc, needs_servers

PAGES = sorted((REPOSITORY / "docs" / "tutorials").glob("*.md"))

SMALLER = {"--patients 30": "--patients 12", "--epochs 16": "--epochs 1", "--size 64 --width 12": "--size 32 --width 4"}
"""What the pages say -> what takes a test seconds."""

AUDITED = {"--patients 30": "--patients 20"}
"""Fewer are too few for the audit to judge a shortcut."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_tutorial_says_is_what_happens(page: Path, request: pytest.FixtureRequest) -> None:
    text = page.read_text(encoding="utf-8")
    smaller = SMALLER | AUDITED if "wetread audit" in text else SMALLER
    servers: dict[str, str] = {}
    if needs_orthanc(text):
        needs("Orthanc", "img2dcm", "curl")
        needs_dicomweb()
        servers = free_ports()
    if needs_servers(text):
        servers = instead(request.getfixturevalue("redis_url"), request.getfixturevalue("postgres_url"))
    with reader_home() as home:
        ran = run_page(text, home, instead=smaller | servers, seconds=560)
    for step, shown in ran:
        assert shown.code == 0, f"`{shown.command}` ended with {shown.code}: {shown.text}"
        missing = missing_shapes(step.output, shown.text)
        assert not missing, f"`{step.command}` did not print {missing}, but {shapes(shown.text)}"
    assert len(ran) == len(page_steps(text))


def test_a_line_that_is_not_printed_is_missed() -> None:
    assert missing_shapes("run 1: begun\nfound 7\n", "run 3: begun\nfound 12\n") == []
    assert missing_shapes("run 1: begun\nlost 7\n", "run 3: begun\nfound 12\n") == ["lost 0"]
