"""Which SOP classes are received, and in which transfer syntaxes.

Source: DICOM PS3.4, annex B.5; PS3.5, annex A.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.receiving.request import REFUSED_ABSTRACT, REFUSED_TRANSFER, Proposed

VERIFICATION = "1.2.840.10008.1.1"

FILMS: Mapping[str, str] = {
    "1.2.840.10008.5.1.4.1.1.1": "Computed Radiography Image Storage",
    "1.2.840.10008.5.1.4.1.1.1.1": "Digital X-Ray Image Storage - For Presentation",
    "1.2.840.10008.5.1.4.1.1.1.1.1": "Digital X-Ray Image Storage - For Processing",
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture Image Storage",
}
"""What is read."""

_STANDARD, _STORAGE = "1.2.840.10008.", "1.2.840.10008.5.1.4.1.1."

SYNTAXES: Mapping[str, str] = {
    "1.2.840.10008.1.2.4.90": "JPEG 2000 (Lossless Only)",
    "1.2.840.10008.1.2.4.70": "JPEG Lossless, Non-Hierarchical, First-Order Prediction",
    "1.2.840.10008.1.2.4.57": "JPEG Lossless, Non-Hierarchical (Process 14)",
    "1.2.840.10008.1.2.4.80": "JPEG-LS Lossless",
    "1.2.840.10008.1.2.4.201": "High-Throughput JPEG 2000 (Lossless Only)",
    "1.2.840.10008.1.2.4.202": "High-Throughput JPEG 2000 with RPCL (Lossless Only)",
    "1.2.840.10008.1.2.5": "RLE Lossless",
    "1.2.840.10008.1.2.1": "Explicit VR Little Endian",
    "1.2.840.10008.1.2": "Implicit VR Little Endian",
    "1.2.840.10008.1.2.2": "Explicit VR Big Endian",
    "1.2.840.10008.1.2.1.99": "Deflated Explicit VR Little Endian",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
    "1.2.840.10008.1.2.4.203": "High-Throughput JPEG 2000",
    "1.2.840.10008.1.2.4.81": "JPEG-LS Near-Lossless",
    "1.2.840.10008.1.2.4.51": "JPEG Extended (Process 2 and 4)",
    "1.2.840.10008.1.2.4.50": "JPEG Baseline (Process 1)",
}
"""In the order in which they are taken: compressed without loss, then not compressed, then with loss.

A sender may have to encode anew for what is chosen: it is never told to lose something that it could send whole.
"""

_RANK = {syntax: rank for rank, syntax in enumerate(SYNTAXES)}


def is_film(sop_class: str) -> bool:
    """Return whether objects of this class are read."""
    return sop_class in FILMS


def is_taken(sop_class: str, *, everything: bool) -> bool:
    """Return whether objects of this class are received: films, and with `everything` each class that can be stored.

    Private classes count as such; the standard's own are told by their root.
    """
    if is_film(sop_class) or not everything:
        return is_film(sop_class)
    return sop_class.startswith(_STORAGE) or not sop_class.startswith(_STANDARD)


def negotiated(contexts: Mapping[int, Proposed], *, everything: bool) -> dict[int, str | int]:
    """Return for each presentation context the transfer syntax that is taken, or the reason of its refusal."""
    return {number: _result(proposed, everything) for number, proposed in contexts.items()}


def _result(proposed: Proposed, everything: bool) -> str | int:
    taken = proposed.abstract == VERIFICATION or is_taken(proposed.abstract, everything=everything)
    if not proposed.abstract or not taken:
        return REFUSED_ABSTRACT
    if is_film(proposed.abstract) or proposed.abstract == VERIFICATION:
        known = [syntax for syntax in proposed.transfer if syntax in _RANK]
    else:  # it is passed over, whatever it is written in
        known = list(proposed.transfer[:1])
    return min(known, key=lambda syntax: _RANK.get(syntax, 0)) if known else REFUSED_TRANSFER
