"""TIFFs: cut, in loops, lying about their sizes, of many pages, and good ones of unusual samples."""

from __future__ import annotations

import struct
import zlib
from functools import partial

import numpy as np

from schemas.reasons import Reason
from tests.hostile.cases import Case, read, refused
from tests.hostile.png_files import deflated_zeros
from tests.unit.imaging.pictures import encoded, film, tiff

Entries = dict[int, tuple[int, tuple[int, ...]]]


def good() -> bytes:
    return tiff(film(seed=20))


def stating(**tags: int) -> bytes:
    """A good film with some of its tags changed; named as in the format's description."""
    numbers = {"width": 256, "height": 257, "strip_at": 273, "rows": 278, "photometric": 262}

    def change(entries: Entries) -> None:
        entries.update({numbers[name]: (4, (value,)) for name, value in tags.items()})

    return tiff(film(seed=20), change=change)


def tiles_of(side: int) -> bytes:
    """A small film in one tile that claims to be large."""

    def change(entries: Entries) -> None:
        (place,), (size,) = entries.pop(273)[1], entries.pop(279)[1]
        del entries[278]
        entries.update({322: (4, (side,)), 323: (4, (side,)), 324: (4, (place - 12,)), 325: (4, (size,))})

    return tiff(film(seed=20), change=change)


def deflate_bomb() -> bytes:
    """A strip that inflates to the film and 512 MB of zeros."""
    squeezed = zlib.compressobj(wbits=-15)
    rows = squeezed.compress(film(seed=20).tobytes()) + squeezed.flush(zlib.Z_FULL_FLUSH)
    strip = b"\x78\xda" + rows + deflated_zeros(512, raw=True)

    def change(entries: Entries) -> None:
        entries.update({259: (3, (8,)), 279: (4, (len(strip),))})

    whole = tiff(film(seed=20), change=change)
    return whole[: -film().nbytes] + strip


def loop() -> bytes:
    """A directory that says the next one is itself."""
    data = bytearray(good())
    (count,) = struct.unpack_from("<H", data, 8)
    struct.pack_into("<I", data, 8 + 2 + 12 * count, 8)
    return bytes(data)


def many_tags() -> bytes:
    return b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**60) + bytes(64)


def lzw_damaged() -> bytes:
    data = encoded(".tif", film(seed=21))
    return data[:8] + bytes(range(256)) * 8 + data[8 + 2048 :]


def not_finite() -> bytes:
    return tiff(np.full((100, 120), np.nan, np.float32))


def partly_finite() -> bytes:
    samples = film(seed=22).astype(np.float32)
    samples[:5] = np.nan
    samples[5] = np.inf
    return tiff(samples)


def grey_with_alpha() -> bytes:
    return tiff(np.stack([film(), film()], axis=-1), 1)


UNDECODABLE, TOO_LARGE = Reason.UNDECODABLE, Reason.TOO_LARGE
CASES: dict[str, Case] = {
    "cut.tif": refused(Reason.TRUNCATED, "TIFF cut in its pixels", lambda: good()[:-1000]),
    "stub.tif": refused(UNDECODABLE, "TIFF cut in its directory", lambda: good()[:40]),
    "away.tif": refused(
        Reason.TRUNCATED, "TIFF whose pixels lie beyond its end", partial(stating, strip_at=2**31)
    ),
    "vast.tif": refused(
        TOO_LARGE, "TIFF that claims 65,535 x 65,535 pixels", partial(stating, width=65535, height=65535)
    ),
    "most.tif": refused(
        TOO_LARGE, "TIFF that claims 2^32 - 1 pixels a side", partial(stating, width=2**32 - 1, height=2**32 - 1)
    ),
    "tile.tif": refused(UNDECODABLE, "TIFF of one tile that claims 65,536 pixels a side", partial(tiles_of, 65536)),
    "strip.tif": read("TIFF whose strip inflates to 512 MB more than it needs", deflate_bomb),
    "loop.tif": refused(UNDECODABLE, "TIFF whose directories go round", loop),
    "tags.tif": refused(UNDECODABLE, "TIFF that claims 2^60 tags", many_tags),
    "lzw.tif": refused(UNDECODABLE, "TIFF with damaged LZW", lzw_damaged),
    "pages.tif": refused(Reason.MULTI_FRAME, "TIFF of three pages", lambda: tiff(film(), pages=3)),
    "odd.tif": refused(UNDECODABLE, "TIFF of colours that are none", partial(stating, photometric=99)),
    "greyalpha.tif": refused(UNDECODABLE, "grey TIFF with alpha", grey_with_alpha),
    "nan.tif": refused(UNDECODABLE, "float TIFF of no number", not_finite),
    "somenan.tif": read("float TIFF with some samples that are no numbers", partly_finite),
    "inverted.tif": read("TIFF in which white is zero", lambda: tiff(film(seed=23), 0)),
    "motorola.tif": read("TIFF of 16 bits, high byte first", lambda: tiff(film(seed=24).astype(np.uint16), order=">")),
}  # fmt: skip
