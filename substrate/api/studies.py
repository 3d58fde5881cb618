"""Studies from Python: `sb.study`, as the command line makes them (`substrate.study.session`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from substrate.api.arguments import NEW_FOLDER, as_how, as_path
from substrate.api.made import Made
from substrate.api.runs import console_for
from substrate.api.tables import frame
from substrate.scenario.source import ScenarioError, Source

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from substrate.study.session import MadeStudy
    from substrate.study.views import StudyView

_STUDY = "must be the path of a study file, the name of a shipped one, or a mapping with its keys"


@dataclass(frozen=True)
class Study(Made):
    """A study that was made: tables and pictures.

    Attributes:
        made: what it came to.
    """

    made: MadeStudy

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
        `worth` the difference of its largest and smallest mean. Gaps are of the seeds that did not
        diverge: where more did at some points than at others, these do not tell what matters most.
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
        from substrate.study.drawn_axis import with_units
        from substrate.study.plots import gap_curves

        view, metric = self._view(arm), self.made.result.summaries[0].metric
        settings = with_units(self.made.plan)[self._axis(axis)]
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
        from substrate.study.drawn_axis import with_units
        from substrate.study.maps import feasible_map, gap_map

        view, metric = self._view(arm), self.made.result.summaries[0].metric
        settings = with_units(self.made.plan)
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

    how = as_how(device, jobs, cluster)
    if isinstance(study, Mapping):
        name = study.get("name", "from Python")
        settings, source = checked_study(Source(Path(), dict(study), {(): (f"study {name}", None)}))
    else:
        settings, source = read_study(find_study(as_path(study, "study", _STUDY)))
    plan = plan_study(settings, source)
    folder = None if out is None else as_path(out, "out", NEW_FOLDER)
    command = "substrate.study, from Python"
    return Study(make_study(plan, folder, how, command, console_for(quiet)))
