"""Which of two laws readings are likelier under, and whether that is more than chance."""

import numpy as np
import pytest
from scipy import stats

from substrate.fit.device.closed_form import Fitted, standard_errors_ahead
from substrate.fit.device.curves import Device
from substrate.fit.device.pulse_filter import Law

LAW = Law(0.1, 0.1, 1.0, 1.0, 0.3, 1e-4, -1.0, 1.0, False)


def under(means: float, devices: int = 3, readings: int = 400, seed: int = 0) -> list[Fitted]:
    """Devices whose readings are N(0, 1), and a law that says N(mean, 1)."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(devices):
        drawn = rng.standard_normal(readings)
        pulses = np.ones(readings, dtype=np.int64)
        device = Device(f"D{number}", drawn, pulses, np.array([0]))
        found.append(Fitted(device, LAW, stats.norm.logpdf(drawn, means)))
    return found


def test_a_law_is_not_told_from_itself():
    assert standard_errors_ahead(under(0.2), under(0.2)) == 0.0


def test_the_true_law_is_ahead_of_a_wrong_one():
    assert standard_errors_ahead(under(0.0), under(0.5)) > 5
    assert standard_errors_ahead(under(0.5), under(0.0)) < -5


@pytest.mark.parametrize("seed", range(20))
def test_laws_that_are_as_wrong_are_told_apart_by_chance_alone(seed):
    # three standard errors come up once in four hundred by chance
    assert abs(standard_errors_ahead(under(0.2, seed=seed), under(-0.2, seed=seed))) < 3.5


def test_it_is_the_difference_in_its_own_standard_errors():
    one, other = under(0.0), under(0.3)
    more = np.concatenate(
        [a.log_densities - b.log_densities for a, b in zip(one, other, strict=True)]
    )
    expected = more.mean() / (more.std() / np.sqrt(len(more)))
    assert standard_errors_ahead(one, other) == pytest.approx(expected)
