"""The instrument of `scpi_bench.py` as a QCoDeS instrument, for labs whose station is in QCoDeS.

The bench asks the instrument for its parameters and knows nothing of SCPI; QCoDeS does. With a
station of your own, take your instrument in place of `Crossbar`, and keep the bench.

Check it with `substrate verify qcodes_bench.py:QcodesBench`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import ClassVar

import crossbar_instrument
import numpy as np
from pydantic import BaseModel, Field, PositiveInt
from qcodes.instrument import InstrumentChannel, VisaInstrument
from qcodes.validators import Numbers

from devices.bench import ArraySize, Bench

VOLTS, SIEMENS = 0.1, 50.0  # V of an input of 1, µS of a weight of 1
_numbers = count(1)


class CrossbarArray(InstrumentChannel):
    """One array: conductances in µS, pulses, and currents in µA for voltages in V."""

    def __init__(self, parent: Crossbar, name: str, number: int) -> None:
        """Name the channel's commands."""
        super().__init__(parent, name)
        self._prefix = f"ARR{number}"

    def write_conductances(self, values: np.ndarray) -> None:
        """Program all cells, column by column."""
        self.parent.tell(f"{self._prefix}:WRIT {_listed(values)}")

    def pulse(self, counts: np.ndarray) -> None:
        """Pulse all cells, up or down."""
        self.parent.tell(f"{self._prefix}:PULS {_listed(counts)}")

    def currents(self, volts: np.ndarray, *, backwards: bool = False) -> np.ndarray:
        """Drive rows, or columns, with every row of `volts`; gives one row each."""
        verb = "BACK?" if backwards else "READ?"
        given = self.ask(f"{self._prefix}:{verb} {_listed(volts)}")
        return np.array(given.split(","), dtype=np.float64).reshape(len(volts), -1)


class Crossbar(VisaInstrument):
    """The made-up instrument."""

    def __init__(self, name: str, address: str, library: str | None) -> None:
        """Connect; `library` None for the VISA that is installed."""
        super().__init__(name, address, terminator="\n", visalib=library, timeout=10)
        if library == crossbar_instrument.LIBRARY:
            crossbar_instrument.simulate(self.visa_handle.visalib)
        self.add_parameter(
            "temperature", get_cmd="MEAS:TEMP?", get_parser=float, unit="K", label="stage"
        )
        self.add_parameter(
            "read_pulse",
            get_cmd="READ:WIDT?",
            get_parser=float,
            set_cmd="READ:WIDT {:.3e}",
            unit="s",
            vals=Numbers(1e-7, 1e-3),
        )
        for number in (1, 2):
            array = CrossbarArray(self, f"array{number}", number)
            self.add_submodule(f"array{number}", array)

    def tell(self, command: str) -> None:
        """Send a command, and see whether it was understood."""
        self.write(command)
        error = self.ask("SYST:ERR?")
        if not error.startswith("0,"):
            raise ConnectionError(f"{command[:20]}…: {error}")


class QcodesBench(Bench):
    """The two arrays of the instrument."""

    title: ClassVar[str] = "made-up crossbar instrument, in QCoDeS"
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
        drives: PositiveInt = Field(100, description="read vectors in one query, a number")

    settings: Settings

    def open(self) -> None:
        """Connect. QCoDeS wants a name of its own for every instrument that is open."""
        named = {"simulated": crossbar_instrument.LIBRARY, "": None}
        library = named.get(self.settings.library, self.settings.library)
        self._random = np.random.default_rng()
        self._station = Crossbar(f"crossbar_{next(_numbers)}", self.settings.address, library)
        self._station.tell("*RST")
        self._arrays = [self._station.array1, self._station.array2]

    def close(self) -> None:
        """Disconnect."""
        self._station.close()

    def read(self, array: int, x: np.ndarray) -> np.ndarray:
        """Drive the rows, many vectors in one query."""
        return self._currents(array, x, backwards=False)

    def read_transposed(self, array: int, y: np.ndarray) -> np.ndarray:
        """Drive the columns."""
        return self._currents(array, y, backwards=True)

    def program(self, array: int, weights: np.ndarray) -> None:
        """Write conductances."""
        self._arrays[array].write_conductances(SIEMENS * weights)

    def update(self, array: int, change: np.ndarray) -> None:
        """Pulse every cell; what is less than a pulse becomes one with the fitting chance."""
        self._arrays[array].pulse(np.floor(change / self.step + self._random.random(change.shape)))

    def metrics(self) -> Mapping[str, float]:
        """Give the instrument's parameter."""
        return {"temperature (K)": self._station.temperature()}

    def _currents(self, array: int, drives: np.ndarray, *, backwards: bool) -> np.ndarray:
        most = self.settings.drives
        parts = [
            self._arrays[array].currents(VOLTS * drives[start : start + most], backwards=backwards)
            for start in range(0, len(drives), most)
        ]
        return np.concatenate(parts) / (SIEMENS * VOLTS)


def _listed(values: np.ndarray) -> str:
    return ",".join(f"{value:.4g}" for value in values.ravel().tolist())
