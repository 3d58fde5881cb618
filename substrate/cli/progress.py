"""Showing a run while it goes on: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from substrate.record.metrics import Epoch
from substrate.run.experiment import Display
from substrate.run.training import Divergence
from substrate.scenario.schema import Scenario
from substrate.terminal import Console


@contextmanager
def display_for(scenario: Scenario, console: Console) -> Iterator[Display]:
    """Give the display that suits where the output goes."""
    if not console.is_terminal:
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
        yield _Bars(scenario, progress)


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

    def epoch(self, record: Epoch) -> None:
        if record.epoch and (record.epoch % self._every == 0 or record.epoch == self._epochs):
            self._line(record.arm, record.seed, f"{_figures(record)}  {record.seconds:.1f} s")

    def diverged(self, arm: str, seed: int, divergence: Divergence) -> None:
        self._line(arm, seed, f"diverged: {divergence}")

    def _line(self, arm: str, seed: int, text: str) -> None:
        self._console.print(f"{arm}  seed {seed}  {text}", soft_wrap=True)


class _Bars:
    """A bar for the whole run and one for every arm, over all seeds.

    Arms differ a hundredfold in the time that they take, so the time left is that of every arm's
    own epochs; an arm that has not begun counts like the mean of the others.
    """

    def __init__(self, scenario: Scenario, progress: Progress) -> None:
        self._progress = progress
        self._epochs = scenario.training.epochs
        self._per_arm = self._epochs * len(scenario.seeds)
        self._all = progress.add_task(
            "all arms", total=self._per_arm * len(scenario.all_arms), figures="", left=""
        )
        self._arms: dict[str, TaskID] = {
            name: progress.add_task(name, total=self._per_arm, figures="waiting", left="")
            for name in scenario.all_arms
        }
        self._ended = dict.fromkeys(scenario.all_arms, 0)
        self._done = dict.fromkeys(scenario.all_arms, 0)
        self._seconds_per_epoch: dict[str, float] = {}

    def epoch(self, record: Epoch) -> None:
        self._done[record.arm] = self._ended[record.arm] + record.epoch
        if record.epoch:
            self._seconds_per_epoch[record.arm] = record.seconds / record.epoch
        if record.epoch == self._epochs:
            self._ended[record.arm] += self._epochs
        self._show(record.arm, f"seed {record.seed}  {_figures(record)}")

    def diverged(self, arm: str, seed: int, divergence: Divergence) -> None:
        self._ended[arm] += self._epochs
        self._done[arm] = self._ended[arm]
        self._show(arm, f"seed {seed}  diverged: {divergence}")

    def _show(self, arm: str, figures: str) -> None:
        self._progress.update(
            self._arms[arm],
            completed=self._done[arm],
            figures=figures,
            left=self._left([arm]),
        )
        self._progress.update(
            self._all, completed=sum(self._done.values()), left=self._left(self._arms)
        )

    def _left(self, arms: Iterable[str]) -> str:
        known = self._seconds_per_epoch
        if not known:
            return ""
        mean = sum(known.values()) / len(known)
        seconds = sum((self._per_arm - self._done[arm]) * known.get(arm, mean) for arm in arms)
        return f"{timedelta(seconds=round(seconds))} left"
