"""The data set in a DICOM file, as it goes over the network."""

from __future__ import annotations

from io import BytesIO

from pydicom import dcmread


def data_set_of(file: bytes) -> tuple[bytes, str]:
    """Return what follows the file's head, and its SOP Instance UID."""
    read = dcmread(BytesIO(file), stop_before_pixels=True)
    meta = 128 + 4 + 12 + int(read.file_meta.FileMetaInformationGroupLength)
    return file[meta:], str(read.SOPInstanceUID)
