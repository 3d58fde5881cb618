"""`substrate replicate`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from substrate.cli.align import measure_into
from substrate.cli.failure import log_folder
from substrate.cli.run import INTERRUPTED
from substrate.record.folder import SCENARIO
from substrate.replicate.angles import AngleRun
from substrate.replicate.experiments import Experiment, chosen, experiments
from substrate.replicate.measured import TrainingRun, is_measured
from substrate.replicate.page import Outcome, tally
from substrate.replicate.write import write_page
from substrate.run.output import refuse_file_above, refuse_full
from substrate.run.session import How, train
from substrate.scenario.load import load_scenario
from substrate.scenario.source import ScenarioError
from substrate.terminal import Console, tell


def replicate_command(
    names: list[str],
    budget: str,
    runs: Path,
    page: Path,
    page_only: bool,
    how: How,
    as_json: bool,
    command: str,
) -> int:
    """Run experiments of the paper that have not been run, and write the page after each.

    Raises:
        ScenarioError: a name, the budget, a scenario, the data or an option is wrong.
    """
    for folder, option in ((runs, "--runs"), (page.parent, "--page")):
        refuse_file_above(folder, option)
    if page.is_dir():
        raise ScenarioError("this is a folder; name a file in it", file=f"--page {page}")
    if page_only and not runs.is_dir():
        tell(f"there is no folder {runs}: the page shows kept records alone", err=True)
    known = experiments()
    to_run = [] if page_only else chosen(names, known)
    for experiment in to_run:  # before hours are spent, not after
        if experiment.path is not None:
            load_scenario(experiment.path, budget=budget)
    console = Console(stderr=True)
    interrupted = False
    for number, experiment in enumerate(to_run, start=1):
        console.rule(f"{number} of {len(to_run)}: {experiment.name}, budget {budget}")
        folder = experiment.folder(runs, budget)
        if is_measured(folder):
            console.print(f"{folder}: complete, left as it is")
            continue
        interrupted = not _run(experiment, folder, budget, how, command, console)
        if interrupted:
            break
        write_page(known, runs, page)
    outcomes = write_page(known, runs, page)
    if as_json:
        tell(json.dumps([_as_json(each) for each in outcomes], indent=2, ensure_ascii=False))
    else:
        _show(outcomes)
        tell(f"Page: {page}")
    return INTERRUPTED if interrupted else 0


def _run(
    experiment: Experiment, folder: Path, budget: str, how: How, command: str, console: Console
) -> bool:
    """Bring one experiment to its end; gives whether it was reached."""
    assert experiment.path is not None
    scenario, source = load_scenario(experiment.path, budget=budget)
    if experiment.angles:
        try:
            measure_into(scenario, source, folder, how.device)
        except KeyboardInterrupt:
            return False
        return True
    resumed = None
    if (folder / SCENARIO).exists():
        console.print(f"{folder}: goes on from where it was stopped")
        scenario, source = load_scenario(folder / SCENARIO)
        resumed = scenario
    else:
        refuse_full(folder, "--runs")
    log_folder.set(folder)
    summary = train(scenario, source, folder, how, command, console, resumed=resumed)
    return summary.status == "complete"


def _show(outcomes: Sequence[Outcome]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("Experiment", "Run", "Statements"):
        table.add_column(heading)
    for each in outcomes:
        if not each.runs:
            table.add_row(each.experiment.name, "not run", "")
        for run in each.runs:
            state = "complete" if run.complete else "unfinished"
            held = tally(each.checks[run.budget])
            table.add_row(each.experiment.name, f"{run.budget}, {state}", held)
    Console().print(table)


def _as_json(each: Outcome) -> dict[str, object]:
    """An experiment with its runs, cells and statements."""
    return {
        "experiment": each.experiment.name,
        "source": each.experiment.reported.source,
        "runs": [
            {"budget": run.budget, "folder": run.folder.name, "complete": run.complete}
            | ({"network": run.network, "data": run.data} if isinstance(run, TrainingRun) else {})
            | (
                {"noise_samples": run.counts, "angles": run.angles}
                if isinstance(run, AngleRun)
                else {}
            )
            for run in each.runs
        ],
        "cells": [
            {**asdict(cell), "difference": cell.difference}
            for cell in ([] if each.experiment.angles else each.cells())
        ],
        "statements": [
            {"budget": budget, **asdict(check)}
            for budget, checks in each.checks.items()
            for check in checks
        ],
        "why": each.experiment.reported.why,
    }
