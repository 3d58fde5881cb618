"""A run folder to be damaged, and what comes of resuming it.

What is done to it stands in `tests.torture.damages`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from substrate.record.folder import METRICS, OUTCOMES, SCENARIO, UNITS
from substrate.record.unit import CHECKPOINT, ENDED
from tests.torture.runs import command, end, store_of, write_scenario

Damage = Callable[[Path], object]
_STOPPED_AFTER = 11  # in the second seed; an arm has diverged, and two have ended, by then

METRICS_OF_UNIT = f"unit/{METRICS}"
FILES = (SCENARIO, METRICS, OUTCOMES, UNITS, CHECKPOINT, METRICS_OF_UNIT)


def place(folder: Path, name: str) -> Path:
    """Give a file of a stopped run: in its folder, or of its unit that is half done."""
    if name not in (CHECKPOINT, METRICS_OF_UNIT):
        return folder / name
    (stopped,) = store_of(folder).glob(f"*/*/{CHECKPOINT}")
    return stopped.with_name(Path(name).name)


class Folders:
    """An undisturbed run, one that was stopped on the way, and others that are not it.

    What a stopped run has of its ended units lies in its folder alone: their store was pruned.
    """

    def __init__(self, root: Path) -> None:
        """Run them."""
        self.root = root
        self.scenario = write_scenario(root)
        self.whole = root / "whole"
        assert command("run", self.scenario, "--out", self.whole)[0] == 0
        self.end = end(self.whole)
        self.stopped = self.stop("stopped")

    def stop(self, name: str, *options: str, after: int = _STOPPED_AFTER) -> Path:
        """Stop a run after some epochs, of all arms together."""
        folder, left = self.root / name, after

        def stop(*_: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise KeyboardInterrupt

        with mock.patch("substrate.run.progress._Lines.epoch", stop):
            status, errors = command("run", self.scenario, "--out", folder, *options)
        assert status == 130, errors
        for ended in store_of(folder).glob(f"*/*/{ENDED}"):
            shutil.rmtree(ended.parent)
        return folder

    def copy(self, folder: Path) -> None:
        """Copy the stopped run, and its store."""
        shutil.copytree(self.stopped, folder)
        shutil.copytree(store_of(self.stopped), store_of(folder))

    def outcome(self, damage: Damage) -> str:
        """Give `refused`, `same`, `wrong`, or what else came of resuming a damaged copy."""
        data = self.root / "data.npz"
        intact = data.read_bytes()
        folder = self.root / "damaged"
        self.copy(folder)
        try:
            damage(folder)
            try:
                status, errors = command("run", "--resume", folder)
            except Exception as problem:
                return f"traceback: {type(problem).__name__}: {problem}"
            if status == 2 and errors.startswith("error: ") and errors.count("\n") == 1:
                return "refused"
            if status != 0:
                return f"status {status}: {errors}"
            try:
                return "same" if end(folder) == self.end else "wrong"
            except ValueError:
                return "wrong"
        finally:
            shutil.rmtree(folder)
            shutil.rmtree(store_of(folder))
            data.write_bytes(intact)
