"""Decode mutated files in a process that may die of one: which one is written down before it is tried.

    python -m tests.hostile.fuzz_child FORMAT FIRST AFTER SEED DIARY

Writes on standard output, as JSON, what the files gave, or the fault at which it stopped.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from collections import Counter

import numpy as np

from schemas.errors import Rejected
from schemas.reasons import BYTES_REASONS
from tests.hostile.fuzz_seeds import seeds
from tests.hostile.mutations import mutated
from tests.hostile.rewriter import Diary
from wetread.imaging.decode import decode
from wetread.imaging.preprocess import Preprocess

ADDRESS_SPACE = 8 * 2**30
"""Bytes that the process may ask for; a decoder that wants more is refused, as on a machine that has no more."""
MEGABYTES = 800
"""Of memory that it may hold: a picture of the largest size that is decoded, in colours, and its grey."""

PREPROCESS = Preprocess(height=32, width=32, working_size=16)  # of which a JPEG of 70 pixels has more than four times


def fate(data: bytes) -> str:
    """Return "decoded" or the reason; raise whatever else the decoder does, AssertionError for an unsound picture."""
    try:
        grey = decode(data)
        prepared = PREPROCESS.apply(decode(data, PREPROCESS.enough).pixels)
    except Rejected as fault:
        assert fault.reason in BYTES_REASONS, fault.reason
        assert len(fault.detail) < 500, "a message that quotes the file"
        return str(fault.reason)
    assert grey.pixels.ndim == 2
    assert grey.pixels.dtype in (np.uint8, np.uint16, np.float32)
    assert np.isfinite(grey.pixels).all()
    assert grey.pixels.min() < grey.pixels.max()
    assert np.isfinite(prepared).all()
    return "decoded"


def main(form: str, first: str, after: str, seed: str, diary_path: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("error")
    diary, gave, fault = Diary(diary_path), Counter[str](), None
    for data in seeds(form):
        assert fate(data) == "decoded"  # and what is imported late is imported now
    number = int(first)
    for number in range(int(first), int(after)):
        data = mutated(form, number, int(seed))
        diary.write(number)
        try:
            gave[fate(data)] += 1
        except Exception as error:  # noqa: BLE001  whatever it is, it is the fault that is looked for
            fault = f"{type(error).__name__}: {error}"[:300]
        if _megabytes() > MEGABYTES:
            fault = f"{_megabytes()} MB"
        if fault:
            break
    diary.write(number + 1)
    sys.stdout.write(json.dumps({"gave": gave, "fault": fault, "number": number, "megabytes": _megabytes()}))


def _megabytes() -> int:
    """Return the most that this program held. Not getrusage's, which counts what its parent held before it began."""
    with open("/proc/self/status", encoding="ascii") as status:
        held = next(line for line in status if line.startswith("VmHWM:"))
    return int(held.split()[1]) // 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
