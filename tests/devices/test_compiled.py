"""What our loops are compiled with beyond numba's own."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import njit

from devices.compiled import lowest_bit

CALLED = """
from numba import njit
FACTOR = {factor}
@njit
def times(value):
    return FACTOR * value + {added}
"""
CALLS = """
import numpy as np
from called import times
from constants import OFFSET
from devices.compiled import compiled
@compiled("void(float64[::1])")
def change(values):
    values[0] = times(values[0]) + OFFSET
held = np.ones(1)
change(held)
print(held[0], sum(change.stats.cache_hits.values()))
"""


@njit
def _lowest(word):
    return lowest_bit(word)


def test_the_lowest_bit_is_found_whatever_stands_above_it():
    for place in range(64):
        for above in (0, 1 << 63, 2**64 - 2 ** (place + 1)):
            assert _lowest(np.uint64(1 << place | above >> place << place)) == place


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[2]}")

    def run_(factor: int = 2, added: int = 0, offset: int = 0) -> list[float]:
        (tmp_path / "called.py").write_text(CALLED.format(factor=factor, added=added))
        (tmp_path / "constants.py").write_text(f"OFFSET = {offset}")
        (tmp_path / "calls.py").write_text(CALLS)
        command = [sys.executable, "-B", tmp_path / "calls.py"]
        told = subprocess.run(command, capture_output=True, text=True, check=True)
        return [float(each) for each in told.stdout.split()]

    return run_


def test_kept_code_is_taken_until_what_it_calls_has_changed(run):
    assert run() == [2, 0]
    assert run() == [2, 1]
    assert run(factor=3) == [3, 0]
    assert run(factor=3, added=4) == [7, 0]
    assert run(factor=3, added=4, offset=5) == [12, 0]
    assert run() == [2, 1]
