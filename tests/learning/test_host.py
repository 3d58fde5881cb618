"""A learning step has the host wait for nothing: neither here nor, where there is one, on a GPU."""

import pytest
import torch

from devices.seal import seal
from learning.decorrelation import DecorrelationSettings
from learning.learner import Learner, LearningSettings
from learning.losses import LOSSES
from learning.optimisers import OptimiserSettings
from learning.requirements import PerturbationSettings, RuleSettings
from learning.rules import RULES, Rule
from learning.rules.weight_mirror import WeightMirror
from tests.chips import make_chip
from tests.host import waits_of

SIZES = (9, 8, 7, 3)
ON_THE_HOST = {"np_observed"}
"""Rules that count their trials, in a tensor that is on the host from the start."""


def a_learner(made: Rule, resamples: int) -> Learner:
    chip = seal(make_chip(SIZES, decorrelated=True))
    passes = PerturbationSettings(resamples=resamples) if made.perturbs else None
    settings = LearningSettings(
        RuleSettings(made, passes),
        OptimiserSettings("adam", 1e-3, 0.9, "dense"),
        DecorrelationSettings(1e-3),
    )
    generators = (torch.Generator().manual_seed(seed) for seed in (1, 2))
    return Learner(chip, settings, LOSSES["cross_entropy"], *generators)


@pytest.mark.parametrize("resamples", [1, 3])
@pytest.mark.parametrize(
    "rule",
    [
        *(rule() for name, rule in RULES.items() if name not in ON_THE_HOST),
        WeightMirror(output_error="critic", slope="observed"),
    ],
    ids=repr,
)
def test_a_step_waits_for_nothing(rule, resamples):
    learner = a_learner(rule, resamples)
    x, target = torch.randn(12, 9), torch.randint(3, (12,))
    learner.step(x, target)
    found = waits_of(lambda: [learner.step(x, target) for _ in range(2)])
    # torch's Adam counts its steps on the host
    assert [each for each in found if "optimisers.py" not in each] == []


@pytest.mark.parametrize(
    "wait",
    [
        lambda a: a.sum().item(),
        lambda a: bool((a > 0).any()),
        lambda a: a[a > 0],
        lambda a: a.nonzero(),
        lambda a: torch.equal(a, a),
    ],
)
def test_what_waits_is_found(wait):
    a = torch.randn(5)
    assert len(waits_of(lambda: wait(a))) >= 1
    assert waits_of(lambda: a[torch.tensor([1, 2])] + a.sum()) == []
