"""A comparison of runs for programs."""

from __future__ import annotations

from typing import Any

from substrate.compare.runs import ComparedRuns
from substrate.run.estimate import Interval


def as_record(found: ComparedRuns) -> dict[str, Any]:
    """For programs."""
    return {
        "reference": found.reference,
        "metric": found.metric,
        "confidence": found.confidence,
        "runs": [
            {
                "name": run.name,
                "folder": str(run.folder),
                "scenario": run.summary.scenario,
                "status": run.summary.status,
                "data": run.summary.data.model_dump(mode="json"),
                "network": run.summary.network,
                "epochs": run.summary.epochs,
                "seeds": run.summary.seeds,
            }
            for run in found.runs
        ],
        "arms": [
            {
                "run": arm.run,
                "arm": arm.name,
                "role": arm.arm.role,
                "also_in": list(arm.also_in),
                "seeds": arm.seeds,
                "diverged": [each.seed for each in arm.arm.diverged],
                "figure": _as_numbers(arm.interval),
                "behind": _as_numbers(arm.behind),
                "differs": arm.differs,
                "why_not": arm.why_not or None,
            }
            for arm in found.arms
        ],
        "differing": [
            {"setting": path, "values": list(values)} for path, values in found.differing
        ],
        "notices": list(found.notices),
    }


def _as_numbers(interval: Interval | None) -> dict[str, float | None] | None:
    if interval is None:
        return None
    whole = interval.whole
    return {
        "mean": interval.centre,
        "ci_low": interval.low if whole else None,
        "ci_high": interval.high if whole else None,
    }
