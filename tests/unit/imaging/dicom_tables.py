"""The tables of docs/dicom.md of what becomes of an archive's kinds of files, and of how near we show films to others.

python -m tests.unit.imaging.dicom_tables        writes both between their marks
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import (
    MPEG2MPML,
    BasicTextSRStorage,
    ComputedRadiographyImageStorage,
    CTImageStorage,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)

from schemas.errors import Rejected
from tests.unit.imaging.dcmtk import kept_values
from tests.unit.imaging.dicoms import dicom, saved
from tests.unit.imaging.displays import DISPLAYS, looked_at
from tests.unit.imaging.pictures import film
from wetread.imaging.decode import decode

PAGE = Path(__file__).parents[3] / "docs" / "dicom.md"
MARKS = {name: (f"<!-- {name} -->\n", f"<!-- /{name} -->\n") for name in ("kinds of files", "oracles")}
FILM = film()
NO_WORDS: dict[str, Any] = {"Modality": None, "BodyPartExamined": None, "ViewPosition": None}
CAPTURE: dict[str, Any] = NO_WORDS | {"SOPClassUID": SecondaryCaptureImageStorage}


def _without_pixels(**elements: Any) -> bytes:
    record = Dataset()
    for name, value in elements.items():
        setattr(record, name, value)
    return saved(record, ExplicitVRLittleEndian)


def _directory() -> bytes:
    entry = Dataset()
    entry.DirectoryRecordType, entry.PatientName = "PATIENT", "Doe^Jane"
    return _without_pixels(FileSetID="FILMS", DirectoryRecordSequence=[entry])


def kinds() -> dict[str, bytes]:
    """A file of each kind that an archive of films holds."""
    colour = np.stack([FILM] * 3, axis=-1)
    return {
        "CR, CHEST, AP": dicom(FILM, SOPClassUID=ComputedRadiographyImageStorage, Modality="CR", ViewPosition="AP"),
        "DR, PORT CHEST, AP_ERECT": dicom(FILM, Modality="DR", BodyPartExamined="PORT CHEST", ViewPosition="AP_ERECT"),
        "a radiograph without modality, body part and view": dicom(FILM, **NO_WORDS),
        "a secondary capture of a film, no words": dicom(FILM, **CAPTURE),
        "a secondary capture of a film, OT": dicom(FILM, **CAPTURE | {"Modality": "OT"}),
        "a secondary capture in colour": dicom(colour, **CAPTURE),
        "a lateral, CHEST LATERAL": dicom(FILM, BodyPartExamined="CHEST LATERAL", ViewPosition=None),
        "a lateral, LL": dicom(FILM, ViewPosition="LL"),
        "another part, L KNEE 2 VIEWS": dicom(FILM, BodyPartExamined="L KNEE 2 VIEWS"),
        "a CT": dicom(FILM, Modality="CT", SOPClassUID=CTImageStorage),
        "a mammogram": dicom(FILM, Modality="MG", BodyPartExamined="BREAST"),
        "several frames": dicom(FILM, NumberOfFrames=2),
        "a video": dicom(FILM, MPEG2MPML),
        "a palette": dicom(FILM, PhotometricInterpretation="PALETTE COLOR"),
        "an encapsulated PDF, DOC": _without_pixels(SOPClassUID=EncapsulatedPDFStorage, Modality="DOC"),
        "an encapsulated PDF, OT": _without_pixels(SOPClassUID=EncapsulatedPDFStorage, Modality="OT"),
        "an encapsulated PDF without modality": _without_pixels(SOPClassUID=EncapsulatedPDFStorage),
        "a structured report": _without_pixels(SOPClassUID=BasicTextSRStorage, Modality="SR"),
        "a presentation state": _without_pixels(Modality="PR"),
        "a DICOMDIR": _directory(),
    }


def kinds_table() -> str:
    """Return the table of kinds."""
    rows = []
    for name, data in kinds().items():
        try:
            decode(data)
            fate, detail = "read", ""
        except Rejected as fault:
            fate, detail = f"`{fault.reason}`", fault.detail
        rows.append(f"| {name} | {fate} | {detail} |\n")
    return "| a file | becomes | its detail |\n|---|---|---|\n" + "".join(rows)


def _family(name: str) -> str:
    if "entries than declared" in name:
        return f"LUTs with {'more' if 'more' in name else 'fewer'} entries than declared"
    if name.startswith("VOI LUT, "):
        return "VOI LUTs of 8 bits" if name.startswith("VOI LUT, 8 ") else "VOI LUTs of 9 to 16 bits"
    if "LUT" in name:
        return "modality and VOI LUTs from a first mapped value on, of signed and unsigned pixels"
    if name.startswith(("LINEAR", "SIGMOID")):
        return f"windows, {name.split()[0]}"
    return "MONOCHROME1 and 2, presentation shapes" if name.startswith("MONO") else "slopes and intercepts"


def _by_pydicom(data: bytes) -> list[float] | None:
    record = dcmread(BytesIO(data))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            values = apply_voi_lut(apply_modality_lut(record.pixel_array.astype(np.int32), record), record)
        except Exception:  # noqa: BLE001  pydicom raises many kinds
            return None
    light = np.asarray(values, np.float64)
    if light.min() == light.max():
        return None
    return looked_at(-light if record.PhotometricInterpretation == "MONOCHROME1" else light)


def oracles_table() -> str:
    """Return the table of how far films are shown from dcmtk and pydicom, in shares of the film's range."""
    apart: dict[str, list[tuple[float, float | None]]] = defaultdict(list)
    kept = kept_values()
    for name, (data, _) in DISPLAYS.items():
        ours, theirs = np.array(looked_at(decode(data).pixels)), _by_pydicom(data)
        from_pydicom = None if theirs is None else float(np.abs(ours - theirs).max())
        apart[_family(name)].append((float(np.abs(ours - kept[name]).max()), from_pydicom))
    head = "| shown by | films | dcmtk | pydicom |\n|---|---|---|---|\n"
    return head + "".join(
        f"| {family} | {len(found)} | {_said([one for one, _ in found])} | {_said([one for _, one in found])} |\n"
        for family, found in apart.items()
    )


def _said(found: list[float] | list[float | None]) -> str:
    far = [one for one in found if one is not None]
    equal, failed = sum(one <= 0.0001 for one in far), sum(one is None for one in found)
    parts = [(equal, "equal"), (len(far) - equal, "others"), (failed, "not shown")]
    said = [f"{count} {what}" for count, what in parts if count]
    return parts[0][1] if equal == len(found) else ", ".join(said)


TABLES = {"kinds of files": kinds_table, "oracles": oracles_table}


def written(page: str, name: str) -> str:
    """Return the table that the page has between the marks of `name`."""
    begin, end = MARKS[name]
    return page.split(begin)[1].split(end)[0]


def main() -> None:
    """Write both tables."""
    page = PAGE.read_text()
    for name, table in TABLES.items():
        begin, end = MARKS[name]  # with its marks: an empty table is found everywhere
        page = page.replace(begin + written(page, name) + end, begin + table() + end)
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
