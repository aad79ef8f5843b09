"""What dcmtk's dcmj2pnm shows of a DICOM file, and its values kept for machines without it.

python -m tests.unit.imaging.dcmtk        writes the values anew
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

KEPT = Path(__file__).parent / "dcmtk_shown.json"
PROGRAM = "dcmj2pnm"


def needs_dcmtk() -> None:
    """Skip the test where dcmtk is not installed, and fail it where that must not be."""
    if shutil.which(PROGRAM) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{PROGRAM} is not installed; on Debian: apt-get install dcmtk")
        pytest.skip(f"{PROGRAM} is not installed")


def shown_by_dcmtk(data: bytes, *options: str) -> np.ndarray:
    """Return the film, (height, width), from 0 to 65,535, as dcmj2pnm writes it with `options`."""
    with tempfile.TemporaryDirectory() as folder:
        film, picture = Path(folder, "film.dcm"), Path(folder, "film.pgm")
        film.write_bytes(data)
        subprocess.run([PROGRAM, "+opw", *options, film, picture], check=True, capture_output=True, timeout=60)
        lines = (line for line in picture.read_text().splitlines()[1:] if not line.startswith("#"))
        width, height, _, *values = (int(number) for line in lines for number in line.split())
    return np.array(values).reshape(height, width)


def of_own_range(pixels: np.ndarray) -> np.ndarray:
    """Return the film from 0, its least value, to 1, its greatest: what a picture is, whatever range it was given."""
    values = pixels.astype(np.float64)
    return (values - values.min()) / (values.max() - values.min())


def kept_values() -> dict[str, list[float]]:
    """Return the values of KEPT, by the name of the film."""
    kept: dict[str, list[float]] = json.loads(KEPT.read_text())
    return kept


def main() -> None:
    """Write KEPT anew."""
    from tests.unit.imaging.displays import DISPLAYS, looked_at

    shown = {name: looked_at(shown_by_dcmtk(data, *options)) for name, (data, options) in DISPLAYS.items()}
    KEPT.write_text(json.dumps(shown, indent=0) + "\n")


if __name__ == "__main__":
    main()
