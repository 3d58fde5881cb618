"""`substrate run`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from substrate.cli.failure import log_folder
from substrate.cli.scenario import open_scenario
from substrate.environment import check_aihwkit
from substrate.files import is_unfinished, sole_writer
from substrate.record.folder import SCENARIO, UNITS, is_complete, read_run_folder, read_summary
from substrate.scenario.aihwkit_check import check_runs_on
from substrate.scenario.schema import Scenario
from substrate.scenario.source import ScenarioError, Source
from substrate.terminal import Console, tell

if TYPE_CHECKING:
    import torch

    from substrate.record.summary import Summary

INTERRUPTED = 130
UNFORESEEN = 3


@dataclass(frozen=True)
class How:
    """How units are done.

    Attributes:
        device: of `--device`.
        jobs: of `--jobs`; None for as many as fit.
        until_decided: add seeds until the verdict stands.
        at_most: seeds, with these.
    """

    device: str = "cpu"
    jobs: int | None = None
    until_decided: bool = False
    at_most: int = 20


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
    folder = out or Path("runs") / f"{scenario.name}-{datetime.now():%Y%m%d-%H%M%S}"
    refuse_full(folder, "--out")
    return _run(scenario, source, folder, how, as_json, command)


def resume_command(
    folder: Path, overrides: list[str], how: How, as_json: bool, command: str
) -> int:
    """Go on with a run that was stopped, or add seeds or settings to it; gives the exit status.

    Raises:
        ScenarioError: the folder holds no run, or one that is complete.
        RecordError: what lies in it is damaged, or is not of this scenario, data and version.
    """
    place = f"--resume {folder}"
    if not (folder / SCENARIO).exists():
        hint = None
        if folder.is_dir() and any(
            is_unfinished(each) or each.name == UNITS for each in folder.iterdir()
        ):
            hint = f"it was stopped before it began: run the scenario with --out {folder}"
        raise ScenarioError(f"is no run folder: it has no {SCENARIO}", file=place, hint=hint)
    from substrate.run.experiment import settle

    settle(folder)
    then, source = open_scenario(folder / SCENARIO)
    scenario = then
    if overrides:
        scenario, source = open_scenario(folder / SCENARIO, overrides)
    if scenario == then and is_complete(folder):
        summary = read_summary(folder)
        assert summary is not None
        if not how.until_decided or summary.verdict != "undecided":
            hint = "--seeds adds seeds"
            message = "this run is complete; there is nothing to go on with"
            raise ScenarioError(message, file=place, hint=hint)
        seeds = _more_seeds(summary, how)
        if seeds is None:
            raise ScenarioError(f"more seeds are of no use: {summary.verdict_reason}", file=place)
        scenario = then.model_copy(update={"seeds": seeds})
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
    summary = train(scenario, source, folder, how, command, console, resumed=resumed)
    if as_json:
        tell(summary.as_json())
    else:
        from substrate.report.table import run_result

        console.print(run_result(summary, folder))
        console.print(f"Report: {folder / 'report.html'}", soft_wrap=True)
    if summary.status == "failed":
        return UNFORESEEN
    return INTERRUPTED if summary.status == "interrupted" else 0


def train(
    scenario: Scenario,
    source: Source,
    folder: Path,
    how: How,
    command: str,
    console: Console,
    *,
    resumed: Scenario | None,
) -> Summary:
    """Run a scenario, or go on with it, into a folder, and write its report.

    Raises:
        ScenarioError: the data or the device is wrong.
        RecordError: what lies in the folder cannot be gone on with.
    """
    begin_workers(how)
    check_aihwkit()
    where = compute_device(how.device)
    check_runs_on(scenario, source, where)
    from substrate.assemble.dataset import checked_dataset
    from substrate.assemble.resumable import without_state
    from substrate.cli.progress import display_for
    from substrate.report import write_report
    from substrate.run.experiment import run_scenario
    from substrate.run.workers import default_jobs, local_workers

    dataset = checked_dataset(scenario, source)
    log_folder.set(folder)
    console.print(f"Data: {dataset.understood}", soft_wrap=True)
    for reason in without_state(scenario):
        text = (
            f"note: an arm that is stopped half-way begins anew when the run is resumed: {reason}"
        )
        console.print(text, soft_wrap=True)
    units = len(scenario.all_arms) * len(scenario.seeds)
    jobs = min(units, how.jobs or default_jobs(scenario, dataset, where))
    with local_workers(jobs) as workers:
        while True:
            with display_for(scenario, console, jobs) as display:
                summary = run_scenario(
                    scenario,
                    dataset,
                    folder,
                    where,
                    command,
                    display,
                    write_report,
                    workers,
                    jobs,
                    resumed=resumed,
                )
            seeds = _more_seeds(summary, how)
            if seeds is None:
                return summary
            text = f"Undecided with {len(scenario.seeds)} seeds; going on with {len(seeds)}."
            console.print(text, soft_wrap=True)
            resumed, scenario = scenario, scenario.model_copy(update={"seeds": seeds})


def begin_workers(how: How) -> None:
    """Let local workers import what they need, if there will be any, while this process does."""
    from substrate.run.server import start_server

    if how.device == "cpu" and (how.jobs or len(os.sched_getaffinity(0))) > 1:
        start_server()


def _more_seeds(summary: Summary, how: How) -> list[int] | None:
    if not how.until_decided or summary.more_seeds is None:
        return None
    seeds = summary.more_seeds[: how.at_most]
    return seeds if len(seeds) > len(summary.seeds) else None


def report_command(folder: Path) -> None:
    """Write the report of a run folder anew.

    Raises:
        RecordError: the folder holds no run that has come to a summary, or it is damaged.
    """
    from substrate.report import write_report

    run = read_run_folder(folder)
    with sole_writer(folder):
        tell(f"Report: {write_report(folder, run)}")


def refuse_full(folder: Path, option: str) -> None:
    """See to it that nothing is written over.

    Raises:
        ScenarioError: something lies in the folder other than what a kill has left, or it is a
            file.
    """
    if folder.exists() and (
        not folder.is_dir()
        or any(each.name != UNITS and not is_unfinished(each) for each in folder.iterdir())
    ):
        raise ScenarioError("is not an empty folder", file=f"{option} {folder}")


def compute_device(name: str) -> torch.device:
    """Give the device of `--device`.

    Raises:
        ScenarioError: there is no such device here.
    """
    import torch

    if name not in ("cpu", "cuda"):
        raise ScenarioError("unknown device", file="--device", found=name, hint="cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise ScenarioError("torch finds no CUDA device here", file="--device", found=name)
    return torch.device(name)
