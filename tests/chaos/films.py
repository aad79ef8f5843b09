"""Small films by the thousand: 64 x 64 grey PNGs, each with bytes of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wetread.imaging.opencv import cv2

FILMS_A_FOLDER = 1_000


def draw_films(directory: Path, count: int, *, seed: int) -> list[Path]:
    """Write `count` films under `directory`, a thousand a folder; return their paths, relative to it.

    Every film has two darker fields on a grey ramp and noise of its own, so that no two have the same bytes.
    """
    random = np.random.default_rng(seed)
    ramp = np.linspace(60, 200, 64, dtype=np.float32)[:, None].repeat(64, axis=1)
    cv2.ellipse(ramp, (20, 32), (10, 22), 0, 0, 360, 40.0, -1)
    cv2.ellipse(ramp, (44, 32), (10, 22), 0, 0, 360, 40.0, -1)
    drawn: list[Path] = []
    for number in range(count):
        folder = Path(f"{number // FILMS_A_FOLDER:04d}")
        if number % FILMS_A_FOLDER == 0:
            (directory / folder).mkdir(parents=True, exist_ok=True)
        grey = (ramp + random.integers(0, 12, (64, 64))).astype(np.uint8)
        grey[0, :8] = [(number >> (4 * place)) & 15 for place in range(8)]
        _, encoded = cv2.imencode(".png", grey, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        drawn.append(folder / f"{number:07d}.png")
        (directory / drawn[-1]).write_bytes(encoded.tobytes())
    return drawn
