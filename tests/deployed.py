"""What the files of deploy/ say, for tests that hold it to the program."""

from __future__ import annotations

import yaml

from tests.program import REPOSITORY


def kedas_query() -> str:
    """Return the query by whose answer KEDA scales workers."""
    manifest = (REPOSITORY / "deploy" / "kubernetes" / "keda.yaml").read_text()
    (query,) = [
        trigger["metadata"]["query"]
        for one in yaml.safe_load_all(manifest)
        for trigger in one["spec"].get("triggers", [])
    ]
    return str(query)
