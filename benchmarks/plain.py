"""Simple scripts that screen an archive, as a baseline: what people write in an evening.

    python -m benchmarks.plain ARCHIVE NATIVE|SHIPPED LOOP|TFDATA|RAY

NATIVE enhances at the film's own size, as the paper does; SHIPPED has the shipped model's own preprocessing. LOOP
decodes in one process and predicts with Keras in batches of 32; TFDATA maps in parallel; RAY has two actors that decode
and predict. Prints JSON: when each batch was done, seconds since 1970, and how many images it had.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

BATCH = 32
ACTORS = 2

End = tuple[float, int]


class Reader:
    """The model, and what a film becomes for it."""

    def __init__(self, size: str) -> None:
        warnings.simplefilter("ignore")
        from wetread.models.artefact import load_artefact
        from wetread.models.loading import load_classifier
        from wetread.models.shipped import SHIPPED, shipped_directory

        self._native = size == "NATIVE"
        self._classifier: Any = load_classifier(
            load_artefact(shipped_directory("chest-cnn"), SHIPPED["chest-cnn"]), "keras"
        )

    def prepared(self, path: str) -> Any:
        """Return a network's input, (height, width, 1)."""
        import numpy as np

        from wetread.imaging.decode import decode
        from wetread.imaging.opencv import cv2

        preprocess = self._classifier.preprocess
        data = np.fromfile(path, np.uint8)
        if not self._native:
            return preprocess.apply(decode(data.tobytes(), preprocess.enough).pixels)
        pixels: Any = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
        clahe = cv2.createCLAHE(2.0, (8, 8))  # one for all threads of tf.data would end the process: it has a buffer
        enhanced = cv2.add(clahe.apply(pixels), 10.0)  # type: ignore[call-overload]  # OpenCV's stubs know no scalar
        small = cv2.resize(enhanced, (preprocess.width, preprocess.height), interpolation=cv2.INTER_AREA)
        return preprocess.scaled(small)[:, :, np.newaxis]

    def read(self, batch: Any) -> End:
        """Have a batch classified; return when that was done, and its size."""
        import numpy as np

        self._classifier.read(np.asarray(batch, np.float32))
        return time.time(), len(batch)


class Actor:
    """Ray's: reads the films of a batch from their paths."""

    def __init__(self, size: str) -> None:
        self._reader = Reader(size)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[float]]:
        """Return the end of a batch as Ray wants rows."""
        at, count = self._reader.read([self._reader.prepared(str(path)) for path in batch["item"]])
        return {"at": [at], "count": [count]}


def one_by_one(paths: list[str], size: str) -> Iterator[End]:
    """One process, one film after the other."""
    reader = Reader(size)
    for start in range(0, len(paths), BATCH):
        yield reader.read([reader.prepared(path) for path in paths[start : start + BATCH]])


def mapped(paths: list[str], size: str) -> Iterator[End]:
    """tf.data with a parallel map."""
    import tensorflow as tf

    reader = Reader(size)
    data = tf.data.Dataset.from_tensor_slices(paths).map(
        lambda path: tf.numpy_function(lambda name: reader.prepared(name.decode()), [path], tf.float32),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    for batch in data.batch(BATCH).prefetch(tf.data.AUTOTUNE):
        yield reader.read(batch.numpy())


def by_actors(paths: list[str], size: str) -> Iterator[End]:
    """Ray Data with two actors. Ray is in none of wetread's requirements: install ray[data] to measure it."""
    import ray

    ray.init(num_cpus=ACTORS, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
    ends = ray.data.from_items(paths).map_batches(
        Actor, fn_constructor_args=(size,), batch_size=BATCH, batch_format="numpy", concurrency=ACTORS
    )
    for row in ends.iter_rows():
        yield float(row["at"]), int(row["count"])


WAYS = {"LOOP": one_by_one, "TFDATA": mapped, "RAY": by_actors}


def main() -> None:
    """Read all films of an archive."""
    archive, size, way = sys.argv[1:]
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(archive) for name in sorted(names)]
    print(json.dumps(list(WAYS[way](paths, size))))


if __name__ == "__main__":
    main()
