"""`substrate run`."""

from __future__ import annotations

from pathlib import Path

from substrate.cli.failure import log_folder
from substrate.cli.scenario import open_scenario
from substrate.run.session import How, new_folder, reopen, train
from substrate.scenario.schema import Scenario
from substrate.scenario.source import Source
from substrate.terminal import Console, tell

INTERRUPTED = 130
UNFORESEEN = 3


def run_command(
    path: Path,
    out: Path | None,
    overrides: list[str],
    budget: str,
    how: How,
    as_json: bool,
    command: str,
) -> int:
    """Run a scenario and show its outcome; gives the exit status.

    Raises:
        ScenarioError: the scenario, the data or an option is wrong; nothing has been written.
    """
    scenario, source = open_scenario(path, overrides, budget)
    return _run(scenario, source, new_folder(scenario, out), how, as_json, command)


def resume_command(
    folder: Path, overrides: list[str], how: How, as_json: bool, command: str
) -> int:
    """Go on with a run that was stopped, or add seeds or settings to it; gives the exit status.

    Raises:
        ScenarioError: the folder holds no run, or one that is complete.
        RecordError: what lies in it is damaged, or is not of this scenario, data and version.
    """
    then, scenario, source = reopen(
        folder,
        bool(overrides),
        how,
        lambda path, changed: open_scenario(path, overrides if changed else ()),
    )
    return _run(scenario, source, folder, how, as_json, command, resumed=then)


def _run(
    scenario: Scenario,
    source: Source,
    folder: Path,
    how: How,
    as_json: bool,
    command: str,
    resumed: Scenario | None = None,
) -> int:
    console = Console(stderr=as_json)
    log_folder.set(folder)
    try:
        summary = train(scenario, source, folder, how, command, console, resumed=resumed)
    except KeyboardInterrupt:
        if not how.sensitivity:
            raise
        text = f"Stopped; substrate run --resume {folder} --sensitivity goes on."
        tell(text, err=True)
        return INTERRUPTED
    if as_json:
        tell(summary.as_json())
    else:
        from substrate.report.table import run_result

        console.print(run_result(summary, folder))
        console.print(f"Report: {folder / 'report.html'}", soft_wrap=True)
    if summary.status == "failed":
        return UNFORESEEN
    return INTERRUPTED if summary.status == "interrupted" else 0
