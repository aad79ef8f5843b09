"""PNGs: cut, damaged, bombs of pixels, of text and of chunks, and good ones of unusual kinds."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

import numpy as np

from schemas.reasons import Reason
from tests.hostile.cases import Case, read, refused
from tests.unit.imaging.pictures import chunk, encoded, film, png, ramp

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def good(seed: int = 10) -> bytes:
    return encoded(".png", film(seed=seed))


def deflated_zeros(megabytes: int, *, raw: bool = False) -> bytes:
    """Return so many megabytes of zeros, deflated to a thousandth of that; raw: without zlib's head and checksum.

    One megabyte is deflated and said again and again, which takes no time.
    """
    press = zlib.compressobj(9, wbits=-15)
    one = press.compress(bytes(2**20)) + press.flush(zlib.Z_FULL_FLUSH)
    body = one * megabytes + press.flush()
    checksum = megabytes * 2**20 % 65521 << 16 | 1  # Adler-32 of zeros
    return body if raw else b"\x78\xda" + body + struct.pack(">I", checksum)


def of_chunks(width: int, height: int, *chunks: tuple[bytes, bytes], bits: int = 8, colour_type: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    return SIGNATURE + b"".join(chunk(*part) for part in [(b"IHDR", header), *chunks, (b"IEND", b"")])


def bomb() -> bytes:
    """400 million pixels of zeros in 400 KB, each row there."""
    return of_chunks(20_000, 20_000, (b"IDAT", deflated_zeros(382)))


def with_chunks(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A good film with chunks before its pixels."""
    return good()[:33] + b"".join(chunk(*part) for part in chunks) + good()[33:]


def text_bomb() -> bytes:
    return with_chunks([(b"zTXt", b"Comment\0\0" + deflated_zeros(512))])


def international_text_bomb() -> bytes:
    return with_chunks([(b"iTXt", b"Comment\0\1\0\0\0" + deflated_zeros(512))])


def colour_profile_bomb() -> bytes:
    return with_chunks([(b"iCCP", b"profile\0\0" + deflated_zeros(512))])


def surplus_pixels() -> bytes:
    """A film's rows, and 512 MB of zeros after them."""
    squeezed = zlib.compressobj(wbits=-15)
    rows = squeezed.compress(b"".join(b"\0" + row.tobytes() for row in film(seed=15)))
    body = b"\x78\xda" + rows + squeezed.flush(zlib.Z_FULL_FLUSH) + deflated_zeros(512, raw=True)
    return of_chunks(240, 200, (b"IDAT", body))


def too_many_chunks() -> bytes:
    return good()[:33] + chunk(b"teXt", b"") * 300_000 + good()[33:]


def damaged() -> bytes:
    data = bytearray(good())
    data[len(data) // 2] ^= 0x10
    return bytes(data)


def claiming_gigabytes() -> bytes:
    """libpng would reserve what the chunk claims."""
    at = good().index(b"IDAT") - 4
    return good()[:at] + struct.pack(">I", 0x7FFFFFFF) + good()[at + 4 :]


def pixels_after_the_end() -> bytes:
    """OpenCV looks for the pixels of an animation behind its end, and reserves what is claimed there."""
    start = of_chunks(240, 200, (b"acTL", struct.pack(">II", 1, 0)))
    return start + struct.pack(">I", 0x7FFFFF00) + b"IDAT" + bytes(4096)


def animated() -> bytes:
    return png(film(seed=11), 8, 0, chunk(b"acTL", struct.pack(">II", 2, 0)))


def transparent() -> bytes:
    return png(np.stack([film(), film() * 0], axis=-1), 8, 4)


def sizeless() -> bytes:
    return png(film(), 8, 0, size=(0, 0))


def twelve_bits() -> bytes:
    """12 bits in 16, as scanners write them: read as 8 bits it would be near black."""
    return encoded(".png", film(seed=12).astype(np.uint16) * 16)


def with_alpha() -> bytes:
    return png(np.stack([film(seed=13), np.full_like(film(), 200)], axis=-1), 8, 4)


def palette() -> bytes:
    colours = bytes(value for level in range(256) for value in (level, level, level))
    return png(film(seed=14), 8, 3, chunk(b"PLTE", colours))


def interlaced_claim() -> bytes:
    """A header that says interlaced over rows that are not."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 240, 200, 8, 0, 0, 0, 1))
    return SIGNATURE + header + good()[33:]


CASES: dict[str, Case] = {
    "cut.png": refused(Reason.UNDECODABLE, "PNG cut in half", lambda: good()[: len(good()) // 2]),
    "endless.png": refused(Reason.UNDECODABLE, "PNG without its end chunk", lambda: good()[:-12]),
    "headless.png": refused(Reason.UNDECODABLE, "PNG that is its signature alone", lambda: SIGNATURE),
    "damaged.png": refused(Reason.UNDECODABLE, "PNG with one byte changed", damaged),
    "interlaced.png": refused(Reason.UNDECODABLE, "PNG with rows of another kind than it says", interlaced_claim),
    "bomb.png": refused(Reason.TOO_LARGE, "PNG of 400 KB that holds 20,000 x 20,000 pixels", bomb),
    "most.png": refused(
        Reason.TOO_LARGE, "PNG that claims 2^31 - 1 pixels a side", lambda: png(film(), 8, 0, size=(2**31 - 1,) * 2)
    ),
    "gigabytes.png": refused(Reason.UNDECODABLE, "PNG with a chunk that claims 2 GB", claiming_gigabytes),
    "behind.png": refused(Reason.UNDECODABLE, "PNG with 2 GB of pixels after its end", pixels_after_the_end),
    "chunks.png": refused(Reason.UNDECODABLE, "PNG of 300,000 chunks", too_many_chunks),
    "text.png": read("PNG with 512 MB of compressed text", text_bomb),
    "words.png": read("the same in a chunk for other languages", international_text_bomb),
    "profile.png": read("PNG with a colour profile of 512 MB", colour_profile_bomb),
    "surplus.png": refused(Reason.UNDECODABLE, "PNG with 512 MB of rows too many", surplus_pixels),
    "animated.png": refused(Reason.MULTI_FRAME, "animated PNG", animated),
    "clear.png": refused(Reason.FLAT, "PNG that is transparent all over", transparent),
    "black.png": refused(Reason.FLAT, "black PNG", lambda: encoded(".png", np.zeros((200, 200), np.uint8))),
    "sizeless.png": refused(Reason.TOO_SMALL, "PNG that claims 0 x 0 pixels", sizeless),
    "pixel.png": refused(Reason.TOO_SMALL, "PNG of 1 x 1 pixel", lambda: encoded(".png", ramp(1, 1))),
    "line.png": refused(Reason.TOO_SMALL, "PNG of 1 x 512 pixels", lambda: encoded(".png", ramp(1, 512))),
    "twelve.png": read("PNG with 12 bits in 16", twelve_bits),
    "alpha.png": read("PNG with alpha", with_alpha),
    "palette.png": read("PNG with a palette", palette),
}  # fmt: skip
