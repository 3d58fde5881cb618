"""The doubling search."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from substrate.data import load_dataset
from substrate.run.training import Divergence, Epoch
from substrate.scenario.load import load_scenario
from substrate.scenario.schema import Scenario
from substrate.tune import search
from substrate.tune.search import Attempt, attempts, highest_stable

CPU = torch.device("cpu")


def tried(scenario: Scenario, start: float, name: str = "backpropagation") -> list[Attempt]:
    return list(attempts(scenario, name, 0, load_dataset(scenario.data), CPU, start=start))


@pytest.fixture
def scenario(tiny: Path) -> Scenario:
    return load_scenario(
        tiny,
        [
            "training.epochs=1",
            "baselines.backpropagation={learning: \
{rule: bp, optimiser: {name: sgd, learning_rate: 9}}}",
        ],
    )[0]


def test_rates_double_until_the_first_that_is_unstable(scenario: Scenario) -> None:
    each = tried(scenario, 0.05)
    assert [attempt.learning_rate for attempt in each] == [0.05 * 2**n for n in range(len(each))]
    assert [attempt.stable for attempt in each] == [True] * (len(each) - 1) + [False]
    assert each[-1].reason
    assert highest_stable(each) == each[-2].learning_rate
    assert len(each) > 2


def test_a_rate_that_is_far_too_high_has_no_stable_one_below(scenario: Scenario) -> None:
    each = tried(scenario, 1e4)
    assert [attempt.stable for attempt in each] == [False]
    assert highest_stable(each) is None


class Played:
    """Stands in for training: final losses by learning rate."""

    def __init__(self, scenario: Scenario, name: str, *_: object) -> None:
        self.rate = scenario.all_arms[name].learning.optimiser.learning_rate

    def epochs(self) -> Iterator[Epoch]:
        losses = {1.0: 1.0, 2.0: 0.8, 4.0: 0.87, 8.0: 0.89}
        for number, loss in enumerate((1.05, losses.get(self.rate, float("inf")))):
            if loss == float("inf"):
                raise Divergence(number, "test loss is inf")
            yield Epoch("arm", 0, number, None, None, loss, None, 0.0)


def test_a_rate_may_end_a_tenth_above_the_best_lower_one(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "ArmRun", Played)
    each = tried(scenario, 1.0)
    assert [(attempt.learning_rate, attempt.stable) for attempt in each] == [
        (1.0, True),
        (2.0, True),
        (4.0, True),  # 0.87 ≤ 1.1 · 0.80
        (8.0, False),  # 0.89 > 0.88
    ]
    assert each[-1].reason == "the loss ends above 0.88"


def test_divergence_ends_the_search(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "ArmRun", Played)
    (only,) = tried(scenario, 16.0)
    assert (only.stable, only.validation_loss) == (False, None)
    assert only.reason == "validation loss is inf in epoch 1"
