"""One mutated file for each number: bytes changed anywhere, or parts of the format changed, moved, lost and doubled.

What has a checksum gets it anew, so that the decoder behind it is reached.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable

from tests.hostile.fuzz_seeds import seeds
from tests.unit.imaging.pictures import chunk

_NUMBERS = (
    0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 63, 64, 65, 127, 128, 255, 256, 257, 1024, 4095, 8191, 8192, 8193, 32767, 32768,
    65534, 65535, 65536, 2**24, 2**26, 2**30, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1,
)  # fmt: skip
Mutator = Callable[[bytes, random.Random], bytes]


def mutated(form: str, number: int, seed: int) -> bytes:
    """Return the file of this number: the same for the same arguments."""
    rng = random.Random(f"{seed}:{form}:{number}")  # noqa: S311  mutations are no secrets
    data = rng.choice(seeds(form))
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        anywhere = rng.random() < (0.1 if form == "png" else 0.35)  # a PNG's checksums end most of these at once
        data = rng.choice(_ANYWHERE)(data, rng) if anywhere else _OF_FORMAT[form](data, rng)
    return data


def _number(rng: random.Random) -> int:
    return rng.choice(_NUMBERS) if rng.random() < 0.7 else rng.getrandbits(rng.choice((8, 16, 32)))


def _place(data: bytes, rng: random.Random) -> int:
    """Return a place, half of the time among the first bytes, where a change changes most."""
    return rng.randrange(min(len(data), 400) if rng.random() < 0.5 else len(data)) if data else 0


def change_bytes(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 8)) if data else 0):
        place = _place(data, rng)
        out[place] = out[place] ^ 1 << rng.randrange(8) if rng.random() < 0.5 else rng.randrange(256)
    return bytes(out)


def write_number(data: bytes, rng: random.Random) -> bytes:
    packed = struct.pack(rng.choice("<>") + "I", _number(rng))
    packed = packed if rng.random() < 0.5 else rng.choice((packed[:2], packed[2:]))
    place = _place(data, rng)
    return data[:place] + packed + data[place + len(packed) :]


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def take_out(data: bytes, rng: random.Random) -> bytes:
    place = _place(data, rng)
    return data[:place] + data[place + rng.choice((1, 2, 4, 16, 256)) :]


def say_again(data: bytes, rng: random.Random) -> bytes:
    place, length = _place(data, rng), rng.choice((1, 2, 4, 16, 256))
    return data[:place] + data[place : place + length] * rng.choice((2, 3, 20)) + data[place + length :]


def splice(data: bytes, rng: random.Random) -> bytes:
    other = rng.choice(seeds(rng.choice(tuple(_OF_FORMAT))))
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other)) :]


def _part_changed(part: bytes, rng: random.Random) -> bytes:
    return rng.choice(_ANYWHERE[:7])(part, rng)


def _rearranged(parts: list[bytes], rng: random.Random, change: Mutator) -> list[bytes]:
    """Return the parts with one changed, lost, doubled or moved."""
    if not parts:
        return parts
    here, there = rng.randrange(len(parts)), rng.randrange(len(parts))
    way = rng.random()
    if way < 0.7:
        return [*parts[:here], change(parts[here], rng), *parts[here + 1 :]]
    if way < 0.8:
        return parts[:here] + parts[here + 1 :]
    if way < 0.9:
        return [*parts[:there], parts[here], *parts[there:]]
    parts = list(parts)
    parts[here], parts[there] = parts[there], parts[here]
    return parts


# PNG ----------------------------------------------------------------------------------------------------------------

_KINDS = [b"PLTE", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"eXIf", b"iCCP", b"zTXt", b"iTXt", b"sBIT", b"bKGD", b"hIST"]
_KINDS += [b"IDAT", b"IEND", b"IHDR", b"gAMA", b"cHRM", b"sPLT", b"pHYs", b"tIME", b"cICP", b"QQQQ", b"qqqq"]


def png_chunks(data: bytes, rng: random.Random) -> bytes:
    parts, position = [], 8
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        parts.append(data[position + 4 : position + 8 + length])
        position += 12 + length
    if rng.random() < 0.15:
        parts.insert(rng.randrange(len(parts) + 1), rng.choice(_KINDS) + rng.randbytes(rng.choice((0, 1, 4, 26, 300))))
    parts = _rearranged(parts, rng, _chunk_changed)
    return data[:8] + b"".join(chunk(part[:4].ljust(4, b"x"), part[4:]) for part in parts)


def _chunk_changed(part: bytes, rng: random.Random) -> bytes:
    kind, body = part[:4], part[4:]
    way = rng.random()
    if way < 0.1:
        return rng.choice(_KINDS) + body
    if kind == b"IHDR" and len(body) == 13:
        fields = list(struct.unpack(">IIBBBBB", body))
        field = rng.randrange(7)
        fields[field] = _number(rng) if field < 2 else rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
        return kind + struct.pack(">IIBBBBB", *fields)
    if kind == b"IDAT" and way < 0.6:
        try:
            rows = zlib.decompress(body)
        except zlib.error:
            return kind + _part_changed(body, rng)
        return kind + zlib.compress(_part_changed(rows, rng), rng.choice((0, 1, 9)))
    return kind + _part_changed(body, rng)


# JPEG ---------------------------------------------------------------------------------------------------------------


def jpeg_segments(data: bytes, rng: random.Random) -> bytes:
    """Change the segments before the first scan, or its data."""
    parts, position = [], 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        parts.append(data[position : position + 2 + length])
        position += 2 + length
        if parts[-1][1] == 0xDA:
            break
    if rng.random() < 0.25:
        return data[:position] + _scan_changed(data[position:], rng)
    return data[:2] + b"".join(_rearranged(parts, rng, _segment_changed)) + data[position:]


def _segment_changed(part: bytes, rng: random.Random) -> bytes:
    marker, body = part[:2], part[4:]
    way = rng.random()
    if way < 0.15:
        marker = bytes([0xFF, rng.randrange(0xC0, 0xFF)])
    elif way < 0.3:
        return marker + struct.pack(">H", rng.choice((0, 1, 2, 3, len(body), len(body) + 3, 65535))) + body
    else:
        body = _part_changed(body, rng)[:65533]
    return marker + struct.pack(">H", len(body) + 2) + body


def _scan_changed(data: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.5 or not data:
        return _part_changed(data, rng)
    place = rng.randrange(len(data))
    return data[:place] + bytes([0xFF, rng.randrange(0xC0, 0x100)]) + data[place + rng.choice((0, 2)) :]


# TIFF ---------------------------------------------------------------------------------------------------------------

_TAGS = (254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 330, 338, 339)
_TAGS += (347, 512, 529, 530, 532, 700, 34377, 34675, 65000)


def tiff_entries(data: bytes, rng: random.Random) -> bytes:
    """Change one entry of the first directory."""
    order = ">" if data[:2] == b"MM" else "<"
    try:
        (directory,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, directory)
        place = directory + 2 + 12 * rng.randrange(max(1, count))
        entry = list(struct.unpack_from(order + "HHII", data, place))
    except struct.error:
        return write_number(data, rng)
    field = rng.choice((0, 1, 2, 3, 3, 3, 3))
    new = (rng.choice(_TAGS), rng.choice((*range(1, 19), 0, 255)), _number(rng), _number(rng))[field]
    entry[field] = new if field < 3 or rng.random() < 0.5 else new & 0xFFFF  # two bytes hold it left in the field
    if field == 3 and entry[1] == 3 and order == ">":
        entry[3] = entry[3] << 16 & 0xFFFFFFFF
    return data[:place] + struct.pack(order + "HHII", *entry) + data[place + 12 :]


# DICOM --------------------------------------------------------------------------------------------------------------

_REPRESENTATIONS = [b"AE", b"AT", b"CS", b"DS", b"FD", b"IS", b"LO", b"OB", b"OW", b"SQ", b"SS", b"UI", b"UL", b"UN"]
_REPRESENTATIONS += [b"US", b"UT", b"UV", b"OV", b"??"]
_LONG = {b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"UV", b"SV"}
_SYNTAXES = [b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.5"]
_SYNTAXES += [b"1.2.840.10008.1.2.4." + number for number in (b"50", b"51", b"57", b"70", b"80", b"81", b"90", b"201")]
_CODES = [b"MONOCHROME1 ", b"MONOCHROME2 ", b"RGB ", b"YBR_FULL", b"YBR_FULL_422", b"YBR_RCT ", b"PALETTE COLOR "]
_CODES += [b"DX", b"CR", b"SIGMOID ", b"LINEAR_EXACT", b"1E400 ", b"-1", b"NaN ", b"0 ", b"1\\2\\3 ", b"\\"]


def dicom_elements(data: bytes, rng: random.Random) -> bytes:
    """Change the elements of a file with explicit representations and little end first, of others some bytes."""
    start = 132 if data[128:132] == b"DICM" else 0
    parts, position = [], start
    while position + 8 <= len(data):
        vr = data[position + 4 : position + 6]
        long = vr in _LONG
        head = 12 if long else 8
        length = int.from_bytes(
            data[position + 8 : position + 12] if long else data[position + 6 : position + 8], "little"
        )
        if not (vr.isalpha() and vr.isupper()) or position + head + length > len(data):
            break
        parts.append(data[position : position + head + length])
        position += head + length
    if rng.random() < 0.3 and position < len(data):
        return data[:position] + _pixels_changed(data[position:], rng)
    return data[:start] + b"".join(_rearranged(parts, rng, _element_changed)) + data[position:]


def _element_changed(part: bytes, rng: random.Random) -> bytes:
    head = 12 if part[4:6] in _LONG else 8
    tag, vr, value = part[:4], part[4:6], part[head:]
    way = rng.random()
    if way < 0.1:
        vr = rng.choice(_REPRESENTATIONS)
    elif way < 0.2:
        tag = struct.pack("<HH", rng.choice((2, 8, 0x18, 0x28, 0x7FE0, 0xFFFE)), rng.choice((0, 2, 4, 8, 0x10, 0x3000)))
    elif way < 0.3:
        value = rng.choice(_CODES)
    elif way < 0.6 and vr == b"US":
        value = struct.pack("<H", _number(rng) & 0xFFFF)
    elif way < 0.8 and vr == b"UI":
        value = rng.choice(_SYNTAXES)
    else:
        value = _part_changed(value, rng)
    length = len(value) if rng.random() < 0.9 else _number(rng)
    packed = struct.pack("<HI", 0, length) if vr in _LONG else struct.pack("<H", length & 0xFFFF)
    return tag + vr + packed + value


def _pixels_changed(data: bytes, rng: random.Random) -> bytes:
    """Change compressed pixels, if these are some: their codestream, its marker segments, or the fragments."""
    at = data.find(b"\xff\xd8", 0, 200)
    if at >= 0 and rng.random() < 0.7:
        return data[:at] + jpeg_segments(data[at:], rng)
    return _part_changed(data, rng)


_ANYWHERE: tuple[Mutator, ...] = (
    change_bytes,
    write_number,
    take_out,
    say_again,
    change_bytes,
    write_number,
    cut,
    splice,
)
_OF_FORMAT: dict[str, Mutator] = {
    "png": png_chunks,
    "jpeg": jpeg_segments,
    "tiff": tiff_entries,
    "dicom": dicom_elements,
}
