"""`substrate run`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from substrate.cli.failure import log_folder
from substrate.cli.scenario import open_scenario
from substrate.environment import check_aihwkit
from substrate.files import is_unfinished, sole_writer
from substrate.record.folder import SCENARIO, is_complete, read_run_folder
from substrate.scenario.aihwkit_check import check_runs_on
from substrate.scenario.schema import Scenario
from substrate.scenario.source import ScenarioError, Source
from substrate.terminal import Console, tell

if TYPE_CHECKING:
    import torch

    from substrate.record.summary import Summary

INTERRUPTED = 130


def run_command(
    path: Path,
    out: Path | None,
    overrides: list[str],
    budget: str,
    seeds: list[str],
    device: str,
    as_json: bool,
    command: str,
) -> int:
    """Run a scenario and show its outcome; gives the exit status.

    Raises:
        ScenarioError: the scenario, the data or an option is wrong; nothing has been written.
    """
    if seeds:
        overrides = [*overrides, f"seeds=[{','.join(seeds)}]"]
    scenario, source = open_scenario(path, overrides, budget)
    folder = out or Path("runs") / f"{scenario.name}-{datetime.now():%Y%m%d-%H%M%S}"
    refuse_full(folder, "--out")
    return _run(scenario, source, folder, device, as_json, command, resume=False)


def resume_command(folder: Path, device: str, as_json: bool, command: str) -> int:
    """Go on with a run that was stopped; gives the exit status.

    Raises:
        ScenarioError: the folder holds no run, or one that is complete.
        RecordError: what lies in it is damaged, or is not of this scenario, data and version.
    """
    place = f"--resume {folder}"
    if not (folder / SCENARIO).exists():
        hint = None
        if folder.is_dir() and any(map(is_unfinished, folder.iterdir())):
            hint = f"it was stopped before it began: run the scenario with --out {folder}"
        raise ScenarioError(f"is no run folder: it has no {SCENARIO}", file=place, hint=hint)
    if is_complete(folder):
        raise ScenarioError("this run is complete; there is nothing to go on with", file=place)
    scenario, source = open_scenario(folder / SCENARIO)
    return _run(scenario, source, folder, device, as_json, command, resume=True)


def _run(
    scenario: Scenario,
    source: Source,
    folder: Path,
    device: str,
    as_json: bool,
    command: str,
    *,
    resume: bool,
) -> int:
    console = Console(stderr=as_json)
    summary = train(scenario, source, folder, device, command, console, resume=resume)
    if as_json:
        tell(summary.as_json())
    else:
        from substrate.report.table import run_result

        console.print(run_result(summary))
        console.print(f"Report: {folder / 'report.html'}", soft_wrap=True)
    return INTERRUPTED if summary.status == "interrupted" else 0


def train(
    scenario: Scenario,
    source: Source,
    folder: Path,
    device: str,
    command: str,
    console: Console,
    *,
    resume: bool,
) -> Summary:
    """Run a scenario, or go on with it, into a folder, and write its report.

    Raises:
        ScenarioError: the data or the device is wrong.
        RecordError: what lies in the folder cannot be gone on with.
    """
    check_aihwkit()
    where = compute_device(device)
    check_runs_on(scenario, source, where)
    from substrate.assemble.dataset import checked_dataset
    from substrate.assemble.resumable import without_state
    from substrate.cli.progress import display_for
    from substrate.report import write_report
    from substrate.run.experiment import run_scenario

    dataset = checked_dataset(scenario, source)
    log_folder.set(folder)
    console.print(f"Data: {dataset.understood}", soft_wrap=True)
    if not resume and (reasons := without_state(scenario)):
        text = f"note: once stopped, this run cannot be resumed: {'; '.join(reasons)}"
        console.print(text, soft_wrap=True)
    with display_for(scenario, console) as display:
        return run_scenario(
            scenario, dataset, folder, where, command, display, write_report, resume=resume
        )


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
    if folder.exists() and (not folder.is_dir() or not all(map(is_unfinished, folder.iterdir()))):
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
