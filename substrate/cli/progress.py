"""Showing a run while it goes on: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from substrate.run.experiment import Display
from substrate.run.training import Divergence, Epoch
from substrate.scenario.schema import Scenario


@contextmanager
def display_for(scenario: Scenario, console: Console) -> Iterator[Display]:
    """Give the display that suits where the output goes."""
    if not console.is_terminal:
        yield _Lines(scenario, console)
        return
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[figures]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
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
    """One line for every tenth of an arm's epochs."""

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
        self._console.print(f"{arm}  seed {seed}  {text}", soft_wrap=True, highlight=False)


class _Bars:
    """A bar for the whole run and one for every arm, over all seeds."""

    def __init__(self, scenario: Scenario, progress: Progress) -> None:
        self._progress = progress
        self._epochs = scenario.training.epochs
        per_arm = self._epochs * len(scenario.seeds)
        self._all = progress.add_task(
            "all arms", total=per_arm * len(scenario.all_arms), figures=""
        )
        self._arms: dict[str, TaskID] = {
            name: progress.add_task(name, total=per_arm, figures="waiting")
            for name in scenario.all_arms
        }
        self._done = dict.fromkeys(scenario.all_arms, 0)

    def epoch(self, record: Epoch) -> None:
        if record.epoch:
            self._advance(record.arm, 1)
            self._done[record.arm] = record.epoch
        self._progress.update(
            self._arms[record.arm], figures=f"seed {record.seed}  {_figures(record)}"
        )
        if record.epoch == self._epochs:
            self._done[record.arm] = 0

    def diverged(self, arm: str, seed: int, divergence: Divergence) -> None:
        self._advance(arm, self._epochs - self._done[arm])
        self._done[arm] = 0
        self._progress.update(self._arms[arm], figures=f"seed {seed}  diverged: {divergence}")

    def _advance(self, arm: str, epochs: int) -> None:
        self._progress.advance(self._arms[arm], epochs)
        self._progress.advance(self._all, epochs)
