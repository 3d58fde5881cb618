"""Studies, limits and comparisons from Python: `sb.study`, `sb.spec`, `sb.compare`.

They do what the command line does, by the same functions (`substrate.study.session`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from substrate.api.runs import as_read, console_for, frame, load
from substrate.run.session import How
from substrate.scenario.load import checked
from substrate.scenario.schema import Scenario
from substrate.scenario.source import ScenarioError, Source

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from substrate.study.page import StudyView
    from substrate.study.session import MadeLimit, MadeStudy


@dataclass(frozen=True)
class Study:
    """A study that was made: tables and pictures.

    Attributes:
        made: what it came to.
    """

    made: MadeStudy

    @property
    def folder(self) -> Path:
        """Where its tables and its page lie."""
        return self.made.folder

    @property
    def report(self) -> Path:
        """The page that was written for people."""
        return self.folder / "report.html"

    @property
    def said(self) -> list[str]:
        """How much is feasible, what costs most, and where training takes the least energy."""
        return self.made.said

    @property
    def points(self) -> pd.DataFrame:
        """A row for every point and comparison: the axes, means, gap, interval, verdict, bill."""
        return self.made.points

    @property
    def runs(self) -> pd.DataFrame:
        """A row for every point, arm and seed: the axes, and what it ended with."""
        return self.made.runs

    @cached_property
    def effects(self) -> pd.DataFrame:
        """A row for every device arm and axis: its Sobol indices of the gap, with 95 % intervals.

        `main` is of the axis by itself, `total` with all interactions that it takes part in, and
        `worth` the difference of its largest and smallest mean.
        """
        columns = ["arm", "axis", "main", "main_low", "main_high"]
        columns += ["total", "total_low", "total_high", "worth"]
        rows = [
            dict(
                zip(
                    columns,
                    (view.arm, each.axis, *each.main, *each.total, each.worth),
                    strict=True,
                )
            )
            for view in self.made.views
            for each in view.effects
        ]
        return frame(rows, columns, columns[2:])

    def curve(self, axis: str, *, arm: str | None = None) -> Figure:
        """Draw the gap along an axis, with intervals.

        Args:
            axis: its name.
            arm: a device arm; may be left out where one alone is concerned.

        Raises:
            ScenarioError: there is no such axis or arm.
        """
        from substrate.report.canvas import WIDE_INCHES
        from substrate.report.palette import LIGHT
        from substrate.study.plots import gap_curves

        view, metric = self._view(arm), self.made.result.summaries[0].metric
        settings = self.made.plan.study.axes[self._axis(axis)]
        drawn = gap_curves(view.points, (axis, settings), None, metric, LIGHT, WIDE_INCHES)
        return drawn.figure

    def map(self, across: str, up: str, *, arm: str | None = None) -> Figure:
        """Draw the gap over two axes, with the border of what is feasible.

        Args:
            across: the name of the horizontal axis.
            up: of the vertical one.
            arm: as of `curve`.

        Raises:
            ScenarioError: there is no such axis or arm.
        """
        from substrate.report.canvas import WIDE_INCHES
        from substrate.report.palette import LIGHT
        from substrate.study.maps import feasible_map, gap_map

        view, metric = self._view(arm), self.made.result.summaries[0].metric
        settings = self.made.plan.study.axes
        first, second = ((name, settings[self._axis(name)]) for name in (across, up))
        border = feasible_map(view.points, first, second) if len(settings) == 2 else None
        drawn = gap_map(view.points, first, second, border, metric, LIGHT, WIDE_INCHES)
        return drawn.figure

    def __repr__(self) -> str:
        """How much is feasible, and where the study lies."""
        return f"<substrate.Study: {self.said[0]} {self.folder}>"

    def _view(self, arm: str | None) -> StudyView:
        known = {view.arm: view for view in self.made.views}
        if arm is None and len(known) == 1:
            return next(iter(known.values()))
        if arm not in known:
            hint = f"the axes concern {', '.join(known)}"
            raise ScenarioError("name a device arm", field="arm", found=arm, hint=hint)
        return known[arm]

    def _axis(self, name: str) -> str:
        known = self.made.plan.study.axes
        if name not in known:
            hint = f"its axes are {', '.join(known)}"
            raise ScenarioError("the study has no such axis", found=name, hint=hint)
        return name


@dataclass(frozen=True)
class Limit:
    """The limit of a field, or the border over two.

    Attributes:
        made: what the search came to.
    """

    made: MadeLimit

    @property
    def folder(self) -> Path:
        """Where `limit.json` and the page lie."""
        return self.made.folder

    @property
    def report(self) -> Path:
        """The page that was written for people."""
        return self.folder / "report.html"

    @property
    def said(self) -> list[str]:
        """All of it in sentences; the first is for a data sheet."""
        return self.made.said

    @property
    def record(self) -> dict[str, Any]:
        """Everything that `limit.json` says."""
        return self.made.record

    @cached_property
    def limits(self) -> pd.DataFrame:
        """The limit with its interval; over two fields a row for each value of the first, `at`.

        `feasible_everywhere` and `feasible_nowhere` are the probabilities that the range holds no
        limit.
        """
        rows = self.record["limits"]
        columns = [*(["at"] if "at" in rows[0] else []), "limit", "low", "high"]
        columns += ["feasible_everywhere", "feasible_nowhere"]
        return frame(rows, columns, columns)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row for every run: the fields, its seed, the gap, and the energy of the training.

        The gap of a run that diverged is NaN.
        """
        fields = self.record["fields"]
        rows = [
            {**dict(zip(fields, each["at"], strict=True)), **each} for each in self.record["runs"]
        ]
        return frame(
            rows, [*fields, "seed", "gap", "training_joules"], [*fields, "gap", "training_joules"]
        )

    def draw(self) -> Figure:
        """Draw the runs with the limit, or the border."""
        from substrate.report.palette import LIGHT
        from substrate.study.limits_page import draw_limit

        made = self.made
        return draw_limit(made.question, made.found, made.runs.gaps, made.runs.metric, LIGHT).figure

    def __repr__(self) -> str:
        """The sentence for a data sheet."""
        return f"<substrate.Limit: {self.said[0]} {self.folder}>"


def study(
    study: Path | str | Mapping[str, Any],
    *,
    out: Path | str | None = None,
    jobs: int | None = None,
    device: str = "cpu",
    cluster: str | None = None,
    quiet: bool = False,
) -> Study:
    """Run a scenario at many points of its settings, and write tables, maps and a page.

    A study that was stopped goes on by the same call, since what was trained lies in the store.

    Args:
        study: a study file, the name of a shipped one such as `noise_by_bits`, or a mapping with
            the keys of such a file.
        out: its folder; below `runs` where it is left out.
        jobs: as of `run`, and likewise all that follow.
        device: where to compute.
        cluster: that does the work.
        quiet: show no progress.

    Raises:
        ScenarioError: the study, one of its points, the data or the folder is wrong.
        RecordError: a unit's folder in the store is damaged.
    """
    from substrate.scenario.shipped import find_study
    from substrate.study.plan import checked_study, plan_study, read_study
    from substrate.study.session import make_study

    if isinstance(study, Mapping):
        name = study.get("name", "from Python")
        settings, source = checked_study(Source(Path(), dict(study), {(): (f"study {name}", None)}))
    else:
        settings, source = read_study(find_study(Path(study)))
    plan, how = plan_study(settings, source), How(device, jobs, cluster)
    folder, command = None if out is None else Path(out), "substrate.study, from Python"
    return Study(make_study(plan, folder, how, command, console_for(quiet)))


def spec(
    scenario: Scenario | Path | str,
    vary: str | Sequence[str],
    within: str | float,
    *,
    arm: str | None = None,
    against: str | None = None,
    least: str | None = None,
    resolution: float | None = None,
    runs: int | None = None,
    out: Path | str | None = None,
    jobs: int | None = None,
    device: str = "cpu",
    cluster: str | None = None,
    quiet: bool = False,
) -> Limit:
    """Find the limit of a field that keeps a device feasible, or the border over two fields.

    A search that was stopped goes on by the same call, since what was trained lies in the store.

    Args:
        scenario: as of `run`.
        vary: `PATH`, `PATH=LOW:HIGH` or `PATH=LOW:HIGH:log` of the field, or two of them.
        within: how far behind the device may fall, such as `"1 point"`; of a loss a number.
        arm: whose limit; that of the field where it is left out.
        against: the baseline; the best one where it is left out.
        least: `energy` or `time`: say too where training takes least of it.
        resolution: how narrow the interval is to be, as a fraction of the range.
        runs: make no more.
        out: its folder; below `runs` where it is left out.
        jobs: as of `run`, and likewise all that follow.
        device: where to compute.
        cluster: that does the work.
        quiet: show no progress.

    Raises:
        ScenarioError: the scenario, a field, a range, the data or the folder is wrong.
        RecordError: a run was given up, or a unit's folder in the store is damaged.
    """
    from substrate.study.session import ask, make_limit

    if not isinstance(scenario, Scenario):
        scenario = load(scenario)
    source = as_read(scenario)
    scenario = checked(source)
    fields = [vary] if isinstance(vary, str) else list(vary)
    question = ask(fields, str(within), arm, against, least, scenario, source)
    folder, command = None if out is None else Path(out), "substrate.spec, from Python"
    asked = (question, scenario, source, resolution, runs, folder, How(device, jobs, cluster))
    return Limit(make_limit(*asked, command, console_for(quiet)))


def compare(*folders: Path | str, against: str | None = None) -> pd.DataFrame:
    """Set every arm of some finished runs against one of them, as `substrate report` does.

    Args:
        folders: of the runs, two at least.
        against: `RUN:ARM`; the first run's first device arm where it is left out.

    Returns:
        A row an arm: its figure, how far it is behind of the reference, both with the interval over
        new seeds and new test data, and why there is no difference where there is none.

    Raises:
        RecordError: a folder holds no run that has come to a summary, or it is damaged.
        ScenarioError: `against` names no arm.
    """
    from substrate.compare.page import as_record
    from substrate.compare.runs import compare_runs, read_runs

    found = as_record(compare_runs(read_runs([Path(folder) for folder in folders]), against))
    rows = [
        {
            **{key: each[key] for key in ("run", "arm", "role", "seeds")},
            **{
                name: (each[part] or {}).get(key)
                for part, names in (
                    (
                        "figure",
                        {"figure": "mean", "figure_low": "ci_low", "figure_high": "ci_high"},
                    ),
                    ("behind", {"behind": "mean", "ci_low": "ci_low", "ci_high": "ci_high"}),
                )
                for name, key in names.items()
            },
            "why_not": each["why_not"] or "",
        }
        for each in found["arms"]
    ]
    return frame(rows, list(rows[0]), list(rows[0])[4:-1])
