"""UNTRIED SKETCH: a 32 × 32 array of memristors on an ArC TWO board, through its package pyarc2.

    W = (G⁺ - G⁻) / per_weight,    two columns a weight,    W x = (I⁺ - I⁻) / (per_weight volts)

Nobody has run this: there was no board. It was written from the interface and the overview that
pyarc2 documents (0.2): channels 0 to 15 and 32 to 47 are rows, the others columns. Before you trust
it, see that `read` drives what you think (a resistor in a corner tells), and that pulses have the
voltages of your devices: the defaults are none of any. Then

    substrate verify pyarc2_bench.py:Pyarc2Bench --set firmware=arc2fw.bin
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pyarc2 import IdleMode, Instrument, find_ids
from pydantic import BaseModel, Field, PositiveFloat, PositiveInt

from devices.bench import ArraySize, Bench

ROWS = np.array([*range(16), *range(32, 48)], dtype=np.uint64)
COLUMNS = np.array([*range(16, 32), *range(48, 64)], dtype=np.uint64)


class Pyarc2Bench(Bench):
    """One array, of 32 rows and 16 weights a row."""

    title: ClassVar[str] = "memristors on an ArC TWO, untried"
    citation: ClassVar[str] = "your devices"
    arrays: Sequence[ArraySize] = (ArraySize(rows=32, columns=16),)
    largest_input = 2.0

    class Settings(BaseModel, extra="forbid", frozen=True):
        """What depends on your devices."""

        firmware: str = Field("arc2fw.bin", description="file that came with the board")
        volts: PositiveFloat = Field(0.1, description="of an input of 1, V")
        per_weight: PositiveFloat = Field(50e-6, description="conductance of a weight of 1, S")
        pulse_up: float = Field(1.0, description="of a pulse that raises a conductance, V")
        pulse_down: float = Field(-1.0, description="of one that lowers it, V")
        nanoseconds: PositiveInt = Field(1000, description="of a pulse, ns")
        step: PositiveFloat = Field(0.01, description="that a pulse makes, about, in weight")

    settings: Settings

    def __init__(self, settings: Settings) -> None:
        """Take the step of a pulse from the settings."""
        super().__init__(settings)
        self.step = settings.step

    def open(self) -> None:
        """Connect to the first board, and release all channels from ground."""
        boards = find_ids()
        if not boards:
            raise ConnectionError("no ArC TWO is connected")
        self._random = np.random.default_rng()
        self._board = Instrument(boards[0], self.settings.firmware)
        self._board.connect_to_gnd([])

    def close(self) -> None:
        """Leave all channels at ground."""
        self._board.finalise_operation(IdleMode.HardGnd)

    def read(self, array: int, x: np.ndarray) -> np.ndarray:
        """Bias all rows at once, hold the columns at 0 V, and read their currents."""
        volts = self.settings.volts * x
        currents = np.stack([self._currents(drive) for drive in volts])
        pairs = currents[:, 0::2] - currents[:, 1::2]
        return pairs / (self.settings.per_weight * self.settings.volts)

    def update(self, array: int, change: np.ndarray) -> None:
        """Pulse cell by cell: the positive cell of a pair upwards, and the negative one."""
        wanted = change / self.settings.step
        pulses = np.floor(wanted + self._random.random(wanted.shape)).astype(int)
        for column, row in np.argwhere(pulses):
            count = pulses[column, row]
            cell = COLUMNS[2 * column + (count < 0)]
            for _ in range(abs(count)):
                self._board.pulse_one(
                    int(cell), int(ROWS[row]), self.settings.pulse_up, self.settings.nanoseconds
                )
        self._board.finalise_operation(IdleMode.SoftGnd)
        self._board.execute()
        self._board.wait()
        # Both cells of a pair only rise so. When they come near the top, lower both with
        # `pulse_down` by what they have in common, or the weights will stop to move.

    def _currents(self, volts: np.ndarray) -> np.ndarray:
        biased = [(int(channel), float(volt)) for channel, volt in zip(ROWS, volts, strict=True)]
        self._board.config_channels(biased, 0.0)
        self._board.execute()
        return np.asarray(self._board.read_slice_open(COLUMNS, False))[COLUMNS.astype(int)]
