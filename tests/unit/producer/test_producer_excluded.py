"""What is left out by gitignore's patterns, and where links may lead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from producer.excluded import checked_patterns, excluded_by, lies_in_excluded
from producer.ingest import WalkOrder, walks
from producer.linked_roots import check_not_links_alone, walk_rules
from producer.walk import FoundElsewhere
from schemas.errors import UsageError
from schemas.walk_rules import WalkRules


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        ([], {"a.png", "notes.txt", "old/b.png", "new/old/c.png", "new/keep.txt"}),
        (["old/"], {"a.png", "notes.txt", "new/keep.txt"}),
        (["/old/"], {"a.png", "notes.txt", "new/old/c.png", "new/keep.txt"}),
        (["*.txt", "!keep.txt"], {"a.png", "old/b.png", "new/old/c.png", "new/keep.txt"}),
        (["new/", "!new/keep.txt"], {"a.png", "notes.txt", "old/b.png"}),
        (["new/**/*.png"], {"a.png", "notes.txt", "old/b.png", "new/keep.txt"}),
    ],
)
def test_patterns_mean_what_they_mean_to_git(tmp_path: Path, patterns: list[str], left: set[str]) -> None:
    for name in ("a.png", "notes.txt", "old/b.png", "new/old/c.png", "new/keep.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert found({1: tmp_path}, WalkRules(tuple(patterns))) == {(1, name) for name in left}
    excluded = excluded_by(patterns)
    told = {name for _, name in found({1: tmp_path}, WalkRules()) if not lies_in_excluded(excluded, name.encode())}
    assert told == left, "a watch that is told of a file leaves out what a walk does"


def found(roots: dict[int, Path], rules: WalkRules, allowed: dict[int, Path] | None = None) -> set[tuple[int, str]]:
    order = WalkOrder(rules, (), {key: os.fsencode(path) for key, path in (allowed or {}).items()})
    files = []
    for walked in walks({key: os.fsencode(path) for key, path in roots.items()}, order):
        for file in walked.files:
            elsewhere = isinstance(file, FoundElsewhere)
            files.append((file.root_id, file.file) if elsewhere else (walked.root_id, file))
    return {(root, os.fsdecode(file.path)) for root, file in files}


@pytest.mark.parametrize("pattern", ["", "  ", "# old", "!", "\\", "a\nb"])
def test_a_pattern_that_names_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="--exclude"):
        checked_patterns([pattern])


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    for name in ("store/a.png", "store/sub/b.png", "store/.snapshot/c.png", "secret/d.png", "cohort/own.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    links = {
        "film": "../store/a.png", "again": "../store/a.png", "folder": "../store/sub", "up": "..", "self": ".",
        "nowhere": "gone", "loop": "loop", "secret": "../secret/d.png", "own-link": "own.png",
        "snapshot": "../store/.snapshot/c.png", "device": "/dev/null",
    }  # fmt: skip
    for name, target in links.items():
        (tmp_path / "cohort" / name).symlink_to(target)
    (tmp_path / "store" / "sub" / "back").symlink_to(tmp_path / "cohort")
    (tmp_path / "store" / "sub" / "round").symlink_to(tmp_path / "store" / "sub")
    return tmp_path


def test_links_are_followed_into_allowed_roots_alone_and_each_film_keeps_its_real_path(cohort: Path) -> None:
    roots, follow = {1: cohort / "cohort"}, WalkRules(follow_links=True)
    assert found(roots, WalkRules()) == {(1, "own.png")}
    assert found(roots, follow) == {(1, "own.png")}
    films = {(1, "own.png"), (2, "a.png"), (2, "sub/b.png")}
    assert found(roots, follow, {2: cohort / "store"}) == films
    assert found(roots, WalkRules(("sub/",), follow_links=True), {2: cohort / "store"}) == films - {(2, "sub/b.png")}


def test_a_link_to_the_directory_around_both_finds_each_film_once(cohort: Path) -> None:
    films = found({1: cohort / "cohort"}, WalkRules(follow_links=True), {2: cohort})
    assert films == {(1, "own.png"), (2, "store/a.png"), (2, "store/sub/b.png"), (2, "secret/d.png")}


def test_a_root_with_a_film_or_a_followed_folder_is_not_refused(cohort: Path) -> None:
    own = [os.fsencode(cohort / "cohort")]
    check_not_links_alone(own, WalkRules())
    (cohort / "cohort" / "own.png").unlink()
    with pytest.raises(UsageError, match=r"nothing but links \(11\)"):
        check_not_links_alone(own, WalkRules())
    with pytest.raises(UsageError, match="lead out of it; --allow ROOT"):
        check_not_links_alone(own, WalkRules(follow_links=True))
    check_not_links_alone(own, walk_rules((), [str(cohort / "store")], follow_links=True))
    with pytest.raises(UsageError, match="--allow: expected --follow-links"):
        walk_rules((), [str(cohort)], follow_links=False)
