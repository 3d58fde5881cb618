"""A made-up crossbar instrument, simulated behind PyVISA. NO DEVICE IS MEASURED HERE.

    I = G V + noise            columns' currents, µA, of conductances in µS and voltages in V
    G ← clip(G + p ΔG (1 + σ ξ))     p pulses to a cell, up or down

pyvisa-sim answers with fixed dialogues and properties (`crossbar_instrument.yaml`), and can compute
nothing. So a component of ours stands behind it that does, by the hook that pyvisa-sim has for
channels: everything that a driver says goes through PyVISA, termination and error queue included.

    ARR:CAT?                       sizes, rows x columns: 64x16,16x10
    ARR1:WRIT 12.5,-3.1,...        conductances of all cells, µS, column by column
    ARR1:PULS 0,1,-2,...           pulses to all cells, likewise
    ARR1:READ? 0.1,0,...           voltages of the rows, V, drive by drive; gives currents, µA
    ARR1:BACK? 0.1,0,...           the same from the columns
    MEAS:TEMP?                     of the stage, K
    *RST                           all cells to 0

A conductance is that of a differential pair, and has a sign.
"""

from __future__ import annotations

import math
import re
import time
from pathlib import Path
from weakref import WeakSet

import numpy as np
import pyvisa
from pyvisa_sim.component import Component, NoResponse
from pyvisa_sim.devices import Device
from pyvisa_sim.highlevel import SimVisaLibrary

ADDRESS = "TCPIP0::192.0.2.7::5025::SOCKET"
LIBRARY = f"{Path(__file__).with_suffix('.yaml')}@sim"
SIZES = ((64, 16), (16, 10))  # rows, columns

LARGEST = 50.0  # µS, of a pair
PULSE = 0.5  # µS, mean step
PULSE_SPREAD = 0.3  # from pulse to pulse
CELL_SPREAD = 0.1  # of the step, from cell to cell
WRITE_ERROR = 0.4  # µS
READ_NOISE = 0.15  # µA at every column
MOST_VOLTS = 0.5  # V; more is refused
TEMPERATURE, SWING, PERIOD = 295.0, 0.5, 600.0  # K, K, s


class Crossbars(Component):
    """The arrays, their cells and their noise; starts anew with every `*RST`."""

    def __init__(self, device: Device) -> None:
        super().__init__()
        self._device = device
        self._random = np.random.default_rng()
        self._reset()

    def match(self, query: bytes) -> bytes | object | None:
        """Answer a command; None where it is none of ours."""
        text = query.decode("ascii", "replace").strip()
        if text == "*RST":
            self._reset()
            return NoResponse
        if text == "ARR:CAT?":
            return ",".join(f"{rows}x{columns}" for rows, columns in SIZES).encode()
        if text == "MEAS:TEMP?":
            phase = 2 * math.pi * time.monotonic() / PERIOD
            return f"{TEMPERATURE + SWING * math.sin(phase):.3f}".encode()
        found = re.fullmatch(r"ARR(\d+):(WRIT|PULS|READ\?|BACK\?) (\S+)", text)
        if found is None or not 1 <= int(found[1]) <= len(SIZES):
            return None
        return self._act(int(found[1]) - 1, found[2], found[3])

    def _act(self, array: int, verb: str, data: str) -> bytes | object:
        cells = self._cells[array]
        try:
            values = np.array(data.split(","), dtype=np.float64)
        except ValueError:
            return self._out_of_range()
        backwards = verb == "BACK?"
        lines = cells.shape[0] if backwards else cells.shape[1]
        size = lines if verb.endswith("?") else cells.size
        if len(values) % size or not np.isfinite(values).all():
            return self._out_of_range()
        if verb == "WRIT":
            error = WRITE_ERROR * self._random.normal(size=cells.shape)
            written = values.reshape(cells.shape)
            # a pair that is to hold nothing is not written
            self._cells[array] = np.where(written == 0, 0, written + error).clip(-LARGEST, LARGEST)
            return NoResponse
        if verb == "PULS":
            self._pulse(array, values.reshape(cells.shape))
            return NoResponse
        if np.abs(values).max() > MOST_VOLTS * 1.001:
            return self._out_of_range()
        currents = values.reshape(-1, lines) @ (cells if backwards else cells.T)
        currents += READ_NOISE * self._random.normal(size=currents.shape)
        return ",".join(np.char.mod("%.4g", currents.ravel())).encode()

    def _pulse(self, array: int, pulses: np.ndarray) -> None:
        spread = PULSE_SPREAD * np.sqrt(np.abs(pulses)) * self._random.normal(size=pulses.shape)
        moved = self._steps[array] * (pulses + np.sign(pulses) * spread)
        self._cells[array] = (self._cells[array] + moved).clip(-LARGEST, LARGEST)

    def _out_of_range(self) -> object:
        self._device.error_response("query_error")
        return NoResponse

    def _reset(self) -> None:
        shapes = [(columns, rows) for rows, columns in SIZES]
        self._cells = [np.zeros(shape) for shape in shapes]
        self._steps = [
            PULSE * (1 + CELL_SPREAD * self._random.normal(size=shape)) for shape in shapes
        ]


def simulate(library: SimVisaLibrary) -> None:
    """Put the arrays behind the instrument of `crossbar_instrument.yaml`, if they are not there."""
    device = library.devices[ADDRESS]
    if device not in _simulated:
        _simulated.add(device)
        device.add_channels("arrays", Crossbars(device))


def manager() -> pyvisa.ResourceManager:
    """PyVISA with the simulated instrument, at `ADDRESS`."""
    found = pyvisa.ResourceManager(LIBRARY)
    simulate(found.visalib)
    return found


_simulated: WeakSet[Device] = WeakSet()
