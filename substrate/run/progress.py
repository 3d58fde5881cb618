"""Showing a run while it goes on: bars in a terminal or notebook, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.util import find_spec

from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from substrate.record.metrics import Epoch
from substrate.run.experiment import Display
from substrate.scenario.schema import Scenario
from substrate.terminal import Console

_BARS_SHOWN = 32
"""Units under way beyond these have no bar of their own."""


@contextmanager
def display_for(scenario: Scenario, console: Console, jobs: int) -> Iterator[Display]:
    """Give the display that suits where the output goes."""
    # rich draws bars in a notebook by means of ipywidgets
    notebook = console.is_jupyter and find_spec("ipywidgets") is not None
    if not (console.is_terminal or notebook):
        yield _Lines(scenario, console)
        return
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", markup=False),
        console=console,
    )
    with progress:
        yield _Bars(scenario, progress, jobs)


@contextmanager
def counted(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how many units are done: a line that changes in a terminal, a line a tenth elsewhere.

    What is given is to be told how many are done, of how many.
    """
    begun, tenths = time.monotonic(), {0}
    first: list[int] = []

    def line(done: int, asked: int) -> str:
        first[:] = first or [done]
        more, spent = done - first[0], time.monotonic() - begun
        left = (asked - done) * spent / more if more else None
        return f"{what}: {done} of {asked} units" + ("" if left is None else f", {_left(left)}")

    with console.status(what) as status:

        def on_unit(done: int, asked: int) -> None:
            if console.is_terminal:
                status.update(line(done, asked))
            elif (tenth := 10 * done // max(1, asked)) not in tenths:
                tenths.add(tenth)
                console.print(line(done, asked), soft_wrap=True, highlight=False)

        yield on_unit


def _figures(record: Epoch) -> str:
    loss = "" if record.train_loss is None else f"loss {record.train_loss:.4f}  "
    if record.test_accuracy is None:
        return f"epoch {record.epoch}  {loss}test loss {record.test_loss:.4f}"
    return f"epoch {record.epoch}  {loss}test accuracy {record.test_accuracy:.1%}"


class _Lines:
    """One line for every fifth of an arm's epochs."""

    def __init__(self, scenario: Scenario, console: Console) -> None:
        self._epochs = scenario.training.epochs
        self._every = max(1, self._epochs // 5)
        self._console = console
        self._shown: set[tuple[str, int]] = set()

    def epoch(self, record: Epoch) -> None:
        self._shown.add((record.arm, record.seed))
        if record.epoch and (record.epoch % self._every == 0 or record.epoch == self._epochs):
            self._line(record.arm, record.seed, f"{_figures(record)}  {record.seconds:.1f} s")

    def ended(self, arm: str, seed: int, how: str) -> None:
        if how:
            self._line(arm, seed, how)
        elif (arm, seed) not in self._shown:
            self._line(arm, seed, "done before, and taken from the store")

    def _line(self, arm: str, seed: int, text: str) -> None:
        self._console.print(f"{arm}  seed {seed}  {text}", soft_wrap=True)


class _Bars:
    """A bar for the whole run, one for every arm over all seeds, and one for every unit under way.

    Arms differ a hundredfold in the time that they take, so the time left is that of every arm's
    own epochs; an arm that has not begun counts like the mean of the others.
    """

    def __init__(self, scenario: Scenario, progress: Progress, jobs: int) -> None:
        self._progress, self._jobs = progress, jobs
        self._epochs, self._seeds = scenario.training.epochs, len(scenario.seeds)
        self._all = progress.add_task(
            "all arms",
            total=self._epochs * self._seeds * len(scenario.all_arms),
            figures=f"{jobs} side by side" if jobs > 1 else "",
            left="",
        )
        self._arms: dict[str, TaskID] = {
            name: progress.add_task(
                name, total=self._epochs * self._seeds, figures="waiting", left=""
            )
            for name in scenario.all_arms
        }
        self._units: dict[tuple[str, int], TaskID] = {}
        self._reached: dict[str, dict[int, int]] = {name: {} for name in scenario.all_arms}
        self._seconds_per_epoch: dict[str, float] = {}

    def epoch(self, record: Epoch) -> None:
        self._reached[record.arm][record.seed] = record.epoch
        if record.epoch:
            self._seconds_per_epoch[record.arm] = record.seconds / record.epoch
        figures = _figures(record)
        if self._jobs > 1:
            self._unit(record.arm, record.seed, record.epoch, figures)
        self._show(record.arm, f"seed {record.seed}  {figures}")

    def ended(self, arm: str, seed: int, how: str) -> None:
        self._reached[arm][seed] = self._epochs
        if unit := self._units.pop((arm, seed), None):
            self._progress.remove_task(unit)
        if how:
            self._progress.console.print(f"{arm}  seed {seed}  {how}", soft_wrap=True)
        self._show(arm, how or f"{len(self._reached[arm])} of {self._seeds} seeds")

    def _unit(self, arm: str, seed: int, epoch: int, figures: str) -> None:
        name = (arm, seed)
        if name not in self._units:
            if len(self._units) >= _BARS_SHOWN:
                return
            self._units[name] = self._progress.add_task(
                f"  {arm}, seed {seed}", total=self._epochs, figures="", left=""
            )
        rest = (self._epochs - epoch) * self._seconds_per_epoch.get(arm, 0)
        self._progress.update(
            self._units[name], completed=epoch, figures=figures, left=_left(rest if epoch else None)
        )

    def _show(self, arm: str, figures: str) -> None:
        self._progress.update(
            self._arms[arm],
            completed=sum(self._reached[arm].values()),
            figures=figures,
            left=_left(self._work_left(arm), self._jobs),
        )
        known = [self._work_left(name) for name in self._arms]
        work = None if None in known else sum(each for each in known if each is not None)
        done = sum(sum(each.values()) for each in self._reached.values())
        self._progress.update(self._all, completed=done, left=_left(work, self._jobs))

    def _work_left(self, arm: str) -> float | None:
        """Seconds of one worker; None before anything is known."""
        known = self._seconds_per_epoch
        if not known:
            return None
        epochs = self._epochs * self._seeds - sum(self._reached[arm].values())
        return epochs * known.get(arm, sum(known.values()) / len(known))


def _left(seconds: float | None, workers: int = 1) -> str:
    return "" if seconds is None else f"{timedelta(seconds=round(seconds / workers))} left"
