"""Learning rules, one file a rule, by the names that scenarios use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from learning.rules.activity_node_perturbation import ActivityNodePerturbation
from learning.rules.backpropagation import Backpropagation
from learning.rules.base import PerturbationRule, RememberingRule, RuleState, Trial
from learning.rules.covariance_corrected_anp import CovarianceCorrectedANP
from learning.rules.iterative_node_perturbation import IterativeNodePerturbation
from learning.rules.node_perturbation import NodePerturbation
from learning.rules.observed_node_perturbation import ObservedNodePerturbation

PERTURBATION_RULES: dict[str, PerturbationRule] = {
    "np": NodePerturbation(),
    "np_observed": ObservedNodePerturbation(),
    "inp": IterativeNodePerturbation(),
    "anp": ActivityNodePerturbation(),
    "anp_corrected": CovarianceCorrectedANP(),
}


def perturbation_rule(name: str, settings: Mapping[str, int | float]) -> PerturbationRule:
    """Give a rule with settings in place of its defaults.

    Raises:
        TypeError: the rule has no such setting.
    """
    rule = PERTURBATION_RULES[name]
    if not settings:
        return rule
    adjustable: Any = rule
    adjusted: PerturbationRule = replace(adjustable, **settings)
    return adjusted


__all__ = [
    "PERTURBATION_RULES",
    "Backpropagation",
    "PerturbationRule",
    "RememberingRule",
    "RuleState",
    "Trial",
    "perturbation_rule",
]
