"""DICOM files that are not to be read: each is rejected for its own reason, before it costs anything, and unquoted."""

from __future__ import annotations

import logging
import struct
import tracemalloc
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from schemas.errors import Rejected
from schemas.reasons import BYTES_REASONS, WORD_REASONS, Reason
from tests.unit.imaging.dicoms import LOSSLESS, PLAIN, dicom
from tests.unit.imaging.pictures import encoded, film
from wetread.imaging.decode import decode

FILM = film()
DEEP = FILM.astype(np.uint16) * 16
ALL = [*PLAIN, *LOSSLESS, JPEGBaseline8Bit]


def rejected(data: bytes) -> tuple[Reason, str]:
    with pytest.raises(Rejected) as caught:
        decode(data)
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize(
    ("elements", "reason", "named"),
    [
        ({"Modality": "CT"}, Reason.OTHER_MODALITY, "CT"),
        ({"Modality": "MG"}, Reason.OTHER_MODALITY, "MG"),
        ({"Modality": "", "SOPClassUID": CTImageStorage}, Reason.OTHER_MODALITY, "CT Image Storage"),
        ({"ViewPosition": "LL"}, Reason.OTHER_VIEW, "LL"),
        ({"ViewPosition": "LATERAL"}, Reason.OTHER_VIEW, "LATERAL"),
        ({"BodyPartExamined": "HAND"}, Reason.OTHER_BODY_PART, "HAND"),
        ({"NumberOfFrames": 2}, Reason.MULTI_FRAME, "2"),
        ({"PixelData": None}, Reason.NO_PIXELS, "pixel"),
        ({"PixelData": b""}, Reason.NO_PIXELS, "pixel"),
        ({"PixelData": bytes(100)}, Reason.TRUNCATED, "100"),
        ({"Rows": 65535, "Columns": 65535}, Reason.TOO_LARGE, "65535"),
        ({"Rows": 30}, Reason.TOO_SMALL, "30"),
        ({"Rows": None}, Reason.UNDECODABLE, "Rows"),
        ({"PixelData": bytes(FILM.size)}, Reason.FLAT, "0"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, Reason.UNDECODABLE, "PALETTE COLOR"),
        ({"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31}, Reason.UNDECODABLE, "32"),
        ({"BitsStored": 16}, Reason.UNDECODABLE, "16"),
    ],
)
def test_what_is_no_frontal_chest_film_is_rejected_by_its_own_reason(
    elements: dict[str, Any], reason: Reason, named: str
) -> None:
    found, detail = rejected(dicom(FILM, **elements))
    assert found is reason
    assert named in detail
    assert reason in BYTES_REASONS


def with_syntax(data: bytes, old: str, new: str) -> bytes:
    assert len(old) >= len(new)
    return data.replace(old.encode(), new.encode().ljust(len(old), b"\0"), 1)


def test_a_syntax_without_a_decoder_is_named() -> None:
    reason, detail = rejected(dicom(FILM, MPEG2MPML))
    assert (reason, "MPEG2 Main Profile" in detail) == (Reason.NO_DECODER, True)
    private = "1.2.840.113619.5.2"
    reason, detail = rejected(with_syntax(dicom(FILM, JPEG2000Lossless), JPEG2000Lossless, private))
    assert (reason, private in detail) == (Reason.NO_DECODER, True)
    reason, detail = rejected(with_syntax(dicom(FILM, JPEG2000Lossless), JPEG2000Lossless, "Doe^Jane"))
    assert (reason, "Doe" in detail) == (Reason.NO_DECODER, False)


def test_an_extended_jpeg_that_holds_another_is_refused() -> None:
    lossless = with_syntax(dicom(DEEP, JPEGLosslessSV1, bits=12), JPEGLosslessSV1, JPEGExtended12Bit)
    assert rejected(lossless)[0] is Reason.UNDECODABLE
    eight = dicom(DEEP, JPEGExtended12Bit, bits=12, PixelData=encapsulate([encoded(".jpg", FILM)]))
    assert rejected(eight)[0] is Reason.UNDECODABLE


def test_a_coloured_jpeg_of_twelve_bits_has_no_decoder() -> None:
    colour = np.stack([DEEP] * 3, axis=-1)
    data = dicom(colour, JPEGExtended12Bit, bits=12, PixelData=encapsulate([encoded(".jpg", FILM)]))
    reason, detail = rejected(data)
    assert (reason, "12 bits in colour" in detail) == (Reason.NO_DECODER, True)


def test_an_extended_jpeg_of_twelve_bits_that_is_cut_or_damaged_is_refused() -> None:
    """libjpeg-turbo makes up what is missing, and says nothing of it."""
    codestream = (Path(__file__).parent / "codestreams" / "twelve_bits.jpg").read_bytes()
    size = np.zeros((72, 80), np.uint16)
    frame, scan = codestream.index(b"\xff\xc1"), codestream.index(b"\xff\xda")
    damaged = [codestream[: len(codestream) * percent // 100] for percent in range(0, 100, 7)]
    damaged += [codestream[:at] + bytes([value]) + codestream[at + 1 :] for at, value in (
        (20, 0), (24, 255), (frame + 4, 8),
        (frame + 4, 16), (frame + 6, 9), (frame + 11, 0), (scan + 5, 77), (scan + 8, 9)
    )]  # fmt: skip
    damaged += [codestream[: len(codestream) * percent // 100] + b"\xff\xd9" for percent in range(20, 95, 7)]
    for changed in damaged:
        fragment = changed + b"\0" * (len(changed) % 2)
        data = dicom(size, JPEGExtended12Bit, bits=12, PixelData=encapsulate([fragment or b"\0\0"]))
        assert rejected(data)[0] in {Reason.UNDECODABLE, Reason.TRUNCATED}


@pytest.mark.parametrize("syntax", ALL, ids=lambda syntax: syntax.name)
def test_a_file_cut_anywhere_is_never_read(syntax: str) -> None:
    data = dicom(FILM, syntax)
    for percent in range(100):
        reason, _ = rejected(data[: len(data) * percent // 100])
        assert reason in {Reason.TRUNCATED, Reason.NO_PIXELS, Reason.UNDECODABLE}
        if percent > 50:
            assert reason is Reason.TRUNCATED


@pytest.mark.parametrize("syntax", [*LOSSLESS, JPEGBaseline8Bit], ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("ended", [b"", b"\xff\xd9"], ids=["as it is", "with an end marker"])
def test_pixels_cut_within_a_whole_file_are_never_read(syntax: str, ended: bytes) -> None:
    """The fragment is shortened and the file made whole around it."""
    data = dicom(FILM, syntax)
    start = data.rindex(b"\xfe\xff\x00\xe0", 0, len(data) - 8)
    while start > 0 and struct.unpack_from("<I", data, start + 4)[0] != len(data) - 16 - start:
        start = data.rindex(b"\xfe\xff\x00\xe0", 0, start)
    codestream = data[start + 8 : -8]
    for percent in (0, 3, 30, 60, 90, 97):
        cut = codestream[: len(codestream) * percent // 100] + ended
        cut += b"\0" * (len(cut) % 2)
        reason, _ = rejected(data[: start + 4] + struct.pack("<I", len(cut)) + cut + data[-8:])
        assert reason in {Reason.TRUNCATED, Reason.UNDECODABLE, Reason.NO_PIXELS}, percent


def claiming(data: bytes, at: int) -> bytes:
    return data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :]


@cache
def bombs() -> dict[str, bytes]:
    jpeg, jpeg_ls = dicom(FILM, JPEGLosslessSV1), dicom(FILM, JPEGLSLossless)
    jpeg_2000, plain = dicom(FILM, JPEG2000Lossless), dicom(FILM)
    pixels = plain.index(b"\xe0\x7f\x10\0")
    meta = dicom(FILM, DeflatedExplicitVRLittleEndian)
    deflated = 144 + struct.unpack_from("<I", meta, 140)[0]
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = b"".join(deflater.compress(bytes(2**22)) for _ in range(80)) + deflater.flush()
    return {
        "rows": dicom(FILM, Rows=65535, Columns=65535),
        "frames": dicom(FILM, NumberOfFrames=2**31 - 1),
        "a length": claiming(plain, pixels + 8),
        "a jpeg's size": claiming(jpeg, jpeg.index(b"\xff\xc3") + 5),
        "a jpeg-ls's size": claiming(jpeg_ls, jpeg_ls.index(b"\xff\xf7") + 5),
        "a jpeg 2000's size": claiming(jpeg_2000, jpeg_2000.index(b"\xff\x4f\xff\x51") + 8),
        "deflated zeros": meta[:deflated] + zeros,
    }


BOMBS = ["rows", "frames", "a length", "a jpeg's size", "a jpeg-ls's size", "a jpeg 2000's size", "deflated zeros"]


@pytest.mark.parametrize("name", BOMBS)
def test_what_a_file_claims_costs_no_memory(name: str) -> None:
    data = bombs()[name]
    decode(dicom(FILM))  # the libraries' own memory
    tracemalloc.start()
    try:
        reason, _ = rejected(data)
        assert tracemalloc.get_traced_memory()[1] < (2**28 + 2**25 if name == "deflated zeros" else 2_000_000)
    finally:
        tracemalloc.stop()
    assert reason in {Reason.TOO_LARGE, Reason.TRUNCATED, Reason.UNDECODABLE, Reason.MULTI_FRAME}


def test_endless_sequences_end() -> None:
    data = dicom(FILM)
    start = data.index(b"\x08\0\x16\0", 132)
    nested = b"\x08\0\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 5000
    assert rejected(data[:start] + nested)[0] is Reason.UNDECODABLE
    many = b"\x08\0\x15\x11LO\0\0" * 150_000
    assert rejected(data[:start] + many + data[start:])[0] is Reason.UNDECODABLE


CANARY = "CANARY"


def with_canaries(syntax: str = ExplicitVRLittleEndian, **elements: Any) -> bytes:
    """A film with a canary in tags of every kind that can hold a name, a number or a text, some of them malformed."""
    inner = Dataset()
    inner.PatientName, inner.LUTExplanation = CANARY, CANARY
    texts = {
        "PatientName": CANARY, "PatientID": CANARY, "OtherPatientIDs": CANARY, "PatientComments": CANARY,
        "InstitutionName": CANARY, "StudyDescription": CANARY, "AccessionNumber": CANARY, "ImageComments": CANARY,
        "OperatorsName": CANARY, "WindowCenterWidthExplanation": CANARY, "PatientBirthDate": CANARY,
        "StudyDate": CANARY, "PatientAge": CANARY, "PatientSex": CANARY, "ReferencedStudySequence": [inner],
    }  # fmt: skip
    return dicom(FILM, syntax, **(texts | elements))


@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # pydicom's, as it writes values that are against the rules
@pytest.mark.parametrize("syntax", [*PLAIN, *LOSSLESS], ids=lambda syntax: syntax.name)
def test_no_value_of_another_tag_is_said_anywhere(
    syntax: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    data = with_canaries(syntax)
    assert (CANARY.encode() in data) == (syntax != DeflatedExplicitVRLittleEndian)
    caplog.clear()
    capfd.readouterr()
    caplog.set_level(logging.DEBUG)
    said = repr(decode(data))
    for percent in range(0, 100, 3):
        said += rejected(data[: len(data) * percent // 100])[1]
    for change in ({"Modality": "CT"}, {"Rows": None}, {"BodyPartExamined": f"HAND {CANARY}"}):
        said += rejected(with_canaries(**change))[1]
    said += repr(decode(with_canaries(ModalityLUTSequence=[Dataset()], PatientName=CANARY)))
    assert CANARY not in said + caplog.text + "".join(capfd.readouterr())


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_a_tag_that_holds_a_text_where_a_code_belongs_is_not_quoted() -> None:
    for name, word in (("ViewPosition", "LATERAL"), ("BodyPartExamined", "HAND")):
        reason, detail = rejected(dicom(FILM, **{name: f"Doe^Jane, 1.2.1950 {word}"}))
        assert reason in WORD_REASONS
        assert (word in detail, "Doe" in detail) == (True, False)


def test_no_decoder_prints_or_logs_what_it_thinks(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for syntax in (RLELossless, *LOSSLESS, JPEGBaseline8Bit):
        data = bytearray(dicom(FILM, syntax))
        for place in range(len(data) // 2, len(data) - 100, 997):
            data[place] ^= 0x5A
        try:
            decode(bytes(data))
        except Rejected:
            continue
    assert (*capfd.readouterr(), caplog.text) == ("", "", "")


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEGLSLossless, JPEGBaseline8Bit], ids=lambda syntax: syntax.name)
def test_what_ends_the_decoder_s_process_is_refused_before(syntax: str) -> None:
    """Each of these was seen to end one that was used before, or is of their kind."""
    data = dicom(FILM, syntax)
    frame = next(data.index(sign) for sign in (b"\xff\xc0\0\x0b", b"\xff\xc3\0\x0b", b"\xff\xf7\0\x0b") if sign in data)
    scan = data.index(b"\xff\xda", frame)
    for place, value in ((frame + 4, 255), (frame + 4, 0), (frame + 9, 9), (frame + 11, 0), (scan + 5, 77)):
        assert rejected(data[:place] + bytes([value]) + data[place + 1 :])[0] is Reason.UNDECODABLE
    if syntax != JPEGLSLossless:
        tables = data.index(b"\xff\xc4")
        assert rejected(data[: tables + 1] + b"\xe5" + data[tables + 2 :])[0] is Reason.UNDECODABLE
        assert rejected(data[: tables + 5] + bytes([255]) + data[tables + 6 :])[0] is Reason.UNDECODABLE
