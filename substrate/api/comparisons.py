"""Runs side by side from Python: `sb.compare`, as `substrate report` compares several."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from substrate.api.arguments import RUN_FOLDER, as_path, refuse_no_text
from substrate.api.tables import frame
from substrate.scenario.source import ScenarioError

if TYPE_CHECKING:
    import pandas as pd


def compare(*folders: Path | str, against: str | None = None) -> pd.DataFrame:
    """Set every arm of some finished runs against one of them, as `substrate report` does.

    Args:
        folders: of the runs, two at least.
        against: `RUN:ARM`; the first run's first device arm where it is left out.

    Returns:
        A row an arm: its figure, how far it is behind of the reference, both with the interval over
        new seeds and new test data, whether it differs by Holm's correction for all arms that are
        compared, and why there is no difference where there is none.

    Raises:
        RecordError: a folder holds no run that has come to a summary, or it is damaged.
        ScenarioError: no folder is named, or `against` names no arm.
    """
    from substrate.compare.read import read_runs
    from substrate.compare.record import as_record
    from substrate.compare.runs import compare_runs

    if not folders:
        raise ScenarioError("name the folders of runs, two at least")
    refuse_no_text(against=against)
    named = [as_path(folder, "folders", f"each {RUN_FOLDER}") for folder in folders]
    found = as_record(compare_runs(read_runs(named), against))
    rows = [
        {
            **{key: each[key] for key in ("run", "arm", "role", "seeds")},
            **{
                name: (each[part] or {}).get(key)
                for part, names in (
                    (
                        "figure",
                        {"figure": "mean", "figure_low": "ci_low", "figure_high": "ci_high"},
                    ),
                    ("behind", {"behind": "mean", "ci_low": "ci_low", "ci_high": "ci_high"}),
                )
                for name, key in names.items()
            },
            "differs": each["differs"],
            "why_not": each["why_not"] or "",
        }
        for each in found["arms"]
    ]
    return frame(rows, list(rows[0]), list(rows[0])[4:-2])
