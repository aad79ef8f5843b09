"""Files that other programs open although something about their structure is odd."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless

from schemas.errors import Rejected
from schemas.reasons import Reason
from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.odd_containers import CONTAINERS, DEEP, SEQUENCE_END, even, item, jp2, split
from wetread.imaging.decode import decode


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_what_other_programs_open_is_read(name: str) -> None:
    np.testing.assert_array_equal(decode(CONTAINERS[name]).pixels, DEEP)


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_a_cut_of_it_is_refused(name: str) -> None:
    data = CONTAINERS[name]
    for percent in (10, 45, 80, 97):
        with pytest.raises(Rejected) as caught:
            decode(data[: len(data) * percent // 100])
        assert caught.value.reason in {Reason.TRUNCATED, Reason.NO_PIXELS, Reason.UNDECODABLE}


def test_boxes_without_a_codestream_are_refused() -> None:
    head, _ = split(dicom(DEEP, JPEG2000Lossless, bits=12))
    for boxes in (jp2(b"")[:-8], b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(4096), jp2(b"\xff\x4f")):
        with pytest.raises(Rejected) as caught:
            decode(head + b"\xff\xff\xff\xff" + item(b"") + item(even(boxes)) + SEQUENCE_END)
        assert caught.value.reason in {Reason.UNDECODABLE, Reason.TRUNCATED}
