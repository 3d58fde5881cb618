"""A crossbar instrument driven by SCPI through PyVISA; the simulated one where none is there.

    V = 0.1 V x,    I = G V,    W x = I / (50 µS 0.1 V)

The commands are those of `crossbar_instrument.py`, of a made-up instrument: put those of yours in
their place. Check it with `substrate verify scpi_bench.py:ScpiBench`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import crossbar_instrument
import numpy as np
import pyvisa
from pydantic import BaseModel, Field, PositiveFloat, PositiveInt

from devices.bench import ArraySize, Bench

VOLTS = 0.1
"""Of an input of 1."""
SIEMENS = 50.0
"""µS of a weight of 1."""


class ScpiBench(Bench):
    """Two arrays of differential pairs: read, programmed and pulsed by SCPI."""

    title: ClassVar[str] = "made-up crossbar instrument, by SCPI"
    citation: ClassVar[str] = "none: the instrument is simulated, no device was measured"
    arrays: Sequence[ArraySize] = (ArraySize(rows=64, columns=16), ArraySize(rows=16, columns=10))
    largest_input = crossbar_instrument.MOST_VOLTS / VOLTS
    largest_weight = crossbar_instrument.LARGEST / SIEMENS
    step = crossbar_instrument.PULSE / SIEMENS
    connection = ("address", "library")

    class Settings(BaseModel, extra="forbid", frozen=True):
        """Where the instrument is."""

        address: str = Field(crossbar_instrument.ADDRESS, description="VISA resource name")
        library: str = Field(
            "simulated", description="VISA library, such as @py; empty for the one installed"
        )
        timeout: PositiveFloat = Field(10.0, description="of an answer, s")
        drives: PositiveInt = Field(100, description="read vectors in one query, a number")

    settings: Settings

    def open(self) -> None:
        """Connect, and see who answers."""
        self._random = np.random.default_rng()
        if self.settings.library == "simulated":
            manager = crossbar_instrument.manager()
        else:
            manager = pyvisa.ResourceManager(self.settings.library)
        self._instrument = manager.open_resource(
            self.settings.address,
            read_termination="\n",
            write_termination="\n",
            timeout=1000 * self.settings.timeout,
        )
        self._tell("*RST")
        sizes = self._instrument.query("ARR:CAT?")
        wanted = ",".join(f"{size.rows}x{size.columns}" for size in self.arrays)
        if sizes != wanted:
            raise ConnectionError(f"the instrument has arrays of {sizes}, and not {wanted}")

    def close(self) -> None:
        """Disconnect."""
        self._instrument.close()

    def read(self, array: int, x: np.ndarray) -> np.ndarray:
        """Drive the rows, many vectors in one query."""
        return self._currents(f"ARR{array + 1}:READ?", x, self.arrays[array].columns)

    def read_transposed(self, array: int, y: np.ndarray) -> np.ndarray:
        """Drive the columns."""
        return self._currents(f"ARR{array + 1}:BACK?", y, self.arrays[array].rows)

    def program(self, array: int, weights: np.ndarray) -> None:
        """Write conductances."""
        self._tell(f"ARR{array + 1}:WRIT {_listed(SIEMENS * weights)}")

    def update(self, array: int, change: np.ndarray) -> None:
        """Pulse every cell; what is less than a pulse becomes one with the fitting chance."""
        pulses = np.floor(change / self.step + self._random.random(change.shape))
        if pulses.any():
            self._tell(f"ARR{array + 1}:PULS {_listed(pulses)}")

    def metrics(self) -> Mapping[str, float]:
        """Give the temperature of the stage."""
        return {"temperature (K)": float(self._instrument.query("MEAS:TEMP?"))}

    def _currents(self, query: str, drives: np.ndarray, lines: int) -> np.ndarray:
        given = [
            np.array(self._ask(f"{query} {_listed(VOLTS * part)}").split(","), dtype=np.float64)
            for part in _parts(drives, self.settings.drives)
        ]
        return np.concatenate(given).reshape(len(drives), lines) / (SIEMENS * VOLTS)

    def _ask(self, query: str) -> str:
        try:
            return self._instrument.query(query)
        except pyvisa.VisaIOError as problem:
            error = self._instrument.query("SYST:ERR?")
            raise ConnectionError(f"{query[:20]}…: {error} ({problem.abbreviation})") from problem

    def _tell(self, command: str) -> None:
        self._instrument.write(command)
        error = self._instrument.query("SYST:ERR?")
        if not error.startswith("0,"):
            raise ConnectionError(f"{command[:20]}…: {error}")


def _parts(drives: np.ndarray, most: int) -> Iterator[np.ndarray]:
    for start in range(0, len(drives), most):
        yield drives[start : start + most]


def _listed(values: np.ndarray) -> str:
    return ",".join(f"{value:.4g}" for value in values.ravel().tolist())
