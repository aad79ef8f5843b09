"""A model's network as a `.keras` file of Keras's own layers alone, which opens with `safe_mode`.

Written, never read: serving and training build their networks from the artefact.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path

from wetread.models.artefact import Artefact
from wetread.models.keras_network import build_keras, set_weights
from wetread.models.network_description import describe_network
from wetread.models.strict_json import pretty

DESCRIPTION_FILE = "wetread.json"
"""In the archive that a `.keras` file is; Keras passes it by."""


def keras_bytes(artefact: Artefact) -> bytes:
    """Return the bytes of a `.keras` file from preprocessed images (n, h, w, 1) to logits (n, k).

    Raises UsageError where TensorFlow is not installed.
    """
    architecture = artefact.card.architecture
    model = build_keras(architecture, seed=0)
    set_weights(model, architecture, artefact.weights)
    with tempfile.TemporaryDirectory(prefix="wetread-") as folder:
        path = os.path.join(folder, "model.keras")
        model.save(path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(DESCRIPTION_FILE, pretty(describe_network(artefact)))
        return Path(path).read_bytes()
