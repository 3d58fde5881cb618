"""`substrate spec`."""

from __future__ import annotations

import json
from pathlib import Path

from substrate.cli.run import INTERRUPTED
from substrate.cli.scenario import open_scenario
from substrate.run.session import How
from substrate.terminal import Console, tell


def spec_command(
    path: Path,
    vary: list[str],
    within: str,
    arm: str | None,
    against: str | None,
    resolution: float | None,
    most_runs: int | None,
    least: str | None,
    overrides: list[str],
    budget: str,
    out: Path | None,
    how: How,
    as_json: bool,
    command: str,
) -> int:
    """Find the limit of one or two fields, and say it in a sentence; gives the exit status.

    Raises:
        ScenarioError: the scenario, a field, a range, the data or the folder is wrong.
        RecordError: a run was given up, or a unit in the store is damaged.
    """
    scenario, source = open_scenario(path, overrides, budget)
    from substrate.study.limit_session import ask, make_limit

    question = ask(vary, within, arm, against, least, scenario, source)
    console = Console(stderr=True)
    try:
        made = make_limit(
            question, scenario, source, resolution, most_runs, out, how, command, console
        )
    except KeyboardInterrupt:
        tell("Stopped; the same command goes on.", err=True)
        return INTERRUPTED
    if as_json:
        tell(json.dumps(made.record, indent=2, ensure_ascii=False))
    else:
        for line in made.said:
            tell(line)
        tell(f"Report: {made.folder / 'report.html'}")
    return 0
