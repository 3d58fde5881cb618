"""Learning rules, one file a rule, by the names that scenarios use."""

from __future__ import annotations

from learning.rules.activity_node_perturbation import ActivityNodePerturbation
from learning.rules.base import PerturbationRule, Trial
from learning.rules.iterative_node_perturbation import IterativeNodePerturbation
from learning.rules.node_perturbation import NodePerturbation

PERTURBATION_RULES: dict[str, PerturbationRule] = {
    "np": NodePerturbation(),
    "inp": IterativeNodePerturbation(),
    "anp": ActivityNodePerturbation(),
}

__all__ = ["PERTURBATION_RULES", "PerturbationRule", "Trial"]
