"""The made-up devices of the benchmark have their limits where they say, and few trials run."""

import pytest

from substrate.bench.spec import SHAPES, Shape, measure


@pytest.mark.parametrize("shape", SHAPES, ids=lambda each: each.name)
def test_the_margin_is_zero_at_the_limit(shape: Shape) -> None:
    for place in (0.2, 0.5, 0.8):
        limit = shape.axis.value(place)
        assert shape.margin(limit, limit) == pytest.approx(0, abs=1e-12)


def test_trials_are_the_same_every_time() -> None:
    first, second = (measure(SHAPES[0], 0.2, 2) for _ in range(2))
    assert first == second
    assert 0 < first.runs <= 60
    assert first.grid_runs is not None
    assert first.grid_runs > first.runs


def test_of_devices_that_stall_in_some_seeds_few_limits_are_named() -> None:
    (stalls,) = (shape for shape in SHAPES if shape.stalls)
    found = measure(stalls, 0.2, 10)
    assert found.named <= 0.5
