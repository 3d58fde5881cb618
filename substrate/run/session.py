"""A run as a user asks for it, from the command line or from Python: folder, workers, report.

What takes long to import is imported when everything that needs none of it has been refused.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from substrate.environment import check_aihwkit
from substrate.files import is_unfinished
from substrate.record.folder import SCENARIO, UNITS, is_complete, read_summary, why_no_run
from substrate.run.output import refuse_full
from substrate.scenario.aihwkit_check import check_runs_on
from substrate.scenario.capabilities import backpropagates
from substrate.scenario.schema import Scenario
from substrate.scenario.source import ScenarioError, Source
from substrate.terminal import Console

if TYPE_CHECKING:
    import torch

    from substrate.data.dataset import Dataset
    from substrate.record.summary import Summary

Load = Callable[[Path, bool], tuple[Scenario, Source]]
"""Reads a scenario: as it stands in the file, or with what is to be changed of it."""


@dataclass(frozen=True)
class How:
    """How units are done.

    Attributes:
        device: `cpu` or `cuda`.
        jobs: how many side by side; None for as many as fit.
        cluster: `dask://host:port` of one that runs; None for processes of this machine.
        until_decided: add seeds until the verdict stands.
        at_most: seeds, with these.
        isolated: each chip is simulated in a process of its own.
        sensitivity: vary each parameter of the device arms by itself, when the run is complete.
    """

    device: str = "cpu"
    jobs: int | None = None
    cluster: str | None = None
    until_decided: bool = False
    at_most: int = 20
    isolated: bool = False
    sensitivity: bool = False

    def __post_init__(self) -> None:
        """Refuse what can be seen to be wrong before anything is read.

        Raises:
            ScenarioError: `jobs` or `at_most` is no whole number above 0, `cluster` no address.
        """
        if self.cluster is not None and not re.fullmatch(r"dask://.+", self.cluster):
            hint = "dask://host:port"
            raise ScenarioError("names no cluster", file="--cluster", found=self.cluster, hint=hint)
        for name, value in (("jobs", self.jobs), ("at_most", self.at_most)):
            if value is not None and not (isinstance(value, int) and value > 0):
                raise ScenarioError("must be a whole number above 0", field=name, found=value)


def new_folder(scenario: Scenario, out: Path | None) -> Path:
    """Give the folder of a new run, not made yet: the one asked for, or one below `runs`.

    Raises:
        ScenarioError: something lies in it, or it can be no folder.
    """
    folder = out or Path("runs") / f"{scenario.name}-{datetime.now():%Y%m%d-%H%M%S}"
    refuse_full(folder, "--out")
    return folder


def reopen(folder: Path, changed: bool, how: How, load: Load) -> tuple[Scenario, Scenario, Source]:
    """Find out what there is to do in the folder of a run.

    Args:
        folder: of a run that was stopped, or that gets more seeds or other settings.
        changed: whether it does.
        how: it is done; `until_decided` adds seeds.
        load: reads the scenario.

    Returns:
        The scenario that was run there, the one to run now, and where its settings stand.

    Raises:
        ScenarioError: the folder holds no run, one that is complete, or one that would lose seeds.
        RecordError: what lies in it is damaged.
    """
    place = f"--resume {folder}"
    if not (os.path.isdir(folder) and (folder / SCENARIO).exists()):
        message, hint = why_no_run(folder, SCENARIO)
        if os.path.isdir(folder) and any(
            is_unfinished(each) or each.name == UNITS for each in folder.iterdir()
        ):
            hint = f"it was stopped before it began: run the scenario with --out {folder}"
        raise ScenarioError(message, file=place, hint=hint)
    from substrate.run.experiment import settle

    settle(folder)
    then, source = load(folder / SCENARIO, False)
    scenario = then
    if changed:
        scenario, source = load(folder / SCENARIO, True)
        if lost := [seed for seed in then.seeds if seed not in scenario.seeds]:
            every = ",".join(map(str, dict.fromkeys([*then.seeds, *scenario.seeds])))
            message = f"the run has seeds {', '.join(map(str, then.seeds))} and would lose some"
            hint = f"name them too, as --seeds {every}, or give another run another folder"
            raise ScenarioError(message, file=place, found=lost, hint=hint)
    if scenario == then and is_complete(folder):
        summary = read_summary(folder)
        assert summary is not None
        if how.sensitivity and summary.sensitivity is None:
            return then, scenario, source
        if not how.until_decided or summary.verdict != "undecided":
            hint = "--seeds adds seeds"
            message = "this run is complete; there is nothing to go on with"
            raise ScenarioError(message, file=place, hint=hint)
        seeds = _more_seeds(summary, how)
        if seeds is None:
            raise ScenarioError(f"more seeds are of no use: {summary.verdict_reason}", file=place)
        scenario = then.model_copy(update={"seeds": seeds})
    return then, scenario, source


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

    Args:
        scenario: checked.
        source: where its settings stand.
        folder: where to write.
        how: it is done.
        command: what was asked for, for the summary.
        console: where progress is shown.
        resumed: go on with the run of this scenario that lies in the folder.

    Raises:
        ScenarioError: the data, the device or the cluster is wrong.
        RecordError: what lies in the folder cannot be gone on with.
    """
    begin_workers(how)
    check_aihwkit()
    where = compute_device(how.device)
    check_runs_on(scenario, source, where)
    from substrate.assemble.bench import check_room
    from substrate.assemble.dataset import checked_dataset
    from substrate.assemble.resumable import without_state
    from substrate.report import write_report
    from substrate.run.experiment import run_scenario
    from substrate.run.progress import display_for
    from substrate.run.sensitivity import variations

    dataset = checked_dataset(scenario, source)
    check_room(scenario, dataset, source)
    console.print(f"Data: {dataset.described}", soft_wrap=True)
    from substrate.wire.check import check_remote

    for reason in [*without_state(scenario), *check_remote(scenario, source, dataset)]:
        text = (
            f"note: an arm that is stopped half-way begins anew when the run is resumed: {reason}"
        )
        console.print(text, soft_wrap=True)
    if how.isolated:
        stay = [name for name in scenario.all_arms if backpropagates(scenario, name)]
        if stay:
            text = f"note: not isolated, since gradients lead to the weights: {', '.join(stay)}"
            console.print(text, soft_wrap=True)
    varied = variations(scenario, source) if how.sensitivity else None
    units = (len(scenario.all_arms) + (varied.count if varied else 0)) * len(scenario.seeds)
    with workers(how, scenario, dataset, where, most=units) as (executor, jobs):
        if jobs > 1:
            threading.Thread(target=_import_report, daemon=True).start()
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
                    executor,
                    jobs,
                    resumed=resumed,
                    isolated=how.isolated,
                )
            seeds = _more_seeds(summary, how)
            if seeds is None:
                break
            text = f"Undecided with {len(scenario.seeds)} seeds; going on with {len(seeds)}."
            console.print(text, soft_wrap=True)
            resumed, scenario = scenario, scenario.model_copy(update={"seeds": seeds})
        if varied is None or summary.status != "complete":
            return summary
        return _vary(scenario, source, dataset, folder, where, console, executor, jobs)


def _import_report() -> None:
    """Import what verdict and report take while workers train."""
    import scipy.stats  # noqa: F401

    import substrate.report.html  # noqa: F401


def _vary(
    scenario: Scenario,
    source: Source,
    dataset: Dataset,
    folder: Path,
    where: torch.device,
    console: Console,
    executor: Executor,
    jobs: int,
) -> Summary:
    """Vary each parameter of a complete run; Ctrl-C leaves the run as it was."""
    from substrate.report import write_report
    from substrate.run.progress import counted
    from substrate.run.sensitivity import add_sensitivity, variations

    varied = variations(scenario, source)  # seeds may have been added
    text = f"Varying {len(varied.parameters)} parameters, {varied.count} arms of as many seeds."
    console.print(text, soft_wrap=True)
    with counted(console, "sensitivity") as on_unit:
        return add_sensitivity(
            scenario, varied, dataset, folder, where, write_report, executor, jobs, on_unit
        )


def begin_workers(how: How) -> None:
    """Let local workers import what they need, if there will be any, while this process does."""
    from substrate.run.server import start_server

    several = (how.jobs or len(os.sched_getaffinity(0))) > 1
    if how.device == "cpu" and how.cluster is None and (several or how.isolated):
        start_server()


@contextmanager
def workers(
    how: How,
    scenario: Scenario,
    dataset: Dataset,
    where: torch.device,
    *,
    most: int | None = None,
) -> Iterator[tuple[Executor, int]]:
    """Give what does units, and how many of them it does side by side.

    Args:
        how: units are done.
        scenario: of the units, for the memory that they need.
        dataset: likewise.
        where: to compute.
        most: there are no more units than this.

    Raises:
        ScenarioError: the cluster cannot be joined.
    """
    if how.cluster is not None:
        from substrate.run.cluster import cluster_workers

        with cluster_workers(how.cluster) as (executor, count):
            yield executor, min(how.jobs or count, most or how.jobs or count)
        return
    from substrate.run.workers import default_jobs, local_workers

    jobs = how.jobs or default_jobs(scenario, dataset, where)
    jobs = min(jobs, most or jobs)
    with local_workers(jobs) as executor:
        yield executor, jobs


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


def _more_seeds(summary: Summary, how: How) -> list[int] | None:
    if not how.until_decided or summary.more_seeds is None:
        return None
    seeds = summary.more_seeds[: how.at_most]
    return seeds if len(seeds) > len(summary.seeds) else None
