"""Traces: read from every format, replayed as recorded."""

from pathlib import Path

import numpy as np
import pyarrow
import pytest
import torch
from pyarrow import parquet
from pydantic import ValidationError
from scipy.io import savemat

from devices.measurement_columns import MeasurementError
from devices.noise.base import Memory
from devices.noise.trace import TraceNoise
from devices.noise.trace_file import read_trace

SAMPLES = np.random.default_rng(0).normal(2.0, 1.0, 50)


def write(folder: Path, ending: str) -> Path:
    path = folder / f"trace.{ending}"
    table = np.stack([np.arange(50.0), SAMPLES], axis=1)
    if ending == "csv":
        np.savetxt(path, table, delimiter=",", header="time,current", comments="", fmt="%.17g")
    elif ending == "txt":
        np.savetxt(path, table, fmt="%.17g")
    elif ending == "npy":
        np.save(path, table)
    elif ending == "npz":
        np.savez(path, time=table[:, 0], current=SAMPLES)
    else:
        savemat(path, {"time": table[:, :1], "current": SAMPLES})
    return path


def memory(seed: int = 0) -> Memory:
    return Memory(torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("ending", "column"),
    [
        ("csv", "current"),
        ("csv", 2),
        ("txt", 2),
        ("npy", 2),
        ("npz", "current"),
        ("mat", "current"),
    ],
)
def test_every_format_gives_the_recording(tmp_path, ending, column):
    np.testing.assert_allclose(read_trace(write(tmp_path, ending), column).samples, SAMPLES)


def test_parquet_gives_the_recording(tmp_path):
    path = tmp_path / "trace.parquet"
    parquet.write_table(pyarrow.table({"time": np.arange(50.0), "current": SAMPLES}), path)
    np.testing.assert_allclose(read_trace(path, "current").samples, SAMPLES)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("curent", "did you mean 'current'"),
        (5, "has 2 columns, counted from 1"),
    ],
)
def test_a_wrong_column_is_answered_with_the_right_ones(tmp_path, column, message):
    with pytest.raises(MeasurementError, match=message):
        read_trace(write(tmp_path, "csv"), column)


def test_files_that_hold_no_trace_are_refused(tmp_path):
    with pytest.raises(MeasurementError, match=r"there is no file .*; did you mean 'trace.csv'"):
        read_trace(write(tmp_path, "csv").with_name("trac.csv"))
    (tmp_path / "a.xlsx").touch()
    with pytest.raises(MeasurementError, match="files are read from"):
        read_trace(tmp_path / "a.xlsx")
    np.save(tmp_path / "nan.npy", [1.0, np.nan, 3.0])
    with pytest.raises(MeasurementError, match="1 of 3 samples are not finite, the first in row 2"):
        read_trace(tmp_path / "nan.npy")
    np.save(tmp_path / "object.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(MeasurementError, match=r"object\.npy cannot be read"):
        read_trace(tmp_path / "object.npy")


def test_a_sequential_replay_is_the_recording_itself(tmp_path):
    path = write(tmp_path, "npy")
    model = TraceNoise(
        path=path, column=2, sampling_rate=1e3, scale=2.0, centre=False, start="sequential"
    )
    held = memory()
    parts = [model.sample(torch.zeros(reads, 1), held) for reads in (7, 50)]
    recording = np.roll(SAMPLES, -int(held.past["start"]))
    wanted = 2 * np.concatenate([recording, recording[:7]])
    np.testing.assert_allclose(torch.cat(parts)[:, 0], wanted, rtol=1e-6)


def test_reads_slower_than_the_recording_skip_samples(tmp_path):
    model = TraceNoise(
        path=write(tmp_path, "npy"),
        column=2,
        sampling_rate=1e3,
        read_interval=3e-3,
        start="sequential",
    )
    noise = model.sample(torch.zeros(10, 1), held := memory())[:, 0]
    recording = np.roll(SAMPLES - SAMPLES.mean(), -int(held.past["start"]))
    np.testing.assert_allclose(noise, recording[:30:3], rtol=1e-4, atol=1e-6)


def test_lines_start_apart(tmp_path):
    path = write(tmp_path, "npy")
    spread = TraceNoise(path=path, column=2, sampling_rate=1.0, start="sequential")
    noise = spread.sample(torch.zeros(1, 5), held := memory())[0]
    recording = np.roll(SAMPLES - SAMPLES.mean(), -int(held.past["start"][0]))
    np.testing.assert_allclose(noise, recording[::10], rtol=1e-4, atol=1e-6)
    at_random = TraceNoise(path=path, column=2, sampling_rate=1.0)
    first = at_random.sample(torch.zeros(1, 500), memory())
    assert first.unique().numel() > 40


@pytest.mark.parametrize("end", ["wrap", "stop"])
@pytest.mark.parametrize("start", ["random", "sequential"])
def test_arrays_do_not_share_their_noise(tmp_path, start, end):
    if (start, end) == ("random", "stop"):
        pytest.skip("refused: lines would not end alike")
    path = tmp_path / "white.npy"
    np.save(path, np.random.default_rng(0).normal(size=60_000))
    model = TraceNoise(path=path, start=start, end=end)
    first, second = (
        model.sample(torch.zeros(2000, 4), Memory(torch.Generator().manual_seed(seed))).flatten()
        for seed in (1, 2)
    )
    z = (first * second).mean() / (first * second).std() * len(first) ** 0.5
    assert abs(z) < 5


def test_a_trace_that_stops_says_so(tmp_path):
    model = TraceNoise(
        path=write(tmp_path, "npy"), column=2, sampling_rate=1.0, start="sequential", end="stop"
    )
    held = memory()
    model.sample(torch.zeros(25, 2), held)
    with pytest.raises(RuntimeError, match="at its end: 25 samples a line, 26 needed"):
        model.sample(torch.zeros(1, 2), held)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"read_interval": 1e-3}, "must be between 1 and 49"),
        ({"end": "stop"}, "needs start: sequential"),
    ],
)
def test_impossible_replays_are_refused(tmp_path, wrong, message):
    settings = {"path": write(tmp_path, "npy"), "column": 1, "sampling_rate": 100.0} | wrong
    with pytest.raises(ValidationError, match=message):
        TraceNoise.model_validate(settings)


def test_a_sample_that_is_missing_takes_no_time_away(tmp_path):
    path = tmp_path / "times.csv"
    rows = [f"{0.001 * n:.3f},{n if n % 3 else 'nan'}\n" for n in range(1, 31)]
    path.write_text("time (s),current\n" + "".join(rows))
    found = read_trace(path, missing="drop")
    assert len(found.samples) == 30
    assert found.sampling_rate == pytest.approx(1000)
    np.testing.assert_array_equal(found.samples[:6], [1, 2, 2, 4, 5, 5])
    assert "10 samples without a number take the one before" in found.notes
    path.write_text("current\n" + "".join(row.split(",")[1] for row in rows))
    assert len(read_trace(path, sampling_rate=1000.0, missing="drop").samples) == 20
