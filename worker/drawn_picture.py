"""A drawn picture that a healthy machine can read, for a control where there is no other film."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np

from wetread.imaging.files import FileBytes
from wetread.imaging.opencv import cv2

SIDE = 512
"""Pixels; no smaller than what films are reduced to, so that all steps have something to do."""


@lru_cache(maxsize=1)
def drawn_picture() -> FileBytes:
    """Return a grey PNG with two dark fields on a ramp, the same each time."""
    ramp = np.linspace(60, 200, SIDE, dtype=np.float32)[:, None].repeat(SIDE, axis=1)
    for middle in (SIDE * 5 // 16, SIDE * 11 // 16):
        cv2.ellipse(ramp, (middle, SIDE // 2), (SIDE // 6, SIDE // 3), 0, 0, 360, 40.0, -1)
    noise = np.random.default_rng(1).integers(0, 12, ramp.shape)
    _, encoded = cv2.imencode(".png", (ramp + noise).astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    data = encoded.tobytes()
    return FileBytes(data, len(data), 0, hashlib.sha256(data).hexdigest())
