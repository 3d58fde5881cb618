"""`metrics.jsonl`: a line for every arm, seed and epoch."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from substrate.record.base import Record
from substrate.record.summary import MetricName, Reported


class Epoch(Record):
    """One line of `metrics.jsonl`.

    Training figures are those of the baseline passes during the epoch; test figures are read
    through the chip, noise and all. Epoch 0 is before training and has no training figures. A
    regression has no accuracies. Of a chip that is pulsed, pulse trains are counted from the start
    on: those that were looked at, and those of them that were cut short. Of a chip on a bench,
    `reported` has what its driver reports, such as a temperature, at the end of the epoch.
    """

    arm: str
    seed: int
    epoch: int
    train_loss: float | None
    train_accuracy: float | None = None
    test_loss: float
    test_accuracy: float | None = None
    seconds: float
    trains: int | None = None
    trains_cut_short: int | None = None
    reported: dict[str, float] = Field({})

    @model_serializer(mode="wrap")
    def _without_what_the_arm_has_not(
        self, serialize: SerializerFunctionWrapHandler
    ) -> dict[str, Any]:
        row: dict[str, Any] = serialize(self)
        if self.test_accuracy is None:
            del row["train_accuracy"], row["test_accuracy"]
        if self.trains is None:
            del row["trains"], row["trains_cut_short"]
        if not self.reported:
            del row["reported"]
        return row

    def as_line(self) -> bytes:
        """Give the line of `metrics.jsonl`."""
        return json.dumps(self.model_dump(), ensure_ascii=False).encode() + b"\n"

    def figure(self, metric: MetricName) -> float | None:
        """One of its figures; None where there is none."""
        found: float | None = getattr(self, metric)
        return found


def ranges_reported(rows: Iterable[Epoch]) -> dict[str, Reported]:
    """What the driver reported in the epochs of an arm, in order, and the range of each figure."""
    seen: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows:
        for name, value in row.reported.items():
            seen[name].append(value)
    return {
        name: Reported(last=values[-1], lowest=min(values), highest=max(values))
        for name, values in seen.items()
    }
