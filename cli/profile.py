"""Shows where a run's time went, as JSON and as the table of `screen --profile`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cli.output import emit_table, say
from worker.stages import BESIDE, IN_TURN


def profile_json(seconds: Mapping[str, float], settled: int) -> dict[str, Any]:
    """Return {stage: {"seconds", "milliseconds_an_image", "beside"}}, in the order of the work."""
    return {
        stage: {
            "seconds": round(seconds.get(stage, 0.0), 3),
            "milliseconds_an_image": round(_milliseconds(seconds, stage, settled), 3),
            "beside": stage in BESIDE,
        }
        for stage in (*IN_TURN, *BESIDE)
    }


def show_profile(seconds: Mapping[str, float], settled: int) -> None:
    """Print the stages, with their share of the time that the workers served."""
    if not seconds:
        say("profile: no image was settled, so there is nothing to show")
        return
    served = sum(seconds.get(stage, 0.0) for stage in IN_TURN)
    for title, stages, shared in (("stage", IN_TURN, True), ("beside, in reading threads", BESIDE, False)):
        rows = [
            (
                stage,
                what,
                f"{seconds.get(stage, 0.0):.2f}",
                f"{_milliseconds(seconds, stage, settled):.2f}",
                *([_share(seconds.get(stage, 0.0), served)] if shared else []),
            )
            for stage, what in stages.items()
        ]
        emit_table((title, "what it is", "seconds", "ms an image", *(["share"] if shared else [])), rows)


def _milliseconds(seconds: Mapping[str, float], stage: str, settled: int) -> float:
    return 1000 * seconds.get(stage, 0.0) / settled if settled else 0.0


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"
