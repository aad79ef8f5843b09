"""Which tests judge a change of a package: its own, those that are nearest to the changed module first."""

from __future__ import annotations

import re
from pathlib import Path

OWN_TESTS = {
    "producer": (
        "tests/unit/producer", "tests/integration/test_beat.py", "tests/integration/test_sweeps.py",
        "tests/integration/test_night*.py",
    ),
    "wetread/engine": ("tests/unit/engine",),
    "wetread/imaging": ("tests/unit/imaging", "tests/integration/test_dicom_*.py"),
    "wetread/models": (
        "tests/unit/models", "tests/integration/test_registry_databases.py", "tests/integration/test_redeciding.py",
        "tests/integration/test_gate_at_work.py",
    ),
    "wetread/report": ("tests/unit/report", "tests/integration/test_report_*.py", "tests/acceptance/test_report.py"),
    "wetread/schedule": ("tests/unit/schedule",),
    "wetread/store": (
        "tests/unit/store", "tests/integration/test_store_*.py", "tests/integration/test_result*.py",
        "tests/integration/test_registry_databases.py", "tests/integration/test_overview.py",
        "tests/integration/test_shared_images.py", "tests/integration/test_shadows.py",
        "tests/integration/test_next_batch.py", "tests/integration/test_report_queries.py",
        "tests/integration/test_report_nightly.py", "tests/integration/test_database_*.py",
        "tests/integration/test_asked_databases.py", "tests/integration/test_round_trips.py",
        "tests/integration/test_joined_roots_migration.py", "tests/integration/test_two_commands.py",
    ),
    "worker": (
        "tests/unit/worker", "tests/integration/test_worker_*.py", "tests/integration/test_batch_choice.py",
        "tests/integration/test_idle_workers.py", "tests/integration/test_next_batch.py",
        "tests/integration/test_sweeps.py", "tests/integration/test_who_is_to_blame.py",
        "tests/integration/test_gate_at_work.py", "tests/integration/test_shadows.py",
    ),
}  # fmt: skip
"""Package -> the tests that have to find a fault in it, as paths and patterns."""


def package_of(path: str) -> str:
    """Return the package that a module belongs to; raise ValueError where no tests are known to judge it."""
    package = next((package for package in OWN_TESTS if path.startswith(f"{package}/")), None)
    if package is None:
        raise ValueError(f"expected a module of {', '.join(OWN_TESTS)}, found {path}")
    return package


def own_tests(root: Path, package: str) -> list[Path]:
    """Return the files of a package's own tests, relative to `root`; raise ValueError where a pattern finds none."""
    found: list[Path] = []
    for pattern in OWN_TESTS[package]:
        named = sorted((root / pattern).rglob("test_*.py")) if (root / pattern).is_dir() else sorted(root.glob(pattern))
        if not named:
            raise ValueError(f"{package}: expected tests at {pattern}, found none; mend tests/mutants/own_tests.py")
        found += [path.relative_to(root) for path in named]
    return list(dict.fromkeys(found))


def in_turn(root: Path, tests: list[Path], module: str) -> list[list[Path]]:
    """Return the tests in groups to run one after another: unit tests that import the changed module, then the others.

    Most changes are found by the first, which are quick. module: its path, such as wetread/store/work/leases.py.
    """
    dotted = module.removesuffix(".py").replace("/", ".")
    package, _, name = dotted.rpartition(".")
    imports = re.compile(rf"\b{re.escape(dotted)}\b|from {re.escape(package)} import .*\b{re.escape(name)}\b")
    importing = [test for test in tests if imports.search((root / test).read_text(encoding="utf-8"))]
    first = [test for test in importing if "unit" in test.parts]
    others = sorted((test for test in tests if test not in first), key=lambda test: test not in importing)
    return [group for group in (first, others) if group]
