"""Whatever the bytes are, they decode to something sound or are rejected for a reason that lies in them."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.errors import Rejected
from schemas.reasons import BYTES_REASONS
from tests.unit.imaging.dicoms import LOSSLESS, PLAIN, dicom
from tests.unit.imaging.pictures import chunk, encoded, film, png, tiff
from wetread.imaging.decode import decode
from wetread.imaging.opencv import cv2

FILM = film()
COLOUR = np.stack([film(seed=seed) for seed in range(3)], axis=-1)
SEEDS = [
    encoded(extension, pixels, *options)
    for pixels in (FILM[:70, :70], COLOUR[:70, :70])
    for extension, *options in ((".png",), (".jpg",), (".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (".tif",))
] + [
    tiff(FILM[:70, :70]),
    tiff(FILM[:70, :70].astype(np.float32), order=">"),
    tiff(np.dstack([COLOUR[:70, :70], FILM[:70, :70]]).astype(np.uint16), 2, tags=[(338, 3, (2,)), (274, 3, (6,))]),
    png(FILM[:70, :70], 8, 3, chunk(b"PLTE", bytes(768)) + chunk(b"tRNS", bytes(256))),
]
DICOMS = [
    dicom(np.ascontiguousarray(FILM[:70, :70]).astype(np.uint16), syntax, bits=12, WindowCenter="99", WindowWidth="50")
    for syntax in (*PLAIN, *LOSSLESS)
]


def survives(data: bytes) -> None:
    """Decode to something sound, or reject for a reason that lies in the bytes."""
    try:
        grey = decode(data)
    except Rejected as error:
        assert error.reason in BYTES_REASONS
    else:
        assert grey.pixels.ndim == 2
        assert grey.pixels.dtype in (np.uint8, np.uint16, np.float32)
        assert np.isfinite(grey.pixels).all()
        assert grey.pixels.min() < grey.pixels.max()


fuzzed = settings(deadline=None, max_examples=600, suppress_health_check=list(HealthCheck))


@fuzzed
@given(data=st.data())
def test_changed_bytes_raise_nothing_but_rejected(data: st.DataObject) -> None:
    mutated = bytearray(data.draw(st.sampled_from(SEEDS + DICOMS)))
    # Headers are where a changed byte changes most: half of the places are among the first bytes.
    places = st.one_of(st.integers(0, min(400, len(mutated) - 1)), st.integers(0, len(mutated) - 1))
    for place, byte in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)):
        mutated[place] = byte
    survives(bytes(mutated))


@fuzzed
@given(data=st.data())
def test_moved_and_missing_bytes_raise_nothing_but_rejected(data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(SEEDS + DICOMS))
    start, end = sorted((data.draw(st.integers(0, len(seed))), data.draw(st.integers(0, len(seed)))))
    survives(seed[:start] + data.draw(st.binary(max_size=20)) + seed[end:])


@fuzzed
@given(
    sign=st.sampled_from(
        [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b""]
    ),
    rest=st.binary(max_size=300),
)
@example(sign=b"II*\0\x08\0\0\0", rest=b"\xff\xff" + bytes(50))
@example(sign=b"\xff\xd8\xff", rest=b"\xc0\0\x02\xff\xd9")
def test_arbitrary_bytes_after_a_signature_raise_nothing_but_rejected(sign: bytes, rest: bytes) -> None:
    survives(sign + rest)
