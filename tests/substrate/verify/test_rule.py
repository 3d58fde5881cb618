"""The conformance kit finds what is wrong with a learning rule: shipped ones, each with a fault."""

import re

import pytest
import torch

from learning.rules import Rule
from learning.rules.activity_node_perturbation import ActivityNodePerturbation
from substrate.verify import RuleConformance, run_checks
from substrate.verify.statistics import exceed_zero
from tests.substrate.verify import rule_faults as faults

FAULTS: list[tuple[type[Rule], str, str]] = [
    (faults.Uphill, "one_layer", "must be greater than 0"),
    (faults.Uphill, "layers", "must be greater than 0"),
    (faults.UphillInTheFirstLayer, "layers", "layer 1, input .*must be greater than 0"),
    (faults.WithoutTheNumberOfNodes, "one_layer", r"drawn 0\.[12].*, stated 1"),
    (faults.DividesByTheDeviation, "one_layer", r"drawn 0\.00.*, stated 1"),
    (faults.NormOfOnePosition, "convolution", "stated 1"),
    (faults.BatchMean, "layers", "must be greater than 0"),
    (faults.BatchMeanOfTheDerivative, "layers", "must be greater than 0"),
    (faults.WrongLayer, "layers", "layer"),
    (faults.ObservesThePerturbedPass, "layers", "stated"),
    (faults.NormOfAnotherLayer, "layers", "layer 2.*stated 1"),
    (faults.SaysThatItIsUnbiased, "layers", "stated"),
    (faults.MirrorFleesItsMisfit, "layers", "must be greater than 0"),
    (faults.MirrorFollowsTheInputsOfAnotherSample, "layers", "must be greater than 0"),
    (faults.RemembersInPlace, "leaves_alone", "changed the state before in place"),
    (
        faults.ScalesObservationsInPlace,
        "leaves_alone",
        "observations were changed in place: activity_ch",
    ),
    (faults.GivesItsStateAway, "leaves_alone", "shares memory with the state"),
    (faults.Unseeded, "repeats_under_a_seed", r"draw from trial\.generator"),
    (faults.CountsForItself, "repeats_under_a_seed", "keep nothing outside the state"),
    (faults.CountsForItself, "saves_and_restores", "keep all of it in the state"),
    (faults.StateIgnored, "remembers", "neither errors nor slopes nor requests"),
    (faults.RemembersEveryTrial, "remembers", "numbers after 3 trials, and"),
    (faults.LooksAtTheNextSample, "order_of_samples", "place in the batch"),
    (faults.UndefinedWithoutChange, "without_perturbation", "error of layer 1 is infinite"),
    (faults.DoublePrecision, "errors", "float64.* instead of .*float32"),
    (faults.WithoutPositions, "errors", "a convolution"),
    (faults.ClassesAlone, "errors", "must be long"),
    (faults.TakesTheDerivative, "needs", "does not declare Capability.LOSS_DERIVATIVE"),
    (faults.TakesTheSlope, "needs", "'activation_derivative', and the rule does not declare it"),
    (faults.WantsMirrorsNowhere, "needs", "has no mirror"),
    (faults.WantsMirrorsNowhere, "declarations_fit_together", "say in `mirror_on` where"),
    (faults.ReadsBackwards, "needs", "'transposed_read', and the rule does not declare it"),
    (faults.ReadsBackwards, "declarations_fit_together", "needs Capability.TRANSPOSED_READ"),
    (faults.KnowsWhatNobodyCan, "declarations_fit_together", "needs? Capability.INJECT"),
    (faults.ReadsInputsUnsaid, "reads", "does not declare: `reads_inputs`"),
    (faults.GoesByTheSetSigma, "reads", "does not declare: `knows_perturbation`"),
    (faults.HasInputsReadForNothing, "reads", "does not read: `reads_inputs`"),
    (faults.SaysThatAllTrialsAgree, "averages_errors", "says that none does"),
    (faults.Undescribed, "describes_itself", "`gain` has no description"),
    (faults.Unwritable, "settings_can_be_written_out", "settings read again"),
    (faults.CalledOn, "settings_can_be_written_out", "the key `on` as True; name it otherwise"),
]


@pytest.mark.parametrize(("fault", "check", "reason"), FAULTS)
def test_every_fault_is_found(fault: type[Rule], check: str, reason: str) -> None:
    kit = type("Kit", (RuleConformance,), {"rule": fault(), "replicas": 30, "warm_up": 40})
    with pytest.raises((AssertionError, RuntimeError, IndexError), match=reason):
        getattr(kit(), f"test_{check}")()


def test_an_assertion_of_the_rules_own_is_told_by_its_place() -> None:
    kit = type("Kit", (RuleConformance,), {"rule": faults.KnowsWhatNobodyCan(), "replicas": 2})
    details = [each.detail for each in run_checks(kit()) if each.result == "failed"]
    assert any(re.fullmatch(r"AssertionError \(.*node_perturbation\.py:\d+\)", d) for d in details)


def test_a_sound_rule_fails_nowhere_and_says_what_was_measured() -> None:
    kit = type("Kit", (RuleConformance,), {"rule": ActivityNodePerturbation()})
    outcomes = list(run_checks(kit()))
    assert not [each for each in outcomes if each.result == "failed"]
    (layers,) = (each for each in outcomes if each.check.startswith("Goes downhill"))
    assert re.fullmatch(r"0\.\d+ to [12]\.\d+ of the gradient, along it", layers.detail)


def test_errors_that_lead_nowhere_pass_as_rarely_as_stated() -> None:
    """Two thousand rules at 5 %; a binomial bound at one in a million."""
    from scipy import stats

    trials, rate, passed = 2000, 0.05, 0
    generator = torch.Generator().manual_seed(0)
    for _ in range(trials):
        try:
            exceed_zero(torch.randn(30, 1, generator=generator), ["x"], rate)
            passed += 1
        except AssertionError:
            pass
    assert stats.binomtest(passed, trials, rate).pvalue > 1e-6
