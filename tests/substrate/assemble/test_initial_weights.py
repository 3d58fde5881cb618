"""Initial weights against the distributions that scipy has of them, and what fits beside them."""

from typing import Any

import pytest
import torch
from scipy import stats

from devices.interface import LayerShape
from substrate.assemble.chip import build_chip
from substrate.assemble.dataset import checked_dataset
from substrate.assemble.initial_weights import initial_weights
from substrate.scenario.load import load_scenario
from substrate.scenario.schema import Network
from substrate.scenario.source import ScenarioError

N_IN = 300
SHAPE = LayerShape(400, N_IN)
STD = (2 / N_IN) ** 0.5
CUT = STD / stats.truncnorm.std(-2, 2)

EXPECTED: dict[str, tuple[dict[str, Any], Any]] = {
    "torch": ({}, stats.uniform(-(N_IN**-0.5), 2 * N_IN**-0.5)),
    "range": ({"initial_range": 2.45}, stats.uniform(-2.45 * N_IN**-0.5, 4.9 * N_IN**-0.5)),
    "Keras": ({"initial": "he_normal"}, stats.truncnorm(-2, 2, scale=CUT)),
    "whole": ({"initial": "kaiming_normal"}, stats.norm(scale=STD)),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_they_are_of_their_distribution(name: str) -> None:
    settings, expected = EXPECTED[name]
    (drawn,) = initial_weights([SHAPE], 0, Network(**settings))
    weights = drawn.flatten().double().numpy()
    # false alarms: 1e-6 each; of 120,000 weights this tells a cut normal from a whole one
    assert stats.kstest(weights, expected.cdf).pvalue > 1e-6
    others = [other.cdf for each, (_, other) in EXPECTED.items() if each != name]
    assert all(stats.kstest(weights, other).pvalue < 1e-12 for other in others)
    limits = stats.norm.isf(5e-7)
    moments = [float(expected.moment(order)) for order in (2, 4, 8)]
    for power, (mean, square) in ((2, moments[:2]), (4, moments[1:])):
        error = ((square - mean**2) / weights.size) ** 0.5
        assert abs((weights**power).mean() - mean) < limits * error


def test_he_normal_has_the_standard_deviation_of_he_and_no_tails() -> None:
    (drawn,) = initial_weights([LayerShape(1000, 1000)], 1, Network(initial="he_normal"))
    assert drawn.abs().max() <= 2 * CUT * (N_IN / 1000) ** 0.5 * (1 + 1e-6)
    assert float(drawn.std()) == pytest.approx(0.002**0.5, rel=0.004)


def test_layers_differ_and_a_seed_repeats() -> None:
    for initial in ("uniform", "he_normal", "kaiming_normal"):
        network = Network(initial=initial)
        first, second = initial_weights([SHAPE, SHAPE], 3, network)
        again, _ = initial_weights([SHAPE, SHAPE], 3, network)
        (other,) = initial_weights([SHAPE], 4, network)
        assert first.equal(again)
        assert not first.equal(second)
        assert not first.equal(other)


def test_a_chip_holds_them_behind_the_activation_that_is_asked_for(tiny) -> None:
    settings = ["network.initial=he_normal", "network.activation={leaky_relu: 0.2}"]
    scenario, source = load_scenario(tiny, settings)
    assert scenario.network.differentiable
    assert scenario.network.activation_title == "leaky relu of slope 0.2"
    dataset = checked_dataset(scenario, source)
    arm = scenario.baselines["backpropagation"]
    chip = build_chip(scenario, arm, dataset, 0, torch.device("cpu"))
    first, second = initial_weights(chip.shapes, 0, scenario.network)
    x = dataset.x_test[:5]
    hidden = x.flatten(1) @ first.T
    expected = torch.where(hidden < 0, 0.2 * hidden, hidden) @ second.T
    torch.testing.assert_close(chip.forward(x).output, expected)


@pytest.mark.parametrize(
    ("setting", "field", "reason"),
    [
        ("network.initial=he_normel", "network.initial", "did you mean 'he_normal'"),
        ("network.activation={leaky_relu: -1}", "network.activation.leaky_relu", "greater than or"),
        ("network.activation={leaky_relu: a}", "network.activation.leaky_relu", "valid number"),
        ("network.activation={leaky_rely: 0.2}", "network.activation", "leaky_relu"),
        ("network={initial: he_normal, initial_range: 2}", "network", "of `initial: uniform`"),
    ],
)
def test_what_makes_no_sense_is_refused(tiny, setting: str, field: str, reason: str) -> None:
    with pytest.raises(ScenarioError, match=reason) as refused:
        load_scenario(tiny, [setting])
    assert refused.value.field is not None
    assert refused.value.field.startswith(field)
