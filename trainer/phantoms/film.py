"""Draws one film of a phantom: its finding, pose, exposure, grain and side marker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.phantoms.anatomy import LEFT, RIGHT, Anatomy
from trainer.phantoms.canvas import Canvas, Field
from trainer.phantoms.chest import draw_chest
from wetread.imaging.opencv import cv2


@dataclass(frozen=True, slots=True)
class PhantomFinding:
    """What a patient's lungs show, the same on every film."""

    label: str
    seed: int
    density: float
    side: float
    place: tuple[float, float]
    radius: float

    @classmethod
    def drawn(cls, label: str, rng: np.random.Generator) -> PhantomFinding:
        """Return a finding of `label`, one of PAPER_LABELS, drawn by `rng`."""
        return cls(
            label=label,
            seed=int(rng.integers(2**32)),
            density=rng.uniform(0.26, 0.44),
            side=float(rng.choice((LEFT, RIGHT))),
            place=(rng.uniform(0.17, 0.26), rng.uniform(0.28, 0.62)),
            radius=rng.uniform(0.055, 0.10),
        )

    def opacity(self, canvas: Canvas, air: Field) -> Field:
        """Return what the finding adds to the attenuation; it lies in the lungs only."""
        rng = np.random.default_rng(self.seed)
        opacity: Field = np.zeros_like(air)
        if self.label == "covid":
            patches = 1 / (1 + np.exp(-1.8 * (canvas.clouds(rng, 7) + 0.6 * canvas.clouds(rng, 18))))
            outside = np.clip(np.abs(canvas.u) / 0.26, 0.35, 1) * np.clip((canvas.v - 0.12) / 0.4, 0.25, 1)
            opacity = 1.15 * self.density * air * patches * outside
        elif self.label == "pneumonia":
            distance = np.hypot(canvas.u - self.side * self.place[0], (canvas.v - self.place[1]) / 1.1) / self.radius
            ragged = distance + 0.22 * canvas.clouds(rng, 14) + 0.12 * canvas.clouds(rng, 30)
            opacity = 1.1 * self.density * air / (1 + np.exp(4.5 * (ragged - 1)))
        return opacity


def draw_film(anatomy: Anatomy, finding: PhantomFinding, shape: tuple[int, int], rng: np.random.Generator) -> Field:
    """Return one film of the patient, float32 (height, width) of 0 to 1: pose, exposure and grain are `rng`'s."""
    height, width = shape
    canvas = Canvas(width / height, anatomy.chest, rng)
    attenuation, air = draw_chest(anatomy, canvas)
    attenuation += 0.02 * canvas.clouds(rng, 6) + 0.012 * canvas.clouds(rng, 24) * air
    # The exposure is set for the chest as it would be without a finding: neither the film's brightness nor
    # its border, which shows no lung, may tell the label.
    darkest, brightest = np.percentile(attenuation, (1, 99))
    shown = (attenuation + finding.opacity(canvas, air) - darkest) / (brightest - darkest)
    shown = rng.uniform(0.02, 0.10) + rng.uniform(0.78, 0.92) * np.clip(shown, 0, 1.08)
    curve = cv2.pow(shown.astype(np.float32), rng.uniform(0.75, 1.35))
    interpolation = cv2.INTER_AREA if height < canvas.shape[0] else cv2.INTER_CUBIC
    film: Field = cv2.resize(curve, (width, height), interpolation=interpolation).astype(np.float32)
    grain = rng.standard_normal(shape, np.float32)
    film += np.float32(rng.uniform(0.008, 0.02)) * cv2.GaussianBlur(grain, (0, 0), 0.7)
    _mark(film, rng)
    return np.clip(film, 0, 1, out=film)


def _mark(film: Field, rng: np.random.Generator) -> None:
    """Stick the radiographer's letter on an upper corner of most films, and mask the edge of some."""
    height, width = film.shape
    if rng.random() < 0.3:
        for edge in rng.integers(0, max(2, width // 25), 2):
            film = film[:, ::-1]
            film[:, :edge] = 0.0
    if rng.random() < 0.8:
        side, scale = rng.choice((0.06, 0.88)), height / 480 * rng.uniform(0.8, 1.3)
        at = (round(float(side) * width), round(rng.uniform(0.06, 0.14) * height))
        letter = np.zeros((height // 5, width), np.uint8)
        cv2.putText(letter, "L" if side > 0.5 else "R", at, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 1, cv2.LINE_AA)
        film[: height // 5] = np.maximum(film[: height // 5], letter * np.float32(0.97 / 255))
