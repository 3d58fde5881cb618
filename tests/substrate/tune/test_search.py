"""The doubling search."""

from pathlib import Path

import pytest
import torch

from substrate.data import load_dataset
from substrate.record.metrics import Epoch
from substrate.record.summary import DivergedSeed
from substrate.run.workers import InProcess
from substrate.scenario.load import load_scenario
from substrate.scenario.schema import Scenario
from substrate.tune.search import Attempt, Search, highest_stable, search_rates

CPU = torch.device("cpu")


def tried(scenario: Scenario, start: float, *names: str) -> dict[str, list[Attempt]]:
    dataset = load_dataset(scenario.data)
    return search_rates(scenario, names, dataset, CPU, InProcess(), 1, start=start)


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
    each = tried(scenario, 0.05, "backpropagation")["backpropagation"]
    assert [attempt.learning_rate for attempt in each] == [0.05 * 2**n for n in range(len(each))]
    assert [attempt.stable for attempt in each] == [True] * (len(each) - 1) + [False]
    assert each[-1].reason
    assert highest_stable(each) == each[-2].learning_rate
    assert len(each) > 2


def test_a_rate_that_is_far_too_high_has_no_stable_one_below(scenario: Scenario) -> None:
    found = tried(scenario, 1e4, "backpropagation", "clean_danp")
    for each in found.values():
        assert [attempt.stable for attempt in each] == [False]
        assert highest_stable(each) is None
    assert [*found] == ["backpropagation", "clean_danp"]


def test_an_arm_that_is_named_twice_is_searched_once(scenario: Scenario) -> None:
    dataset, names = load_dataset(scenario.data), ["backpropagation"] * 2
    (each,) = search_rates(scenario, names, dataset, CPU, InProcess(), 2, start=1e4).values()
    assert [attempt.stable for attempt in each] == [False]


def played(*losses: float) -> list[Epoch]:
    return [
        Epoch(arm="arm", seed=0, epoch=number, train_loss=None, test_loss=loss, seconds=0.0)
        for number, loss in enumerate(losses)
    ]


def test_a_rate_may_end_a_tenth_above_the_best_lower_one() -> None:
    search = Search(1.0)
    for last in (1.0, 0.8, 0.87, 0.89):
        search.take(played(1.05, last), None)
    assert [(attempt.learning_rate, attempt.stable) for attempt in search.tried] == [
        (1.0, True),
        (2.0, True),
        (4.0, True),  # 0.87 ≤ 1.1 · 0.80
        (8.0, False),  # 0.89 > 0.88
    ]
    assert search.tried[-1].reason == "the loss ends above 0.88"
    assert search.next_rate is None


def test_divergence_ends_the_search() -> None:
    search = Search(16.0)
    only = search.take(played(1.05), DivergedSeed(seed=0, epoch=1, what="test loss is inf"))
    assert (only.stable, only.validation_loss) == (False, None)
    assert only.reason == "validation loss is inf in epoch 1"
    assert search.next_rate is None
