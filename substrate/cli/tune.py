"""`substrate tune`."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from substrate.cli.scenario import open_scenario
from substrate.files import write_atomically
from substrate.nearest import did_you_mean
from substrate.run.output import refuse_full
from substrate.run.session import How, begin_workers, compute_device, workers
from substrate.scenario.aihwkit_check import check_runs_on
from substrate.scenario.schema import Scenario
from substrate.scenario.source import ScenarioError
from substrate.terminal import Console, tell

if TYPE_CHECKING:
    from substrate.tune.search import Attempt


def tune_command(
    path: Path,
    arms: list[str],
    start: float,
    epochs: int | None,
    overrides: list[str],
    budget: str,
    how: How,
    out: Path | None,
    as_json: bool,
) -> None:
    """Search every chosen arm's learning rate, show the rates tried, and write `tune.json`.

    Raises:
        ScenarioError: the scenario, the data or an option is wrong.
    """
    if epochs is not None:
        overrides = [*overrides, f"training.epochs={epochs}"]
    scenario, source = open_scenario(path, overrides, budget)
    chosen = _chosen(arms, scenario)
    if not 0 < start < math.inf:
        raise ScenarioError("must be greater than 0", file="--start", found=start)
    folder = out or Path("runs") / f"tune-{scenario.name}-{datetime.now():%Y%m%d-%H%M%S}"
    refuse_full(folder, "--out")
    begin_workers(how)
    from substrate.assemble.bench import check_room
    from substrate.assemble.dataset import checked_dataset
    from substrate.data.dataset import VALIDATION_FRACTION
    from substrate.tune.search import highest_stable, search_rates
    from substrate.wire.check import check_remote

    where = compute_device(how.device)
    check_runs_on(scenario, source, where)
    dataset = checked_dataset(scenario, source)
    check_room(scenario, dataset, source)
    check_remote(scenario, source, dataset)
    split = dataset.validation()
    trained, held_out = len(split.x_train), len(split.x_test)
    if scenario.training.batch_size > trained:
        raise source.error(
            ("training", "batch_size"),
            f"{dataset.name} has only {trained} training samples left with {held_out} held out",
            found=scenario.training.batch_size,
        )
    console = Console(stderr=True)
    console.print(_selection(trained, held_out), highlight=False, soft_wrap=True)
    with (
        workers(how, scenario, dataset, where, most=len(chosen)) as (executor, jobs),
        console.status("") as status,
    ):
        tried = search_rates(
            scenario,
            chosen,
            dataset,
            where,
            executor,
            jobs,
            start=start,
            on_epoch=lambda name, rate, record: status.update(
                Text(
                    f"{name}: learning rate {rate:g}, epoch {record.epoch} of"
                    f" {scenario.training.epochs}, validation loss {record.test_loss:.4g}"
                )
            ),
            on_attempt=lambda name, attempt: console.print(
                f"{name}  {_line(attempt)}", soft_wrap=True
            ),
        )
    result = {
        "scenario": scenario.name,
        "budget": scenario.budget,
        "seed": scenario.seeds[0],
        "epochs": scenario.training.epochs,
        "selected_on": {
            "samples": "held out from the training samples",
            "fraction": VALIDATION_FRACTION,
            "held_out": held_out,
            "trained_on": trained,
        },
        "arms": {
            name: {
                "highest_stable": highest_stable(each),
                "set": _set_option(name, scenario, highest_stable(each)),
                "tried": [dataclasses.asdict(attempt) for attempt in each],
            }
            for name, each in tried.items()
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(folder / "tune.json", text + "\n")
    if as_json:
        tell(text)
    else:
        _show(tried, scenario)
        tell(f"{_selection(trained, held_out)}.")
        tell(f"Written: {folder / 'tune.json'}")


def _chosen(arms: list[str], scenario: Scenario) -> list[str]:
    for name in arms:
        if name not in scenario.all_arms:
            hint = did_you_mean(name, scenario.all_arms)
            raise ScenarioError("the scenario has no such arm", file="--arm", found=name, hint=hint)
    return arms or list(scenario.all_arms)


def _selection(trained: int, held_out: int) -> str:
    return (
        f"Trained on {trained:,} of the training samples and judged by the other {held_out:,},"
        " held out; test samples are not seen"
    )


def _line(attempt: Attempt) -> str:
    found = attempt.validation_loss
    loss = "diverged" if found is None else f"validation loss {found:.4g}"
    verdict = "stable" if attempt.stable else f"unstable: {attempt.reason}"
    return f"learning rate {attempt.learning_rate:g}  {loss}  {verdict}"


def _set_option(name: str, scenario: Scenario, rate: float | None) -> str | None:
    if rate is None:
        return None
    group = "arms" if name in scenario.arms else "baselines"
    return f"--set {group}.{name}.learning.optimiser.learning_rate={rate!r}"


def _show(tried: dict[str, list[Attempt]], scenario: Scenario) -> None:
    from substrate.tune.search import highest_stable

    console = Console()
    table = Table(box=None, pad_edge=False)
    for column in ("Arm", "Learning rate", "Validation loss", "Validation accuracy", ""):
        table.add_column(column, justify="left" if column in ("Arm", "") else "right")
    for name, each in tried.items():
        for attempt in each:
            loss, accuracy = attempt.validation_loss, attempt.validation_accuracy
            table.add_row(
                name,
                f"{attempt.learning_rate:g}",
                "–" if loss is None else f"{loss:.4g}",
                "–" if accuracy is None else f"{accuracy:.1%}",
                "stable" if attempt.stable else f"unstable: {attempt.reason}",
            )
    console.print(table)
    for name, each in tried.items():
        option = _set_option(name, scenario, highest_stable(each))
        if option is None:
            console.print(f"{name}: not even the first rate is stable; take a lower --start")
        else:
            last = "" if not each[-1].stable else " (the search ended before an unstable rate)"
            console.print(f"{name}: highest stable learning rate{last}")
            console.print(f"  {option}", soft_wrap=True)
