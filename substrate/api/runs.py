"""Runs from Python: `sb.load`, `sb.run`, `sb.resume`, `sb.read`.

They do what the command line does, by the same functions (`substrate.run.session`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from substrate.api.arguments import (
    NEW_FOLDER,
    RUN_FOLDER,
    SCENARIO_FILE,
    as_how,
    as_path,
    mapping_of,
    refuse_no_text,
    settings_of,
    whole_numbers,
)
from substrate.api.tables import frame
from substrate.record.folder import SCENARIO, RunFolder, read_run_folder
from substrate.record.metrics import Epoch
from substrate.record.summary import Arm, Comparison, MetricName, Summary, Verdict
from substrate.run.session import How, new_folder, reopen, train
from substrate.scenario.budgets import FULL, apply_budget
from substrate.scenario.load import checked
from substrate.scenario.overrides import lay
from substrate.scenario.schema import Scenario
from substrate.scenario.shipped import find_scenario
from substrate.scenario.source import Source
from substrate.scenario.yaml_reader import load_yaml
from substrate.terminal import Console

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_GAP_FIGURES = ("gap", "ci_low", "ci_high", "over_seeds", "over_samples", "tolerance")
_METRICS: tuple[MetricName, ...] = ("test_accuracy", "train_accuracy", "test_loss", "train_loss")


@dataclass(frozen=True)
class Run:
    """A run: what lies in its folder, as tables and pictures.

    Attributes:
        folder: of the run.
        content: what was read from it.
    """

    folder: Path
    content: RunFolder

    @property
    def summary(self) -> Summary:
        """Everything that `summary.json` says."""
        return self.content.summary

    @property
    def verdict(self) -> Verdict:
        """`feasible`, `not feasible` or `undecided`."""
        return self.summary.verdict

    @property
    def report(self) -> Path:
        """The page that was written for people."""
        return self.folder / "report.html"

    @property
    def scenario(self) -> Scenario:
        """What was run.

        Raises:
            ScenarioError: it is not valid here, as where a file of the user's own is missing.
        """
        return load(self.folder / SCENARIO)

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """A row for every arm, seed and epoch, as `substrate.record.metrics.Epoch` says.

        Accuracies are fractions; what an arm has no figure of is NaN.
        """
        columns = [name for name in Epoch.model_fields if name not in ("format", "reported")]
        rows = [{name: getattr(row, name) for name in columns} for row in self._rows]
        return frame(rows, columns, columns[3:])

    @cached_property
    def arms(self) -> pd.DataFrame:
        """A row for every arm, by its name: what it is, and its figures after the last epoch.

        Of every metric there is the mean over seeds, and as `..._std` their standard deviation;
        `diverged` and `failed` count seeds.
        """
        rows = [{"arm": name, **_arm_row(arm)} for name, arm in self.summary.arms.items()]
        figures = [name for name in rows[0] if name.startswith(_METRICS)]
        return frame(rows, list(rows[0]), figures).set_index("arm")

    @cached_property
    def comparisons(self) -> pd.DataFrame:
        """A row for every device arm and baseline: gap, interval, verdict and its reason.

        A positive gap means that the device is behind: by a fraction of accuracy, or in a
        regression by units of the loss.
        """
        columns = list(Comparison.model_fields)
        rows = [
            {name: getattr(each, name) for name in columns} for each in self.summary.comparisons
        ]
        return frame(rows, columns, _GAP_FIGURES)

    def learning_curves(self) -> Figure:
        """Draw the deciding metric against epoch: mean and range over seeds, a line an arm."""
        from substrate.report.palette import LIGHT
        from substrate.report.plots import learning_curves

        return learning_curves(self.summary, self._rows, LIGHT).figure

    def observed_noise(self) -> Figure:
        """Draw the noise of every layer and arm, as a fraction of its signal's spread."""
        from substrate.report.palette import LIGHT
        from substrate.report.plots import observed_noise

        return observed_noise(self.summary, LIGHT).figure

    def __repr__(self) -> str:
        """The verdict and where the run lies."""
        summary = self.summary
        unfinished = "" if summary.status == "complete" else f" ({summary.status})"
        told = f"{summary.scenario}{unfinished}: {summary.verdict}; {summary.verdict_reason}"
        return f"<substrate.Run of {told}; {self.folder}>"

    @property
    def _rows(self) -> list[Epoch]:
        return self.content.metrics


def load(
    path: Path | str, overrides: Mapping[str, Any] | None = None, *, budget: str = FULL
) -> Scenario:
    """Read and check a scenario; nothing is built.

    Args:
        path: of a YAML file, or the name of a shipped scenario, such as `crossbar_danp`.
        overrides: values by dotted path, such as `{"training.epochs": 5}`.
        budget: one of the scenario's.

    Raises:
        ScenarioError: the first thing that is wrong with it, and where.
    """
    refuse_no_text(budget=budget)
    file = find_scenario(as_path(path, "path", SCENARIO_FILE))
    source = apply_budget(load_yaml(file), budget)
    return checked(lay(source, settings_of(overrides)))


def run(
    scenario: Scenario | Path | str,
    *,
    seeds: Iterable[int] | None = None,
    jobs: int | None = None,
    out: Path | str | None = None,
    device: str = "cpu",
    cluster: str | None = None,
    until_decided: bool = False,
    at_most: int = 20,
    sensitivity: bool = False,
    quiet: bool = False,
) -> Run:
    """Train every arm of a scenario with every seed, and write a run folder with a report.

    What the store of units has already is taken from there, bit for bit.

    Args:
        scenario: of `load`, or built in Python; or the path or name that `load` takes.
        seeds: in place of the scenario's.
        jobs: train so many arms and seeds side by side; as many as fit where it is left out.
        out: the run folder, which is new or empty; below `runs` where it is left out.
        device: `cpu` or `cuda`.
        cluster: `dask://host:port` of a Dask cluster that does the work.
        until_decided: add seeds until the verdict stands.
        at_most: seeds, with these.
        sensitivity: then vary each parameter of the device arms by itself.
        quiet: show no progress.

    Raises:
        ScenarioError: the scenario, the data, the folder or the cluster is wrong; nothing was
            written.
        EnvironmentProblem: aihwkit and torch do not work together here.
        RecordError: a unit's folder in the store is damaged.
        KeyboardInterrupt: it was stopped; what was measured by then is in the folder, for `read`
            and `resume`.
    """
    how = as_how(device, jobs, cluster, until_decided, at_most, sensitivity)
    scenario = as_scenario(scenario)
    if seeds is not None:
        scenario = scenario.model_copy(update={"seeds": whole_numbers(seeds)})
    source = as_read(scenario)
    scenario = checked(source)
    folder = new_folder(scenario, None if out is None else as_path(out, "out", NEW_FOLDER))
    return _trained(scenario, source, folder, how, "substrate.run, from Python", quiet)


def resume(
    folder: Path | str,
    *,
    seeds: Iterable[int] | None = None,
    overrides: Mapping[str, Any] | None = None,
    jobs: int | None = None,
    device: str = "cpu",
    cluster: str | None = None,
    until_decided: bool = False,
    at_most: int = 20,
    sensitivity: bool = False,
    quiet: bool = False,
) -> Run:
    """Go on with a run that was stopped, or add seeds or arms to it; only what is new is trained.

    Args:
        folder: of the run.
        seeds: all of them, those that it has and those to add.
        overrides: as of `load`, such as one more arm.
        jobs: as of `run`, and likewise all that follow.
        device: where to compute.
        cluster: that does the work.
        until_decided: add seeds until the verdict stands.
        at_most: seeds, with these.
        sensitivity: then vary each parameter of the device arms by itself.
        quiet: show no progress.

    Raises:
        ScenarioError: the folder holds no run, or one that is complete.
        RecordError: what lies in it is damaged, or is not of this scenario, data and version.
        KeyboardInterrupt: as of `run`.
    """
    how = as_how(device, jobs, cluster, until_decided, at_most, sensitivity)
    folder = as_path(folder, "folder", RUN_FOLDER)
    settings = mapping_of(overrides) | ({} if seeds is None else {"seeds": whole_numbers(seeds)})

    def open_scenario(path: Path, changed: bool) -> tuple[Scenario, Source]:
        source = lay(load_yaml(path), settings_of(settings if changed else None))
        return checked(source), source

    then, scenario, source = reopen(folder, bool(settings), how, open_scenario)
    command = "substrate.resume, from Python"
    return _trained(scenario, source, folder, how, command, quiet, resumed=then)


def read(folder: Path | str) -> Run:
    """Read the folder of a run that has come to an end.

    Raises:
        RecordError: it holds no run that has come to a summary, or it is damaged.
        ScenarioError: it is no path.
    """
    folder = as_path(folder, "folder", RUN_FOLDER)
    return Run(folder, read_run_folder(folder))


def _trained(
    scenario: Scenario,
    source: Source,
    folder: Path,
    how: How,
    command: str,
    quiet: bool,
    resumed: Scenario | None = None,
) -> Run:
    summary = train(scenario, source, folder, how, command, console_for(quiet), resumed=resumed)
    if summary.status == "interrupted":
        raise KeyboardInterrupt(f"stopped; substrate.resume({str(folder)!r}) goes on with it")
    return read(folder)


def console_for(quiet: bool) -> Console:
    """Where progress is shown, if it is."""
    console = Console(stderr=True)
    console.quiet = quiet
    return console


def as_scenario(scenario: Scenario | Path | str) -> Scenario:
    """What a scenario argument stands for, loaded where it is a path or a name.

    Raises:
        ScenarioError: it is neither, or what lies there is wrong.
    """
    if isinstance(scenario, Scenario):
        return scenario
    return load(as_path(scenario, "scenario", f"{SCENARIO_FILE}, or a Scenario"))


def as_read(scenario: Scenario) -> Source:
    """A scenario as if it had been read."""
    settings = scenario.model_dump(mode="json", exclude_none=True)
    return Source(Path(), settings, {(): (f"scenario {scenario.name}", None)})


def _arm_row(arm: Arm) -> dict[str, Any]:
    told = ("role", "chip", "rule", "learning", "rung", "verdict", "reproducibility", "seconds")
    row: dict[str, Any] = {name: getattr(arm, name) for name in told}
    row |= {"diverged": len(arm.diverged), "failed": len(arm.failed)}
    for metric in _METRICS:
        measure = arm.measure(metric)
        row[metric] = measure and measure.mean
        row[f"{metric}_std"] = measure and measure.std
    return row
