"""A study as a user asks for it, from the command line or from Python.

What takes long to import is imported when everything that needs none of it has been refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from substrate.environment import check_aihwkit
from substrate.files import remove_unfinished, sole_writer, write_atomically
from substrate.run.session import How, begin_workers, compute_device, workers
from substrate.terminal import Console

if TYPE_CHECKING:
    import pandas as pd

    from substrate.study.plan import Plan, StudyPoint
    from substrate.study.run import StudyData, StudyResult, Units
    from substrate.study.views import StudyView


@dataclass(frozen=True)
class MadeStudy:
    """A study that was made, and what lies in its folder.

    Attributes:
        plan: of it.
        result: what it came to.
        points: a row a point and comparison.
        runs: a row a point, arm and seed.
        views: of every device arm that the axes concern.
        folder: of it.
    """

    plan: Plan
    result: StudyResult
    points: pd.DataFrame
    runs: pd.DataFrame
    views: list[StudyView]
    folder: Path

    @property
    def said(self) -> list[str]:
        """How much is feasible, what matters most, and where training takes the least energy."""
        from substrate.study.energy import least_energy
        from substrate.study.views import headline, in_words, left_out, left_out_in_words

        axes, first = list(self.plan.study.axes), self.result.summaries[0]
        others, metric = left_out(self.views, first), first.metric
        told = [f"{headline(self.views, others)}.", left_out_in_words(others)]
        for view in self.views:
            told += [in_words(view), least_energy(view.points, axes, metric), *view.doubts]
        return [each for each in told if each]


def make_study(plan: Plan, out: Path | None, how: How, command: str, console: Console) -> MadeStudy:
    """Train what is missing of a study, and write its folder.

    Ctrl-C goes through; what was done stays in the store, and the same call goes on.

    Args:
        plan: of the study.
        out: its folder; below `runs` where it is None.
        how: units are done.
        command: what was asked for, for the page.
        console: where progress is shown.

    Raises:
        ScenarioError: the data, the device or the folder is wrong.
        RecordError: a unit in the store is damaged.
    """
    begin_workers(how)
    check_aihwkit()
    import yaml

    from substrate.run.progress import counted
    from substrate.study.folder import PAGE, begin
    from substrate.study.page import study_page
    from substrate.study.run import run_study
    from substrate.study.tables import POINTS, RUNS, points_table, runs_table, write_tables
    from substrate.study.views import study_views

    study = plan.study
    folder = out or Path("runs") / f"{study.name}-study"
    settings = study.model_dump(mode="json", exclude_none=True)
    begin(folder, settings | {"base": plan.points[0].scenario.model_dump(mode="json")})
    with sole_writer(folder), workers_for(plan.points, how) as (data, units):
        remove_unfinished(folder)
        console.print(f"Data: {data.of(plan.points[0].scenario).described}", soft_wrap=True)
        with counted(console, f"{len(plan.points)} points") as on_unit:
            result = run_study(plan, data, units, command, on_unit)
        points = points_table(plan.points, result.summaries)
        runs = runs_table(plan.points, result.summaries)
        write_tables(folder, {RUNS: runs, POINTS: points})
        views = study_views(plan, points)
        text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
        write_atomically(folder / PAGE, study_page(plan, result, views, text, command))
    return MadeStudy(plan, result, points, runs, views, folder)


@contextmanager
def workers_for(points: list[StudyPoint], how: How) -> Iterator[tuple[StudyData, Units]]:
    """Load the points' data, and give what trains their units."""
    from substrate.run.store import Store
    from substrate.scenario.aihwkit_check import check_runs_on
    from substrate.study.run import StudyData, Units

    where = compute_device(how.device)
    for point in points:
        check_runs_on(point.scenario, point.source, where)
    data = StudyData(points)
    first = points[0].scenario
    with workers(how, first, data.of(first), where) as (executor, jobs):
        yield data, Units(data, where, executor, jobs, Store.default())
