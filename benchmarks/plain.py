"""Plain ways to do it, each as a program of its own: what people write when they have an evening.

    python -m benchmarks.plain ARCHIVE NATIVE|SHIPPED LOOP|TFDATA

NATIVE enhances at the film's own size, as the paper does; SHIPPED has the shipped model's own preprocessing. LOOP
decodes in one process and predicts with Keras in batches of 32; TFDATA maps in parallel. Prints JSON: when each batch
was done, seconds since 1970, and how many images it had.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

BATCH = 32


def main() -> None:
    """Read all films of an archive."""
    archive, size, way = sys.argv[1:]
    warnings.simplefilter("ignore")
    import numpy as np

    from wetread.imaging.opencv import cv2
    from wetread.models.artefact import load_artefact
    from wetread.models.classifier import load_classifier
    from wetread.models.shipped import SHIPPED, shipped_directory

    classifier: Any = load_classifier(load_artefact(shipped_directory("chest-cnn"), SHIPPED["chest-cnn"]), "keras")
    preprocess = classifier.preprocess

    def prepared(path: str) -> Any:
        data = np.fromfile(path, np.uint8)
        pixels: Any = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
        if size == "SHIPPED":
            return preprocess.apply(pixels)
        clahe = cv2.createCLAHE(2.0, (8, 8))  # one for all threads of tf.data would end the process: it has a buffer
        enhanced = cv2.add(clahe.apply(pixels), 10.0)  # type: ignore[call-overload]  # OpenCV's stubs know no scalar
        small = cv2.resize(enhanced, (preprocess.width, preprocess.height), interpolation=cv2.INTER_AREA)
        return preprocess.scaled(small)[:, :, np.newaxis]

    paths = [os.path.join(folder, name) for folder, _, names in os.walk(archive) for name in sorted(names)]
    batches = _mapped if way == "TFDATA" else _one_by_one
    ends = []
    for batch in batches(paths, prepared):
        classifier.read(np.asarray(batch, np.float32))
        ends.append((time.time(), len(batch)))
    print(json.dumps(ends))


def _one_by_one(paths: list[str], prepared: Callable[[str], Any]) -> Iterator[Any]:
    for start in range(0, len(paths), BATCH):
        yield [prepared(path) for path in paths[start : start + BATCH]]


def _mapped(paths: list[str], prepared: Callable[[str], Any]) -> Iterator[Any]:
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices(paths).map(
        lambda path: tf.numpy_function(lambda name: prepared(name.decode()), [path], tf.float32),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    for batch in data.batch(BATCH).prefetch(tf.data.AUTOTUNE):
        yield batch.numpy()


if __name__ == "__main__":
    main()
