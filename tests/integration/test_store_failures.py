"""What cannot be read now: of each image and model the latest word, whichever run said it."""

from __future__ import annotations

from typing import Any

from schemas.reasons import Reason
from tests.screened import RunKit, done, rejected
from wetread.store.results.current_failures import current_failures


def settle(kit: RunKit, recorded: Any, reasons: dict[bytes, Reason]) -> None:
    for batch in recorded.batch_ids:
        held = kit.claim(batch)
        assert held is not None
        kit.settle(held, [
            rejected(item, reasons[item.path]) if item.path in reasons else done(item) for item in held.items
        ])  # fmt: skip


def listed(kit: RunKit, **asked: Any) -> list[tuple[bytes, str | None, int]]:
    with kit.database.reading() as session:
        return [
            (row.path.removeprefix(b"/archive/"), row.reason, row.run) for row in current_failures(session, **asked)
        ]


def test_failures_of_every_run_are_listed_until_a_later_one_reads_the_film(kit: RunKit) -> None:
    names = [b"a", b"b", b"c"]
    first, recorded = kit.filled(names)
    settle(kit, recorded, {b"a": Reason.TRUNCATED})
    second, recorded = kit.filled(names, force=True)
    settle(kit, recorded, {b"a": Reason.TRUNCATED, b"b": Reason.PERMISSION})
    expected = [(b"a", "truncated", second), (b"b", "permission", second)]
    assert listed(kit) == expected, "b keeps its reading, and could not be reached"
    assert listed(kit, limit=1) == expected[:1]
    assert listed(kit, reasons=["permission"]) == expected[1:]
    third, recorded = kit.filled(names, force=True)
    settle(kit, recorded, {b"b": Reason.IO_ERROR})
    assert listed(kit) == [(b"b", "io_error", third)], "once, by the latest run; a was read"
    _, recorded = kit.filled([b"c"], force=True)
    settle(kit, recorded, {})
    assert listed(kit) == [(b"b", "io_error", third)]
    _, recorded = kit.filled(names, force=True)
    settle(kit, recorded, {})
    assert listed(kit) == []
    assert first < second
