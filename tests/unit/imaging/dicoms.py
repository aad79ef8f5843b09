"""DICOM files to test with, written by pydicom and GDCM."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.unit.imaging.pictures import encoded

PLAIN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
LOSSLESS = (RLELossless, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless)
_BY_GDCM = {
    JPEGLosslessSV1: gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    JPEGLSLossless: gdcm.TransferSyntax.JPEGLSLossless,
}


def dicom(
    pixels: np.ndarray, syntax: str = ExplicitVRLittleEndian, *, bits: int | None = None, **elements: Any
) -> bytes:
    """A DX of (height, width[, 3]) integers; elements given as None are left out, others are set.

    bits: stored; by default all that the type has. What is said to be MPEG-2 holds a JPEG.
    """
    record = _record(pixels, bits, elements)
    if syntax in (JPEGBaseline8Bit, MPEG2MPML):
        record.PixelData = encapsulate([encoded(".jpg", pixels)])
        return saved(record, syntax)
    if syntax in (RLELossless, JPEG2000Lossless):
        plugin = "pydicom" if syntax == RLELossless else "pylibjpeg"
        record.file_meta = FileMetaDataset()
        record.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        record.compress(syntax, encoding_plugin=plugin, generate_instance_uid=False)
        return saved(record, syntax)
    if syntax in _BY_GDCM:
        return _changed(saved(record, ExplicitVRLittleEndian), _BY_GDCM[syntax])
    return saved(record, syntax)


def _record(pixels: np.ndarray, bits: int | None, elements: dict[str, Any]) -> Dataset:
    record = Dataset()
    record.SOPClassUID = DigitalXRayImageStorageForPresentation
    record.SOPInstanceUID = "1.2.3.4"
    record.Modality, record.BodyPartExamined, record.ViewPosition = "DX", "CHEST", "PA"
    record.Rows, record.Columns = pixels.shape[:2]
    record.SamplesPerPixel = 1 if pixels.ndim == 2 else pixels.shape[2]
    record.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        record.PlanarConfiguration = 0
    record.BitsAllocated = 8 * pixels.dtype.itemsize
    record.BitsStored = bits or record.BitsAllocated
    record.HighBit = record.BitsStored - 1
    record.PixelRepresentation = int(pixels.dtype.kind == "i")
    record.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    for name, value in elements.items():
        if value is None:
            delattr(record, name)
        else:
            setattr(record, name, value)
    return record


def saved(record: Dataset, syntax: str) -> bytes:
    record.file_meta = FileMetaDataset()
    record.file_meta.TransferSyntaxUID = syntax
    record.file_meta.MediaStorageSOPClassUID = record.get("SOPClassUID", "1.2.3")
    record.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    if "PixelData" in record:
        record["PixelData"].VR = "OW" if record.get("BitsAllocated", 16) == 16 and len(str(syntax)) < 20 else "OB"
    if syntax == ExplicitVRBigEndian and record.BitsAllocated == 16:
        record.PixelData = np.frombuffer(record.PixelData, "<u2").astype(">u2").tobytes()
    file = BytesIO()
    record.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _changed(data: bytes, syntax: int) -> bytes:
    """The file in another transfer syntax, by GDCM."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = str(Path(folder, "before")), str(Path(folder, "after"))
        Path(before).write_bytes(data)
        reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
        reader.SetFileName(before)
        assert reader.Read()
        change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer.SetFileName(after)
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        return Path(after).read_bytes()
