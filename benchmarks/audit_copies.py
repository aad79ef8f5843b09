"""How many planted copies of real films the audit finds: `python -m benchmarks.audit_copies ../shared/data/cxr`.

Copies of some films, changed in one way, are put among all films as other patients'; then the audit looks for copies
as it always does. A 64-bit difference hash, as many tools use, does the same for comparison: a copy is found where it
is within 4 bits of its original.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from trainer.audit.alignment import likeness
from trainer.audit.copies import LEAST_LIKENESS
from trainer.audit.film_features import Look, load_looks, look_of
from trainer.audit.spectra import proposals
from trainer.data.dataset import Dataset, load_dataset
from wetread.imaging.decode import decode
from wetread.imaging.files import read_file
from wetread.imaging.opencv import cv2
from wetread.imaging.range import normalise

Levels = npt.NDArray[np.uint8]
Change = Callable[[Levels, np.random.Generator], Levels]
HASH_BITS = 4


def _jpeg(levels: Levels, quality: int) -> Levels:
    data = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def _resized(levels: Levels, down: float, across: float) -> Levels:
    size = (max(64, round(across * levels.shape[1])), max(64, round(down * levels.shape[0])))
    return np.asarray(
        cv2.resize(levels, size, interpolation=cv2.INTER_AREA if down < 1 else cv2.INTER_LINEAR), np.uint8
    )


def _shifted(levels: Levels, share: float, rng: np.random.Generator) -> Levels:
    height, width = levels.shape
    right, down = rng.uniform(-share, share, 2) * (width, height)
    return np.asarray(cv2.warpAffine(levels, np.array([[1, 0, right], [0, 1, down]], np.float32), (width, height)))


def _cropped(levels: Levels, shares: tuple[float, float], rng: np.random.Generator) -> Levels:
    """Keep a share of height and width, anywhere."""
    share = rng.uniform(*shares)
    height, width = (int(side * share) for side in levels.shape)
    top, left = (
        int(rng.integers(0, side - kept + 1)) for side, kept in zip(levels.shape, (height, width), strict=True)
    )
    return np.ascontiguousarray(levels[top : top + height, left : left + width])


def _cut(levels: Levels, rng: np.random.Generator) -> Levels:
    """Cut up to 12% off each side on its own."""
    height, width = levels.shape
    top, bottom, left, right = (rng.uniform(0, 0.12, 4) * (height, height, width, width)).astype(int)
    return np.ascontiguousarray(levels[top : height - bottom, left : width - right])


def _turned(levels: Levels, degrees: float) -> Levels:
    height, width = levels.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(cv2.warpAffine(levels, turn, (width, height), borderMode=cv2.BORDER_REPLICATE))


def _framed(levels: Levels, rng: np.random.Generator) -> Levels:
    top, bottom, left, right = (int(edge) for edge in rng.uniform(0, 0.1, 4) * np.repeat(levels.shape, 2))
    return np.asarray(cv2.copyMakeBorder(levels, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0))


def _gamma(levels: Levels, exponent: float) -> Levels:
    return np.rint(255 * (levels / 255) ** exponent).astype(np.uint8)


CHANGES: dict[str, Change] = {
    "JPEG, quality 30": lambda levels, _: _jpeg(levels, 30),
    "half the size, JPEG 60": lambda levels, _: _jpeg(_resized(levels, 0.5, 0.5), 60),
    "a third of the size, JPEG 75": lambda levels, _: _jpeg(_resized(levels, 0.33, 0.33), 75),
    "twice the size": lambda levels, _: _resized(levels, 2, 2),
    "stretched by up to 25%, JPEG 75": lambda levels, rng: _jpeg(
        _resized(levels, 0.7, 0.7 * rng.uniform(0.8, 1.25)), 75
    ),
    "shifted by up to 5%, JPEG 75": lambda levels, rng: _jpeg(_shifted(levels, 0.05, rng), 75),
    "shifted by up to 10%, JPEG 75": lambda levels, rng: _jpeg(_shifted(levels, 0.10, rng), 75),
    "cropped to 85-97%, JPEG 75": lambda levels, rng: _jpeg(_cropped(levels, (0.85, 0.97), rng), 75),
    "cropped to 75-85%, JPEG 75": lambda levels, rng: _jpeg(_cropped(levels, (0.75, 0.85), rng), 75),
    "up to 12% cut off each side, JPEG 75": lambda levels, rng: _jpeg(_cut(levels, rng), 75),
    "cropped, shifted, rescaled, JPEG 70": lambda levels, rng: _jpeg(
        _resized(_shifted(_cropped(levels, (0.9, 0.98), rng), 0.05, rng), *[rng.uniform(0.5, 1.3)] * 2), 70
    ),
    "turned by up to 2 degrees, JPEG 75": lambda levels, rng: _jpeg(_turned(levels, rng.uniform(-2, 2)), 75),
    "turned by 5 degrees, JPEG 75": lambda levels, _: _jpeg(_turned(levels, 5), 75),
    "framed in black, JPEG 75": lambda levels, rng: _jpeg(_framed(levels, rng), 75),
    "gamma 0.6 or 1.6, JPEG 75": lambda levels, rng: _jpeg(_gamma(levels, rng.choice([0.6, 1.6])), 75),
    "CLAHE, JPEG 75": lambda levels, _: _jpeg(np.asarray(cv2.createCLAHE(3.0, (8, 8)).apply(levels)), 75),
    "mirrored, JPEG 75": lambda levels, _: _jpeg(np.ascontiguousarray(levels[:, ::-1]), 75),
    "inverted, JPEG 75": lambda levels, _: _jpeg(255 - levels, 75),
}


def main() -> None:
    """Plant, look, and print one line a change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="labelled films")
    parser.add_argument("--copies", type=int, default=100, help="of each change; default: 100")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dataset = load_dataset(os.fsencode(options.data))
    films = [normalise(decode(read_file(dataset.root, film.path).data).pixels) for film in dataset.films]
    looks = load_looks(dataset)
    hashes = np.stack([_difference_hash(levels) for levels in films])
    patients = np.unique([film.patient_id for film in dataset.films], return_inverse=True)[1].astype(np.int64)
    _print_others(looks, dataset, patients, hashes)
    print(f"\n{'copies (' + str(options.copies) + ' of each)':40}{'proposed':>10}{'found':>8}{'difference hash':>18}")
    rng = np.random.default_rng(options.seed)
    for name, change in CHANGES.items():
        chosen = rng.choice(len(films), options.copies, replace=False)
        copies = [change(films[number], rng) for number in chosen]
        proposed, found = _found([*looks], [_look(copy) for copy in copies], chosen, patients)
        bits = [(_difference_hash(copy) != hashes[number]).sum() for copy, number in zip(copies, chosen, strict=True)]
        print(f"{name:40}{proposed:>10.1%}{found:>8.1%}{np.mean(np.array(bits) <= HASH_BITS):>18.1%}", flush=True)


def _found(
    looks: list[Look], copies: list[Look], originals: npt.NDArray[np.int64], patients: npt.NDArray[np.int64]
) -> tuple[float, float]:
    """Return the shares of the copies that were looked at closely beside their originals, and that were found."""
    everything = looks + copies
    groups = np.concatenate([patients, patients.max() + 1 + np.arange(len(copies))])
    wanted = {(int(original), len(looks) + at) for at, original in enumerate(originals)}
    spectra = np.stack([look.spectra for look in everything])
    pairs = [pair for pair in proposals(spectra, groups) if (pair.one, pair.other) in wanted]
    likely = [likeness(everything[pair.one].square, everything[pair.other].square, pair.fit) for pair in pairs]
    return len(pairs) / len(copies), float(np.sum(np.array(likely) >= LEAST_LIKENESS)) / len(copies)


def _print_others(
    looks: tuple[Look, ...], dataset: Dataset, patients: npt.NDArray[np.int64], hashes: npt.NDArray[np.bool_]
) -> None:
    """Print what is found among the films themselves: between patients."""
    pairs = list(proposals(np.stack([look.spectra for look in looks]), patients))
    found = [likeness(looks[pair.one].square, looks[pair.other].square, pair.fit) for pair in pairs]
    alike = np.array(found) >= LEAST_LIKENESS
    names = {
        " = ".join(sorted(dataset.films[number].patient_id for number in (pair.one, pair.other)))
        for pair, is_alike in zip(pairs, alike, strict=True)
        if is_alike
    }
    close = sum(
        int(((hashes[number] != hashes[:number]).sum(axis=1)[patients[:number] != patients[number]] <= HASH_BITS).sum())
        for number in range(len(hashes))
    )
    print(f"{len(looks)} films of {patients.max() + 1} patients")
    print(f"{len(pairs)} pairs of films of different patients looked at closely")
    print(f"{alike.sum()} pairs found alike: {', '.join(sorted(names))}")
    print(f"highest likeness of the other pairs: {max(value for value in found if value < LEAST_LIKENESS):.2f}")
    print(f"pairs of different patients within {HASH_BITS} bits of a difference hash: {close}")


def _look(levels: Levels) -> Look:
    return look_of(cv2.imencode(".png", levels)[1].tobytes(), "")


def _difference_hash(levels: Levels) -> npt.NDArray[np.bool_]:
    small = cv2.resize(levels, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int64)
    return np.ravel(small[:, 1:] > small[:, :-1])


if __name__ == "__main__":
    main()
