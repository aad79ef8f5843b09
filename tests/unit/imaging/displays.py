"""Films with every way that DICOM has to say how they are shown, and dcmj2pnm's options to show them so."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.unit.imaging.dcmtk import of_own_range
from tests.unit.imaging.dicoms import dicom

EVERY_VALUE = np.arange(4096, dtype=np.uint16).reshape(64, 64)
"""A film of 12 bits in which every value occurs."""
SIGNED = (EVERY_VALUE.astype(int) - 2048).astype(np.int16)
CURVE = (np.arange(4096) / 4095) ** 0.5
PLACES = tuple(range(0, 4096, 61))


def looked_at(pixels: np.ndarray) -> list[float]:
    """Return the values at PLACES, from 0 to 1 of the film's own range."""
    return [round(float(value), 5) for value in of_own_range(pixels).ravel()[list(PLACES)]]


def lut_item(entries: np.ndarray, *, bits: int, packed: str, first: int = 0, count: int | None = None) -> Dataset:
    """An item of a LUT sequence. packed: US, OW (a word an entry), OW two a word, OB."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [(len(entries) if count is None else count) % 2**16, first % 2**16, bits])
    if packed == "US":
        item.add_new("LUTData", "US", [int(entry) for entry in entries])
    elif packed == "OW":
        item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    else:
        item.add_new("LUTData", packed.split()[0], entries.astype(np.uint8).tobytes())
    return item


def _displays() -> dict[str, tuple[bytes, tuple[str, ...]]]:
    found: dict[str, tuple[bytes, tuple[str, ...]]] = {}

    def add(
        name: str, *options: str, film: np.ndarray = EVERY_VALUE, syntax: str = ExplicitVRLittleEndian, **elements: Any
    ) -> None:
        found[name] = dicom(film, syntax, bits=12, **elements), options

    for bits in range(8, 17):
        entries = np.rint(CURVE * (2**bits - 1)).astype(np.uint16)
        for packed in ("US", "OW", *(("OW two a word",) if bits == 8 else ())):
            item = lut_item(entries, bits=bits, packed=packed)
            add(f"VOI LUT, {bits} bits, {packed}", "+Wl", "1", VOILUTSequence=[item])
    for packed, bits in (("OW two a word", 8), ("OW", 8), ("OW", 16)):
        entries = np.rint(CURVE * (2**bits - 1)).astype(np.uint16)
        for syntax in (ImplicitVRLittleEndian,):
            item = lut_item(entries, bits=bits, packed=packed)
            add(f"VOI LUT, {bits} bits, {packed}, {syntax.name}", "+Wl", "1", syntax=syntax, VOILUTSequence=[item])
    sixteen = np.rint(CURVE * 65535).astype(np.uint16)
    for first in (0, 1, 700, 3000):
        add(f"VOI LUT from {first}", "+Wl", "1", VOILUTSequence=[lut_item(sixteen, bits=16, packed="OW", first=first)])
        item = lut_item(sixteen, bits=16, packed="OW", first=first)
        add(f"modality LUT from {first}", ModalityLUTSequence=[item])
    for first in (-2048, -1000, 300):
        item = lut_item(sixteen, bits=16, packed="OW", first=first)
        add(f"VOI LUT of signed pixels from {first}", "+Wl", "1", film=SIGNED, VOILUTSequence=[item])
        add(f"modality LUT of signed pixels from {first}", film=SIGNED, ModalityLUTSequence=[item])
    item = lut_item(sixteen, bits=16, packed="OW", first=-1024)
    rescaled = {"RescaleSlope": "1", "RescaleIntercept": "-1024"}
    add("VOI LUT of rescaled values from -1024", "+Wl", "1", VOILUTSequence=[item], **rescaled)
    for bits, packed in ((8, "OW"), (8, "US"), (12, "OW"), (16, "OW")):
        entries = np.rint(CURVE * (2**bits - 1)).astype(np.uint16)
        fewer = lut_item(entries[:3000], bits=bits, packed=packed, count=4096)
        more = lut_item(entries, bits=bits, packed=packed, count=3000)
        add(f"VOI LUT, {bits} bits, {packed}, fewer entries than declared", "+Wl", "1", VOILUTSequence=[fewer])
        add(f"VOI LUT, {bits} bits, {packed}, more entries than declared", "+Wl", "1", VOILUTSequence=[more])
    squares = lut_item(np.arange(4096) ** 2 // 4096, bits=12, packed="OW")
    add("modality LUT before VOI LUT", "+Wl", "1", ModalityLUTSequence=[squares],
        VOILUTSequence=[lut_item(sixteen, bits=16, packed="OW")])  # fmt: skip
    for centre, width in (("2048", "4096"), ("2048", "1000"), ("100", "4000"), ("3000", "1"), ("2000.5", "333.25")):
        window = {"WindowCenter": centre, "WindowWidth": width}
        add(f"LINEAR {centre} {width}", "+Wi", "1", **window)
        add(f"SIGMOID {centre} {width}", "+Wi", "1", "+Wfs", VOILUTFunction="SIGMOID", **window)
    add("LINEAR of signed pixels", "+Wi", "1", film=SIGNED, WindowCenter="-300", WindowWidth="900")
    window = {"WindowCenter": "1700", "WindowWidth": "3000"}
    add("slope and intercept", "+Wi", "1", RescaleSlope="2", RescaleIntercept="-500", **window)
    add("falling slope and intercept", RescaleSlope="-1", RescaleIntercept="4095")
    add("falling slope and intercept, window", "+Wi", "1", RescaleSlope="-1", RescaleIntercept="4095", **window)
    add("slope without intercept", RescaleSlope="-1")
    add("slope without intercept, window", "+Wi", "1", RescaleSlope="-1", **window)
    add("intercept without slope, window", "+Wi", "1", RescaleIntercept="-1000", **window)
    add("slope 0", RescaleSlope="0", RescaleIntercept="7")
    # MONOCHROME1 with IDENTITY is against the standard: dcmtk goes by the shape, pydicom, GDCM and we by the other.
    for photometric, shape in (("MONOCHROME1", "INVERSE"), ("MONOCHROME2", "INVERSE"), ("MONOCHROME2", "IDENTITY")):
        said = {"PhotometricInterpretation": photometric, "PresentationLUTShape": shape}
        add(f"{photometric} {shape}", **said)
        add(f"{photometric} {shape}, window", "+Wi", "1", **said, **window)
    add("MONOCHROME1", PhotometricInterpretation="MONOCHROME1")
    return found


DISPLAYS = _displays()
