"""Writes this folder's raw files: a made-up lab's measurements of a made-up oxide memristor.

NO DEVICE WAS MEASURED. Cells are drawn from the figures below with numpy and seed 20; the walk in
docs/lab.md finds them again. `python scenarios/lab/make.py [FOLDER]` writes the same bytes anew.
"""

import sys
from pathlib import Path

import numpy as np

SEED = 20
CELLS, CYCLES, PULSES = 6, 3, 120
G_MIN, G_MAX = 4e-6, 44e-6  # S, mean bounds of the window
BOUND_SPREAD = 0.05  # of the window, from cell to cell
STEP_UP, STEP_DOWN = 0.9e-6, 1.1e-6  # S, at the middle of the window, soft bounds
STEP_SPREAD = 0.15  # from cell to cell
CYCLE_SPREAD = 0.3  # from pulse to pulse
READ_NOISE = 0.12e-6  # S, at 20 µS, growing with the square root of G
WRITE_NOISE = 0.2e-6  # S, what a written state differs by from where pulses go on
NU, NU_SPREAD = 0.04, 0.25  # drift exponent, and its spread from cell to cell
RATE, SAMPLES = 10e3, 12_000  # of the recording of one cell's current
DWELL_LOW, DWELL_HIGH, HOP = 4e-3, 1.5e-3, 90.0  # s, s, nA
WHITE, PINK, DRIFT = 15.0, 1.0, 12.0  # nA a sample; nA/√Hz at 10 Hz; nA/s


def read_noise(g, rng):
    return rng.normal(size=np.shape(g)) * READ_NOISE * np.sqrt(np.abs(g) / 20e-6)


def pulse_table(rng):
    rows = ["# SynthLab PA-1, made-up data, no device was measured", "# read at 0.1 V, 1 us pulses"]
    rows.append("Cell;Cycle;Pulse;V_pulse (V);G (uS)")
    for cell in range(1, CELLS + 1):
        window = G_MAX - G_MIN
        low = G_MIN + window * BOUND_SPREAD * rng.normal()
        high = G_MAX + window * BOUND_SPREAD * rng.normal()
        gain = 1 + STEP_SPREAD * rng.normal()
        g = low + 0.1 * (high - low)
        for cycle in range(1, CYCLES + 1):
            number = 0
            for step, bound, volts in ((STEP_UP, high, 1.2), (-STEP_DOWN, low, -1.4)):
                for _ in range(PULSES):
                    number += 1
                    relative = (bound - g) / (bound - (low + high) / 2)
                    g += step * gain * relative * (1 + CYCLE_SPREAD * rng.normal())
                    g = min(max(g, low), high)
                    shown = g + WRITE_NOISE * rng.normal()
                    shown += read_noise(shown, rng)
                    row = f"C{cell};{cycle};{number};{volts};{shown * 1e6:.3f}"
                    rows.append(row.replace(".", ","))
    return rows


def retention_table(rng):
    times = np.geomspace(10, 1e5, 15)
    cells = [NU * (1 + NU_SPREAD * rng.normal()) for _ in range(12)]
    rows = ["time (s)," + ",".join(f"C{cell + 1} (uS)" for cell in range(len(cells)))]
    starts = rng.uniform(10e-6, 40e-6, len(cells))
    for t in times:
        g = starts * (t / times[0]) ** -np.array(cells)
        g = g + read_noise(g, rng)
        rows.append(f"{t:.2f}," + ",".join(f"{each * 1e6:.4f}" for each in g))
    return rows


def read_table(rng):
    rows = ["cycle\tread\tG (uS)"]
    for level, g in enumerate((6e-6, 12e-6, 20e-6, 30e-6, 42e-6), 1):
        noisy = g + read_noise(np.full(100, g), rng)
        rows += [f"{level}\t{read}\t{each * 1e6:.4f}" for read, each in enumerate(noisy, 1)]
    return rows


def current_trace(rng):
    step = 1 / RATE
    keep = np.exp(-step * (1 / DWELL_LOW + 1 / DWELL_HIGH))
    high = DWELL_HIGH / (DWELL_LOW + DWELL_HIGH)
    state, states = 0, []
    for draw, value in zip(rng.random(SAMPLES), rng.random(SAMPLES), strict=True):
        state = state if draw < keep else int(value < high)
        states.append(state)
    frequencies = np.fft.rfftfreq(SAMPLES, step)
    spectrum = np.zeros(len(frequencies), complex)
    scale = PINK * np.sqrt(10.0 * SAMPLES * RATE / 4)
    phases = rng.normal(size=(2, len(frequencies) - 1))
    spectrum[1:] = (phases[0] + 1j * phases[1]) * scale / np.sqrt(frequencies[1:])
    current = 2000 + HOP * np.array(states) + WHITE * rng.normal(size=SAMPLES)
    current += np.fft.irfft(spectrum, SAMPLES) + DRIFT * step * np.arange(SAMPLES)
    rows = ["SynthLab scope, made-up data, no device was measured", "gain 1e6 V/A", ""]
    rows.append("t (ms)\tI (nA)")
    rows += [f"{i * step * 1e3:.1f}\t{value:.1f}" for i, value in enumerate(current)]
    return rows


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    for name, make in (
        ("pulses.csv", pulse_table),
        ("retention.csv", retention_table),
        ("reads.txt", read_table),
        ("current.txt", current_trace),
    ):
        folder.joinpath(name).write_text("\n".join(make(rng)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
