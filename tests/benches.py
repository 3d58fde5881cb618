"""Benches for tests: exact arrays in numpy, in every form in which a lab's may come."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, Field

from devices.bench import ArraySize, Bench


class ReadOnly(Bench):
    """Holds exact weights; forms below add what can be written."""

    title: ClassVar[str] = "an exact bench"
    arrays = (ArraySize(rows=8, columns=6), ArraySize(rows=5, columns=4))
    largest_input = 2.0
    largest_weight = 1.0
    step = 0.02

    class Settings(BaseModel, extra="forbid", frozen=True):
        std: float = Field(0.0, description="of the noise of reads, in units of W x")

    def open(self) -> None:
        self.opened = True
        self.cells = [np.zeros((size.columns, size.rows)) for size in self.arrays]
        self.driven: list[np.ndarray] = []
        self.calls: list[str] = []
        self.random = np.random.default_rng(0)

    def close(self) -> None:
        self.opened = False

    def read(self, array: int, x: np.ndarray) -> np.ndarray:
        self.driven.append(x.copy())
        a = x @ self.cells[array].T
        return a + self.settings.std * self.random.normal(size=a.shape)  # type: ignore[attr-defined]


class Programmed(ReadOnly):
    """Can be programmed and nothing else."""

    def program(self, array: int, weights: np.ndarray) -> None:
        self.calls.append("program")
        self.cells[array] = weights.copy()


class Updated(ReadOnly):
    """Can be changed and not programmed."""

    def update(self, array: int, change: np.ndarray) -> None:
        self.calls.append("update")
        self.cells[array] = self.cells[array] + change


class Outerly(ReadOnly):
    """Knows outer products alone."""

    def update_outer(self, array: int, x: np.ndarray, d: np.ndarray) -> None:
        self.calls.append(f"outer of {len(x)}")
        self.cells[array] = self.cells[array] + d.T @ x


class Whole(Programmed):
    """Has every method."""

    def update(self, array: int, change: np.ndarray) -> None:
        self.cells[array] = self.cells[array] + change

    def read_transposed(self, array: int, y: np.ndarray) -> np.ndarray:
        return y @ self.cells[array]

    def metrics(self) -> Mapping[str, float]:
        return {"temperature (K)": 4.2}

    def state(self, array: int) -> Mapping[str, np.ndarray]:
        return {"cells": self.cells[array].copy()}

    def restore(self, array: int, state: Mapping[str, np.ndarray]) -> None:
        self.cells[array] = state["cells"].copy()
