"""The experiments: shipped scenarios under `paper/` and `crossbar/`, with what is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from substrate.nearest import did_you_mean
from substrate.replicate.angles import AngleRun
from substrate.replicate.kept import unpack
from substrate.replicate.measured import Run, TrainingRun, read_run
from substrate.replicate.merge import merged
from substrate.replicate.reported import Reported, reported
from substrate.scenario.budgets import FULL
from substrate.scenario.changes import changes
from substrate.scenario.load import load_scenario
from substrate.scenario.shipped import shipped_scenarios
from substrate.scenario.source import ScenarioError
from substrate.scenario.yaml_reader import load_yaml

_GROUPS = ("paper", "crossbar")
_NO_SETTINGS = {"name", "title", "description", "verdict", "budget"}


@dataclass(frozen=True)
class Experiment:
    """An experiment by its name, such as `paper/three_hidden`.

    Attributes:
        path: the scenario file; None where it has not been written.
        title: of the scenario.
        arms: of the scenario, or where there is none those of the paper.
        budgets: those of the scenario, `full` first.
        angles: measured by `substrate align`, not trained.
    """

    name: str
    path: Path | None
    title: str
    arms: list[str]
    budgets: list[str]
    angles: bool
    reported: Reported

    @property
    def of_paper(self) -> bool:
        """Whether the paper measured it; what runs on crossbars it only promises."""
        return self.name.startswith("paper/")

    def folder(self, runs: Path, budget: str) -> Path:
        """Where a run of it lies."""
        return runs / f"{self.name.replace('/', '-')}-{budget}"

    def found(self, runs: Path, records: Path, into: Path) -> list[Run]:
        """What was run of it, one for every budget; a run that has measured nothing yet is none.

        Args:
            runs: the folder of the run folders; what they have measured counts first.
            records: where records of runs are kept.
            into: where to unpack them.
        """
        found: list[Run] = []
        for budget in self.budgets:
            own = self.folder(runs, budget)
            read = [read_run(folder, budget) for folder in (own, *unpack(own.name, records, into))]
            angles = [run for run in read if isinstance(run, AngleRun)]
            trained = [run for run in read if isinstance(run, TrainingRun) and run.rows]
            if trained:
                found.append(merged(trained))
            else:
                found += angles[:1]
        return found

    def settings_changed(self, run: Run) -> list[str]:
        """Where a run's settings are not those that the scenario file has now: `key (ran, has)`."""
        if self.path is None or not (run.folder / "scenario.yaml").exists():
            return []
        try:
            ran, now = (
                load_scenario(path, budget=budget)[0].model_dump(exclude=_NO_SETTINGS)
                for path, budget in ((run.folder / "scenario.yaml", FULL), (self.path, run.budget))
            )
        except ScenarioError as problem:
            return [str(problem)]
        if isinstance(run, TrainingRun):
            ran["seeds"] = run.seeds
        for role in ("arms", "baselines"):  # what was not run, the table says
            now[role] = {arm: each for arm, each in now[role].items() if arm in ran[role]}
        return [f"`{key}` ({was}, now {is_now})" for key, was, is_now in changes(ran, now)]


def experiments() -> list[Experiment]:
    """All of them, in the order of what is reported; others come last.

    Raises:
        ScenarioError: `reported.yaml` or a scenario file is malformed.
    """
    known = reported()
    shipped = {
        name: path
        for name, path in shipped_scenarios().items()
        if name.partition("/")[0] in _GROUPS and "/" in name
    }
    return [
        _experiment(name, shipped.get(name), known.get(name, Reported()))
        for name in [*known, *(name for name in shipped if name not in known)]
    ]


def chosen(names: Sequence[str], among: list[Experiment]) -> list[Experiment]:
    """Those that are named, `three_hidden` for `paper/three_hidden`; all if none is.

    Raises:
        ScenarioError: there is none of that name, or several, or it has no scenario file.
    """
    if not names:
        return [each for each in among if each.path is not None]
    found = []
    for name in names:
        fitting = [each for each in among if name in (each.name, each.name.partition("/")[2])]
        if len(fitting) > 1:
            both = " or ".join(each.name for each in fitting)
            raise ScenarioError("this name is that of several experiments", found=name, hint=both)
        if not fitting:
            full = [each.name for each in among]
            short = [each.partition("/")[2] for each in full]
            hint = did_you_mean(name, [*full, *short], f"known are {', '.join(full)}")
            raise ScenarioError("there is no such experiment", found=name, hint=hint)
        if fitting[0].path is None:
            raise ScenarioError("this experiment has no scenario file", found=name)
        found += fitting
    return found


def _experiment(name: str, path: Path | None, known: Reported) -> Experiment:
    if path is None:
        return Experiment(name, None, name, list(known.paper), [FULL], False, known)
    content = load_yaml(path).data
    arms = [*content.get("arms", ()), *content.get("baselines", ())]
    budgets = [FULL, *content.get("budgets", ())]
    title = content.get("title", name)
    return Experiment(name, path, title, arms, budgets, "alignment" in content, known)
