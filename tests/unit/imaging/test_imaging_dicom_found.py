"""DICOM files on which mutated files once ended the process, or raised what is no rejection."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.uid import JPEGLosslessSV1, JPEGLSLossless

from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.pictures import film
from wetread.imaging.decode import decode

FILM = film()


@pytest.mark.parametrize("vr", [b"UT", b"AT", b"PN", b"UN", b"OB"])
def test_pixels_under_another_representation_are_pixels(vr: bytes) -> None:
    whole = dicom(FILM)
    at = whole.index(b"\xe0\x7f\x10\0") + 4
    length = whole[at + 4 : at + 8]
    short = vr in (b"AT", b"PN")
    if short:  # 2 bytes of length hold these
        small = dicom(FILM[:128, :128].copy())
        at = small.index(b"\xe0\x7f\x10\0") + 4
        data = small[:at] + vr + (128 * 128).to_bytes(2, "little") + small[at + 8 :]
        assert decode(data).pixels.shape == (128, 128)
        return
    data = whole[:at] + vr + b"\0\0" + length + whole[at + 8 :]
    np.testing.assert_array_equal(decode(data).pixels, decode(whole).pixels)


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEGLSLossless])
def test_an_eight_bit_jpeg_that_is_said_to_have_two_bits_ends_no_process(syntax: str) -> None:
    whole = dicom(FILM, syntax)
    at = whole.index(b"\x28\0\x01\x01US") + 8
    data = whole[:at] + b"\2" + whole[at + 1 :]
    assert decode(data).pixels.max() == 3
