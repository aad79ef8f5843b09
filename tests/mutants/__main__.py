"""How strong are the tests? Random one-token changes of the packages, each judged by the tests of its own package.

The changes that they let pass are printed. A person says which of them matter; those want a test.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from tests.mutants.changes import Change, changes_below
from tests.mutants.judging import PASSED, TreeCopy, Verdict
from tests.mutants.own_tests import OWN_TESTS, in_turn, own_tests, package_of

TREE = Path(__file__).parents[2]
FIRST_SECONDS = 3600.0
"""How long a package's tests may take on the unchanged tree."""


def main(arguments: Sequence[str]) -> int:
    """Judge as many changes as were asked for, and print what survived; return 3 when something did."""
    asked = _parser().parse_args(arguments)
    places = asked.places or sorted(OWN_TESTS)
    chosen = choose(TREE, places, asked.count, asked.seed)
    packages = sorted({package_of(change.path) for change in chosen})
    _say(f"{len(chosen)} changes in {', '.join(places)}, seed {asked.seed}")
    verdicts: dict[Change, Verdict] = {}
    with _copies(asked.jobs) as copies, ThreadPoolExecutor(asked.jobs) as pool:
        limits = dict(zip(packages, pool.map(lambda one: asked.limit or _limit(copies, one), packages), strict=True))

        def judge(change: Change) -> None:
            package = package_of(change.path)
            groups = in_turn(TREE, own_tests(TREE, package), change.path)
            copy, started = copies.get(), time.monotonic()
            try:
                verdicts[change] = copy.judge(change, groups, limits[package])
            finally:
                copies.put(copy)
            _say(f"{verdicts[change]:<10} {time.monotonic() - started:6.0f} s  {change}")

        under_way = [pool.submit(judge, change) for change in chosen]
        try:
            for judged in under_way:
                judged.result()
        except KeyboardInterrupt:
            _say("interrupted: those under way are judged to their end, the others are left")
        finally:
            pool.shutdown(cancel_futures=True)
    return say_survivors(TREE, verdicts)


def choose(tree: Path, places: Sequence[str], count: int, seed: int) -> list[Change]:
    """Return `count` changes of what is named, each as likely as any other; the same for the same seed and code."""
    every = [change for place in places for change in changes_below(tree, place)]
    return random.Random(seed).sample(every, min(count, len(every)))  # noqa: S311  a choice that can be made again


@contextmanager
def _copies(count: int) -> Iterator[SimpleQueue[TreeCopy]]:
    copies: SimpleQueue[TreeCopy] = SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="wetread-mutants-") as folder:
        Path(folder).chmod(0o755)  # what the tests start as another user looks into it
        for number in range(count):
            own = Path(folder) / str(number)
            own.mkdir()
            copies.put(TreeCopy(TREE, own))
        yield copies


def _limit(copies: SimpleQueue[TreeCopy], package: str) -> float:
    """Return how many seconds the package's tests may take: many times what they take unchanged, where they pass."""
    copy, started = copies.get(), time.monotonic()
    try:
        code = copy.test(own_tests(TREE, package), FIRST_SECONDS)
        if code != PASSED:
            raise SystemExit(f"{package}: expected tests that pass unchanged, found exit {code}:\n{copy.log_tail()}")
    finally:
        copies.put(copy)
    taken = time.monotonic() - started
    _say(f"{package}: its tests pass unchanged, in {taken:.0f} s")
    return 60.0 + 4.0 * taken


def say_survivors(tree: Path, verdicts: dict[Change, Verdict]) -> int:
    """Print the share that was found and each change that was not, with its line; return the exit code."""
    survivors = sorted(change for change, verdict in verdicts.items() if verdict is Verdict.SURVIVED)
    found, overlong = len(verdicts) - len(survivors), list(verdicts.values()).count(Verdict.OVERLONG)
    _say(
        f"\n{found} of {len(verdicts)} found ({found / max(1, len(verdicts)):.0%}), {overlong} of these because the "
        f"tests did not end; {len(survivors)} survived"
    )
    for change in survivors:
        line = (tree / change.path).read_text(encoding="utf-8").splitlines()[change.line - 1]
        _say(f"{change}\n    {line.strip()}")
    return 3 if survivors else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    known = ", ".join(sorted(OWN_TESTS))
    parser.add_argument(
        "places", nargs="*", metavar="PLACE", help=f"a package, a module or a line of it, path:line; else {known}"
    )
    parser.add_argument("--count", type=int, default=50, help="how many changes (50)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (1)")
    parser.add_argument("--jobs", type=int, default=1, help="how many side by side, each in a copy of its own (1)")
    parser.add_argument(
        "--limit", type=float, metavar="SECONDS",
        help="trust that the tests pass unchanged, and give each change so long (else both are measured first)",
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
