"""What a model's metrics.json holds when it was measured on patients that it did not learn from."""

from __future__ import annotations

from typing import Any

MEASURED: dict[str, Any] = {
    "test": {"n": 20, "patients": 10, "accuracy": {"value": 0.75, "low": 0.5, "high": 0.9}},
}
