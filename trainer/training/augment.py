"""Augmentation: small changes to training films that keep their label.

Films of one lesson differ in how the patient stood, how the tube was set and how the scanner rendered
them. Each epoch shows every training film changed a little in these ways, so that the network learns
neither a film by heart nor one hospital's rendering. Only the training input is changed: validation,
test and serving see the film as `wetread.imaging.preprocess` leaves it, and nothing of this is in the
network. A film's change depends on (seed, epoch, index) alone, whatever the order or the batch.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.opencv import cv2

_GREY = np.arange(256) / 255


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far a film may be changed, each time by a random part of it; 0 leaves that change away.

    shift: displacement in each direction, as a fraction of the side.
    rotation: degrees, either way.
    scale: enlargement or reduction, 0.1 for 10%.
    contrast: relative change of contrast about the film's mean.
    gamma: change of ln(gamma); 0.2 lets gamma run from 0.82 to 1.22.
    blur: sigma of a Gaussian blur, in pixels of the network's input.
    flip: chance of being mirrored left to right. The heart then lies on the wrong side, which a classifier
        of opacities need not know; a model that must tell the sides apart is trained with 0.
    compression: loss of quality of a JPEG, below 100; 60 lets the quality run from 100 to 40. Collections differ
        in how their films were compressed, which must not tell their labels.
    """

    shift: float = 0.05
    rotation: float = 6.0
    scale: float = 0.09
    contrast: float = 0.20
    gamma: float = 0.20
    blur: float = 1.0
    flip: float = 0.5
    compression: float = 60.0

    def apply(self, levels: GreyLevels, *, seed: int, epoch: int, index: int) -> GreyLevels:
        """Return a changed copy of `levels`, (height, width) grey levels of the network's size."""
        # A further change takes a further number, so that the earlier ones draw what they drew before.
        draw = np.random.default_rng((seed, epoch, index)).uniform(-1.0, 1.0, size=9)
        changed = levels[:, ::-1] if (draw[7] + 1) / 2 < self.flip else levels
        changed = self._moved(np.ascontiguousarray(changed), draw[:4])
        changed = self._relit(changed, float(draw[4]), float(draw[5]))
        changed = self._blurred(changed, float(draw[6]))
        return self._compressed(changed, (float(draw[8]) + 1) / 2)

    def to_json(self) -> dict[str, float]:
        """Return the JSON form, for a model's provenance."""
        return asdict(self)

    def _moved(self, levels: GreyLevels, draw: NDArray[np.float64]) -> GreyLevels:
        if not (self.shift or self.rotation or self.scale):
            return levels
        height, width = levels.shape
        factor = float(np.exp(draw[3] * np.log1p(self.scale)))
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), float(draw[2]) * self.rotation, factor)
        matrix[:, 2] += draw[0] * self.shift * width, draw[1] * self.shift * height
        # What comes in from outside is black, as the surround of a collimated film is.
        moved = cv2.warpAffine(levels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(moved, dtype=np.uint8)

    def _relit(self, levels: GreyLevels, contrast: float, gamma: float) -> GreyLevels:
        mean = float(levels.mean()) / 255
        relit = np.clip(mean + (_GREY - mean) * (1.0 + contrast * self.contrast), 0.0, 1.0)
        relit = relit ** np.exp(gamma * self.gamma)
        table = np.rint(255 * relit).astype(np.uint8)
        return np.asarray(table[levels])

    def _blurred(self, levels: GreyLevels, blur: float) -> GreyLevels:
        sigma = self.blur * abs(blur)
        if sigma < 0.2:  # a kernel of a single pixel
            return levels
        return np.asarray(cv2.GaussianBlur(levels, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), dtype=np.uint8)

    def _compressed(self, levels: GreyLevels, part: float) -> GreyLevels:
        if not self.compression:
            return levels
        quality = round(100 - part * self.compression)
        _, data = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)


NO_AUGMENTATION = Augmentation(shift=0, rotation=0, scale=0, contrast=0, gamma=0, blur=0, flip=0, compression=0)
"""Leaves every film as it is."""
