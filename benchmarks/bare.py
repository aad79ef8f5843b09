"""The limit: bare processes that read, decode, preprocess, gate and classify as a worker does, and nothing else."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from typing import Any

from benchmarks.pace import Pace

BATCH = 64
"""Films classified as one array, as many as a batch of wetread has."""


def bare_processes(root: bytes, files: Sequence[bytes], engine: str, workers: int) -> Pace:
    """Return the pace of `workers` processes over `files`, from when all have loaded the shipped model."""
    from worker.child import limit_threads

    limit_threads()  # of this program, since a process that it starts may load numpy before its own first line
    context = multiprocessing.get_context("spawn")
    taken, said, ready = context.Value("i", 0), context.Queue(), context.Barrier(workers + 1)
    processes = [context.Process(target=_serve, args=(root, files, engine, taken, said, ready)) for _ in range(workers)]
    for process in processes:
        process.start()
    ready.wait()
    began, batches = time.time(), -(-len(files) // BATCH)
    ends = [said.get() for _ in range(batches)]
    seconds = time.time() - began
    for process in processes:
        process.join()
    return Pace.of(seconds, ends, workers)


def _serve(root: bytes, files: Sequence[bytes], engine: str, taken: Any, said: Any, ready: Barrier) -> None:
    import numpy as np

    from schemas.errors import Rejected
    from wetread.imaging.decode import decode
    from wetread.imaging.files import read_file
    from wetread.models.artefact import load_artefact
    from wetread.models.shipped import SHIPPED, shipped_directory
    from worker.models import LoadedModel

    model = LoadedModel.of(load_artefact(shipped_directory("chest-cnn"), SHIPPED["chest-cnn"]), engine)
    preprocess = model.classifier.preprocess
    model.classifier.read(np.zeros((1, preprocess.height, preprocess.width, 1), np.float32))
    ready.wait()
    while True:
        with taken.get_lock():
            first, taken.value = taken.value, taken.value + BATCH
        batch = files[first : first + BATCH]
        if not batch:
            return
        inputs = []
        for path in batch:
            try:
                file = read_file(root, os.fsencode(path))
                inputs.append(preprocess.apply(decode(file.data, preprocess.enough).pixels))
            except Rejected:
                continue
        images = np.stack(inputs)
        if model.gate is not None:
            images = images[model.gate.score(images) <= model.gate.threshold]
        model.classifier.read(images)
        said.put((time.time(), len(batch)))
