"""`substrate study`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from substrate.cli.run import INTERRUPTED, UNFORESEEN
from substrate.environment import check_aihwkit
from substrate.files import remove_unfinished, sole_writer, write_atomically
from substrate.plugins import Trust, trust_now, trusting
from substrate.run.session import How, begin_workers, compute_device, workers
from substrate.scenario.shipped import find_study
from substrate.terminal import Console, tell

if TYPE_CHECKING:
    from substrate.study.plan import StudyPoint
    from substrate.study.run import StudyData, Units


def study_command(path: Path, out: Path | None, how: How, as_json: bool, command: str) -> int:
    """Run a study, or go on with one; gives the exit status.

    Raises:
        ScenarioError: the study, one of its points, the data or the folder is wrong.
        RecordError: a unit in the store is damaged.
    """
    from substrate.study.plan import plan_study, read_study

    study, source = read_study(find_study(path))
    if trust_now() is Trust.EVERYTHING:
        with trusting(Trust.NOTHING) as named:
            plan_study(study, source)
        for each in named:
            tell(f"trusted, and run now: {each}", err=True)
    plan = plan_study(study, source)
    begin_workers(how)
    check_aihwkit()
    import yaml

    from substrate.run.progress import counted
    from substrate.study.energy import least_energy
    from substrate.study.folder import PAGE, begin
    from substrate.study.page import headline, in_words, study_page, study_views
    from substrate.study.run import run_study
    from substrate.study.tables import POINTS, RUNS, points_table, runs_table, write_tables

    folder = out or Path("runs") / f"{study.name}-study"
    settings = study.model_dump(mode="json", exclude_none=True)
    begin(folder, settings | {"base": plan.points[0].scenario.model_dump(mode="json")})
    console = Console(stderr=True)
    with sole_writer(folder), workers_for(plan.points, how) as (data, units):
        remove_unfinished(folder)
        console.print(f"Data: {data.of(plan.points[0].scenario).understood}", soft_wrap=True)
        try:
            with counted(console, f"{len(plan.points)} points") as on_unit:
                result = run_study(plan, data, units, command, on_unit)
        except KeyboardInterrupt:
            tell(f"Stopped; the same command with --out {folder} goes on.", err=True)
            return INTERRUPTED
        points = points_table(plan.points, result.summaries)
        write_tables(folder, {RUNS: runs_table(plan.points, result.summaries), POINTS: points})
        views = study_views(plan, points)
        text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
        write_atomically(folder / PAGE, study_page(plan, result, views, text, command))
    if as_json:
        tell(points.to_json(orient="records", indent=2))
    else:
        tell(f"{headline(views)}.")
        for view in views:
            axes, metric = list(study.axes), result.summaries[0].metric
            for said in (in_words(view), least_energy(view.points, axes, metric)):
                if said:
                    tell(said)
        tell(f"Tables: {folder / POINTS}.csv, {folder / RUNS}.csv; the same as .parquet")
        tell(f"Report: {folder / PAGE}")
    for what in result.failed.values():
        tell(f"a unit was given up: {what}", err=True)
    return UNFORESEEN if result.failed else 0


@contextmanager
def workers_for(points: list[StudyPoint], how: How) -> Iterator[tuple[StudyData, Units]]:
    """Load the points' data, and give what trains their units.

    Raises:
        ScenarioError: the data or the device is wrong.
    """
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
