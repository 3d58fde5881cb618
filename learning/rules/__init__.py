"""Learning rules, one file a rule. What they have in common stands in `learning.rules.base`."""

from __future__ import annotations

from learning.rules.activity_node_perturbation import ActivityNodePerturbation
from learning.rules.backpropagation import Backpropagation
from learning.rules.base import Rule, RuleState, Trial
from learning.rules.covariance_corrected_anp import CovarianceCorrectedANP
from learning.rules.iterative_node_perturbation import IterativeNodePerturbation
from learning.rules.node_perturbation import NodePerturbation
from learning.rules.observed_node_perturbation import ObservedNodePerturbation
from learning.rules.weight_mirror import WeightMirror

RULES: dict[str, type[Rule]] = {
    rule.name: rule
    for rule in (
        Backpropagation,
        NodePerturbation,
        ObservedNodePerturbation,
        IterativeNodePerturbation,
        ActivityNodePerturbation,
        CovarianceCorrectedANP,
        WeightMirror,
    )
}
"""The rules that come with the project, by the name that a scenario gives them."""

__all__ = ["RULES", "Rule", "RuleState", "Trial"]
