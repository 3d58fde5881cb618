"""`substrate run`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from substrate.environment import check_aihwkit
from substrate.record.folder import is_complete
from substrate.scenario.aihwkit_check import check_runs_on
from substrate.scenario.load import load_scenario
from substrate.scenario.schema import Scenario
from substrate.scenario.shipped import find_scenario
from substrate.scenario.source import ScenarioError, Source

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
    scenario, source = load_scenario(find_scenario(path), overrides, budget)
    folder = out or Path("runs") / f"{scenario.name}-{datetime.now():%Y%m%d-%H%M%S}"
    refuse_full(folder, "--out")
    return _run(scenario, source, folder, device, as_json, command, resume=False)


def resume_command(folder: Path, device: str, as_json: bool, command: str) -> int:
    """Go on with a run that was stopped; gives the exit status.

    Raises:
        ScenarioError: the folder holds no run, or one that is complete.
    """
    place = f"--resume {folder}"
    if not (folder / "scenario.yaml").exists():
        raise ScenarioError("is no run folder: it has no scenario.yaml", file=place)
    if is_complete(folder):
        raise ScenarioError("this run is complete; there is nothing to go on with", file=place)
    scenario, source = load_scenario(folder / "scenario.yaml")
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
        typer.echo(summary.as_json())
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
        ScenarioError: the data, the device or the checkpoint is wrong.
    """
    check_aihwkit()
    where = compute_device(device)
    check_runs_on(scenario, source, where)
    from substrate.assemble.dataset import checked_dataset
    from substrate.cli.progress import display_for
    from substrate.report import write_report
    from substrate.run.checkpoint import CheckpointError
    from substrate.run.experiment import run_scenario

    dataset = checked_dataset(scenario, source)
    try:
        with display_for(scenario, console) as display:
            summary = run_scenario(
                scenario, dataset, folder, where, command, display, resume=resume
            )
    except CheckpointError as problem:
        raise ScenarioError(str(problem), file=f"--resume {folder}") from None
    write_report(folder)
    return summary


def refuse_full(folder: Path, option: str) -> None:
    """See to it that nothing is written over.

    Raises:
        ScenarioError: something lies in the folder, or it is a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
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
