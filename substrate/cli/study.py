"""`substrate study`."""

from __future__ import annotations

from pathlib import Path

from substrate.cli.run import INTERRUPTED, UNFORESEEN
from substrate.plugins import Trust, trust_now, trusting
from substrate.run.session import How
from substrate.scenario.shipped import find_study
from substrate.terminal import Console, tell


def study_command(path: Path, out: Path | None, how: How, as_json: bool, command: str) -> int:
    """Run a study, or go on with one; gives the exit status.

    Raises:
        ScenarioError: the study, one of its points, the data or the folder is wrong.
        RecordError: a unit in the store is damaged.
    """
    from substrate.study.plan import plan_study, read_study
    from substrate.study.session import make_study

    study, source = read_study(find_study(path))
    if trust_now() is Trust.EVERYTHING:
        with trusting(Trust.NOTHING) as named:
            plan_study(study, source)
        for each in named:
            tell(f"trusted, and run now: {each}", err=True)
    plan = plan_study(study, source)
    try:
        made = make_study(plan, out, how, command, Console(stderr=True))
    except KeyboardInterrupt:
        tell("Stopped; the same command goes on.", err=True)
        return INTERRUPTED
    if as_json:
        tell(made.points.to_json(orient="records", indent=2))
    else:
        for said in made.said:
            tell(said)
        folder = made.folder
        tell(f"Tables: {folder}/points.csv, {folder}/runs.csv; the same as .parquet")
        tell(f"Report: {folder / 'report.html'}")
    for what in made.result.failed.values():
        tell(f"a unit was given up: {what}", err=True)
    return UNFORESEEN if made.result.failed else 0
