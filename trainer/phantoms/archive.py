"""Draws an archive of chest phantoms, to train on and to screen without real films.

Three labels, as in the paper: "covid" (hazy opacity of both lungs, more below and outside), "normal"
(clear) and "pneumonia" (one dense patch in one lung). They are drawings: an accuracy on them says that
the program works and nothing about patients.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.errors import UsageError
from schemas.labels import PAPER_LABELS
from trainer.phantoms.anatomy import Anatomy
from trainer.phantoms.canvas import Field
from trainer.phantoms.film import PhantomFinding, draw_film
from wetread.imaging.opencv import cv2

MANIFEST_COLUMNS = ("path", "label", "patient_id", "source", "view")
SIDES = (256, 1200)
"""Pixels of the longer side, least and most."""
_SOURCES = ("north", "south")
_VIEWS = ("PA", "AP")


@dataclass(frozen=True, slots=True)
class PhantomFilm:
    """One row of the manifest; `path` is relative to the archive's directory."""

    path: str
    label: str
    patient_id: str
    source: str
    view: str


def phantom(label: str, seed: int, size: int = 512) -> npt.NDArray[np.uint8]:
    """Return one phantom, uint8 (size, size); the same for the same arguments.

    A seed is a patient, a pose and an exposure; its three labels differ in the lungs' finding alone. Raises
    UsageError for a label that is not one of PAPER_LABELS.
    """
    if label not in PAPER_LABELS:
        raise UsageError(f"expected a label of {', '.join(PAPER_LABELS)}, found {label!r}")
    rng = np.random.default_rng(seed)
    film = draw_film(Anatomy.drawn(rng), PhantomFinding.drawn(label, rng), (size, size), rng)
    return np.rint(film * 255).astype(np.uint8)


def draw_archive(
    directory: str | os.PathLike[str],
    *,
    patients: int,
    seed: int,
    images_per_patient: tuple[int, int] = (1, 3),
) -> tuple[PhantomFilm, ...]:
    """Draw `patients` patients with so many films each (least, most) into `directory`; return the manifest.

    Files are SOURCE/PATIENT/FILM.EXT, PNG of 8 and of 12 bits in 16, JPEG grey and RGB, and TIFF; beside
    them lies manifest.csv. Labels are balanced over patients; size, format, source, view and exposure are
    drawn without looking at the label. The same arguments write the same bytes (with the same versions of
    NumPy and OpenCV). Existing files of the same names are replaced.
    """
    root = os.fspath(directory)
    labels = np.random.default_rng([seed, 0]).permutation(np.resize(PAPER_LABELS, patients))
    manifest: list[PhantomFilm] = []
    for number, label in enumerate(labels.tolist(), start=1):
        rng = np.random.default_rng([seed, number])
        anatomy, finding = Anatomy.drawn(rng), PhantomFinding.drawn(label, rng)
        source, patient = str(rng.choice(_SOURCES)), f"phantom-{number:04d}"
        os.makedirs(os.path.join(root, source, patient), exist_ok=True)
        for film_number in range(1, int(rng.integers(*images_per_patient, endpoint=True)) + 1):
            view, encode = str(rng.choice(_VIEWS)), _FORMATS[rng.integers(len(_FORMATS))]
            extension, content = encode(draw_film(anatomy, finding, _shape(rng), rng))
            path = f"{source}/{patient}/{film_number}.{extension}"
            with open(os.path.join(root, path), "wb") as file:
                file.write(content)
            manifest.append(PhantomFilm(path, label, patient, source, view))
    with open(os.path.join(root, "manifest.csv"), "w", encoding="utf-8", newline="") as file:
        file.write(_csv(manifest))
    return tuple(manifest)


def _csv(manifest: list[PhantomFilm]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(MANIFEST_COLUMNS)
    writer.writerows([getattr(film, column) for column in MANIFEST_COLUMNS] for film in manifest)
    return text.getvalue()


def _shape(rng: np.random.Generator) -> tuple[int, int]:
    """Return (height, width): the longer side anywhere in SIDES, more often small, upright or across."""
    long = round(float(np.exp(rng.uniform(*np.log(SIDES)))))
    short = round(long * rng.uniform(0.8, 1.0))
    return (long, short) if rng.random() < 0.6 else (short, long)


def _png(pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> tuple[str, bytes]:
    return "png", cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def _jpeg(pixels: npt.NDArray[np.uint8]) -> tuple[str, bytes]:
    return "jpg", cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def _eight_bits(film: Field) -> npt.NDArray[np.uint8]:
    return np.rint(film * 255).astype(np.uint8)


_FORMATS: tuple[Callable[[Field], tuple[str, bytes]], ...] = (
    lambda film: _png(_eight_bits(film)),
    lambda film: _png(np.rint(film * 4095).astype(np.uint16)),
    lambda film: _jpeg(_eight_bits(film)),
    lambda film: _jpeg(cv2.merge([_eight_bits(film)] * 3)),  # type: ignore[arg-type] # cv2's stubs lose the dtype
    lambda film: ("tif", cv2.imencode(".tif", _eight_bits(film))[1].tobytes()),
)
