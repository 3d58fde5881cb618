"""How a noise model under test is driven: what its checks have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from devices.noise.base import Memory, NoiseModel
from substrate.verify.statistics import TooVague

SIGNAL = 0.7
"""The constant signal at which mean and spectrum are taken."""

SIGNALS = (SIGNAL, 0.0, -0.4, 2.5)
"""Constant signals at which the variance is taken, one a line, for as many as there are lines."""

CHUNKS = (1, 60, 195)
"""Reads per call while statistics are taken: a model must go on where its last call ended."""

_AGAIN = 4
"""So many times the replicas, all of them fresh, are drawn before anything fails."""


class NoiseUnderTest:
    """A noise model under test, and independent replicas of what it draws.

    Attributes:
        model: the model under test, with its parameters.
        lines: axes of a signal behind time; two of them for noise that acts on weights alone.
        seed: of all draws.
        false_alarm: chance that a right model fails any one of the statistical checks.
        replicas: independent repetitions behind every statistic.
        max_cost: most that drawing noise for 1000×1024 may take, in products 1000×1024×1024.
    """

    model: ClassVar[NoiseModel]
    lines: ClassVar[tuple[int, ...]] = (4,)
    seed: ClassVar[int] = 0
    false_alarm: ClassVar[float] = 1e-4
    replicas: ClassVar[int] = 200
    max_cost: ClassVar[float] = 15.0
    measured: str = ""
    _drawn: ClassVar[dict[tuple[object, ...], Tensor]] = {}

    def _memory(self, replica: int = 0, device: str = "cpu") -> Memory:
        return Memory(torch.Generator(device).manual_seed(1000 * self.seed + replica))

    def _signal(self, reads: int) -> Tensor:
        values = torch.linspace(-1, 1, reads * torch.Size(self.lines).numel())
        return values.view(reads, *self.lines)

    def _confirmed(self, check: Callable[[range], None]) -> None:
        """Hold replicas to a check, and fresh ones before it fails.

        What one replica shows of noise that is slower than it is skewed, and fails by Student's
        quantile more often than is stated; twice running it does not.
        """
        try:
            check(range(self.replicas))
        except TooVague:
            raise
        except AssertionError:
            check(range(self.replicas, (1 + _AGAIN) * self.replicas))

    def _replicas(self, numbers: range, signals: tuple[float, ...] = (SIGNAL,)) -> Tensor:
        """Draw (replicas, reads, lines) at constant signals by line, less the stated mean."""
        # The class itself is part of the key: another may have the same name and parameters.
        model, parameters = self.model, repr(self.model.model_dump())
        of = (type(model), parameters, signals, self.lines, self.seed, numbers)
        if of not in self._drawn:
            drawn = self._draw(numbers, CHUNKS, self.lines, signals)
            self._drawn[of] = torch.stack([each.double() for each in drawn])
        return self._drawn[of]

    def _draw(
        self,
        numbers: range,
        chunks: Sequence[int],
        lines: tuple[int, ...],
        signals: tuple[float, ...] = (SIGNAL,),
    ) -> list[Tensor]:
        """Draw (reads, lines) for every replica, in calls of so many reads."""
        number = torch.Size(lines).numel()
        level = torch.tensor(signals).repeat(number)[:number].view(lines)
        tables: dict[str, Tensor] = {}
        drawn = []
        for replica in numbers:
            memory = self._memory(replica)
            memory.tables = tables
            parts = [
                self.model.sample(level.expand(reads, *lines).clone(), memory) for reads in chunks
            ]
            drawn.append(torch.cat(parts).flatten(1) - self.model.mean())
        return drawn
