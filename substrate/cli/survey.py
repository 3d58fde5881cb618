"""`substrate survey`."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markdown import Markdown

from substrate.cli.run import INTERRUPTED
from substrate.cli.scenario import open_scenario
from substrate.environment import check_aihwkit
from substrate.files import write_atomically
from substrate.run.output import refuse_full
from substrate.run.session import How, begin_workers, compute_device, workers
from substrate.scenario.source import ScenarioError
from substrate.terminal import Console, tell

if TYPE_CHECKING:
    from substrate.record.metrics import Epoch
    from substrate.survey.plan import Place, Plan
    from substrate.survey.record import Cell, Survey

TABLE = "survey.md"


def survey_command(
    path: Path,
    presets: str,
    rates: str,
    epochs: int | None,
    overrides: list[str],
    out: Path | None,
    how: How,
    as_json: bool,
    command: str,
) -> int:
    """Train a scenario's device arms with every preset, print and write the table.

    Gives the exit status. A folder that holds part of the same survey is gone on with.

    Raises:
        ScenarioError: the scenario, a preset, a rate, the data or the folder is wrong.
    """
    if epochs is not None:
        overrides = [*overrides, f"training.epochs={epochs}"]
    scenario, source = open_scenario(path, overrides)
    to_try = _rates(rates)
    begin_workers(how)
    check_aihwkit()
    from substrate.assemble.dataset import checked_dataset
    from substrate.survey.plan import plan_survey
    from substrate.survey.record import RECORD, SurveyError
    from substrate.survey.run import run_survey
    from substrate.survey.table import survey_table

    names = [] if presets == "all" else [name.strip() for name in presets.split(",")]
    plan = plan_survey(scenario, source, names, to_try)
    dataset = checked_dataset(scenario, source)
    folder = out or Path("runs") / f"{scenario.name}-survey-{datetime.now():%Y%m%d-%H%M%S}"
    if not (folder / RECORD).exists():
        refuse_full(folder, "--out")
    console = Console(stderr=True)
    where = compute_device("cpu")
    with (
        workers(how, scenario, dataset, where) as (executor, jobs),
        console.status("") as status,
    ):

        def on_epoch(place: Place, rate: float, record: Epoch, survey: Survey) -> None:
            status.update(_now(plan, place, rate, record, survey))

        def on_cell(cell: Cell, survey: Survey) -> None:
            write_atomically(folder / TABLE, survey_table(plan, survey))
            console.print(_line(plan, cell, survey), soft_wrap=True, highlight=False, markup=False)

        try:
            survey = run_survey(plan, dataset, folder, command, executor, jobs, on_epoch, on_cell)
        except SurveyError as problem:
            raise ScenarioError(str(problem), file=f"--out {folder}") from None
        except KeyboardInterrupt:
            survey = None
    if survey is None:
        tell(f"Stopped; the same command with --out {folder} goes on.", err=True)
        return INTERRUPTED
    table = survey_table(plan, survey)
    write_atomically(folder / TABLE, table)
    if as_json:
        tell(survey.model_dump_json(indent=2))
    else:
        Console().print(Markdown(table))
        tell(f"Table: {folder / TABLE}")
    return 0


def _rates(given: str) -> list[float]:
    rates = []
    for word in given.split(","):
        try:
            rate = float(word)
        except ValueError:
            rate = math.nan
        if not 0 < rate < math.inf:
            raise ScenarioError(
                "learning rates are numbers above 0, separated by commas",
                file="--rates",
                found=word.strip(),
            )
        rates.append(rate)
    if len(set(rates)) < len(rates):
        raise ScenarioError("a rate stands twice", file="--rates", found=given)
    return rates


def _now(plan: Plan, place: Place, rate: float, record: Epoch, survey: Survey) -> str:
    return (
        f"{place.preset or 'baseline'} {place.arm}: learning rate {rate:g}, epoch {record.epoch} of"
        f" {plan.scenario.training.epochs}; {_progress(plan, survey)}"
    )


def _line(plan: Plan, cell: Cell, survey: Survey) -> str:
    from substrate.survey.table import shown_cell

    what = f"{cell.preset or 'baseline'} {cell.arm}  {shown_cell(cell, survey)}"
    return f"{what}  {cell.seconds:.0f} s; {_progress(plan, survey)}"


def _progress(plan: Plan, survey: Survey) -> str:
    from substrate.survey.run import seconds_left

    places = plan.places
    finished = sum(survey.cell(place) is not None for place in places)
    left = seconds_left(plan, survey)
    shown = "" if math.isnan(left) else f", {timedelta(seconds=round(left))} left"
    return f"{finished} of {len(places)} cells{shown}"
