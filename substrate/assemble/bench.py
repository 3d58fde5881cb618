"""Opening a lab's bench: by one training at a time, and once for all matrices of a chip."""

from __future__ import annotations

import gc
import hashlib
import os
import warnings
from collections.abc import Sequence
from weakref import WeakValueDictionary

from devices.bench import ArraySize
from devices.crossbars.open_bench import OpenBench, in_words, smallest
from devices.interface import LayerShape
from substrate.assemble.layouts import layouts
from substrate.data.dataset import Dataset
from substrate.files import lock_of_machine
from substrate.scenario.schema import Arm, BenchChip, Scenario
from substrate.scenario.schema.bench import make_bench
from substrate.scenario.source import Source

_open: WeakValueDictionary[str, OpenBench] = WeakValueDictionary()


class BenchBusy(Exception):
    """Somebody else drives the bench; `str()` names it."""


def open_bench(chip: BenchChip) -> OpenBench:
    """Connect to a bench, which is left again when nobody holds what is given.

    Raises:
        BenchBusy: it is in use, in this process or in another one of this machine, whoever's.
        OSError: the lock cannot be had.
    """
    bench = make_bench(chip)
    # what is connected to is what is locked; other settings, and the sample on it, may change
    where = {name: getattr(bench.settings, name) for name in type(bench).connection}
    # two users may each have a copy of the class; without a setting its file is all there is
    which = type(bench).__qualname__ if where else chip.bench
    key = hashlib.sha256(f"{which} {where}".encode()).hexdigest()
    if key in _open:
        gc.collect()  # a chip that nobody has any more may wait for it
    if key in _open:
        raise BenchBusy(f"{chip.bench} is in use in this process")
    descriptor = lock_of_machine(f"bench-{key[:16]}")
    if descriptor is None:
        message = f"{chip.bench} is in use by another process"
        warnings.warn(f"{message}; waiting until it is free", stacklevel=2)
        raise BenchBusy(message)
    opened = OpenBench(bench, lambda: os.close(descriptor))
    _open[key] = opened
    return opened


def check_room(scenario: Scenario, dataset: Dataset, source: Source) -> None:
    """Refuse a network for which a bench has too few arrays; nothing is connected.

    Raises:
        ScenarioError: with the arrays that there are.
    """
    shapes = [each.shape for each in layouts(scenario.network, dataset.input_shape, dataset.n_out)]
    for group, arms in (("arms", scenario.arms), ("baselines", scenario.baselines)):
        for name, arm in arms.items():
            if isinstance(arm.chip, BenchChip):
                arrays = make_bench(arm.chip).arrays
                wanted = _without_room(arm, arm.chip, shapes, arrays)
                if wanted is not None:
                    raise source.error(
                        (group, name, "chip", "bench"),
                        f"there is no array left for {wanted}; the bench has {in_words(arrays)}",
                        found=arm.chip.bench,
                        hint="every matrix takes arrays of its own: a smaller network needs fewer",
                    )


def _without_room(
    arm: Arm, chip: BenchChip, shapes: list[LayerShape], arrays: Sequence[ArraySize]
) -> str | None:
    free = list(range(len(arrays)))
    for what, n_out, n_in in _matrices(arm, shapes):
        most_out, most_in = chip.max_columns or n_out, chip.max_rows or n_in
        # in the order in which `TiledCrossbar` takes them, which decides where their sizes differ
        for columns in _parts(n_out, most_out):
            for rows in _parts(n_in, most_in):
                number = smallest(arrays, free, columns, rows)
                if number is None:
                    return f"{what}, {n_in} → {n_out}"
                free.remove(number)
    return None


def _matrices(arm: Arm, shapes: list[LayerShape]) -> list[tuple[str, int, int]]:
    """Every matrix on arrays with n_out and n_in, in the order in which they take them."""
    decorrelation = arm.learning.decorrelation
    mirror = arm.learning.make_rule().mirror_on
    found = []
    for number, (n_out, n_in, _) in enumerate(shapes, start=1):
        found.append((f"the weights of layer {number}", n_out, n_in))
        if decorrelation is not None and decorrelation.on != "digital":
            found.append((f"R of layer {number}", n_in, n_in))
        if mirror not in (None, "digital") and number > 1:
            found.append((f"the mirror of layer {number}", n_out, n_in))
    return found


def _parts(size: int, most: int) -> list[int]:
    return [min(most, size - start) for start in range(0, size, most)]
