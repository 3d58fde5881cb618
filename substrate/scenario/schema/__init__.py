"""What a scenario file may say. `substrate schema` prints these models as a JSON Schema.

Defaults stand here and nowhere else; a resolved scenario (`scenario.yaml` in a run folder) has them
all written out.
"""

from substrate.scenario.schema.chips import AihwkitChip, Chip, IdealChip
from substrate.scenario.schema.data import Data
from substrate.scenario.schema.learning import (
    RULE_TITLES,
    Decorrelation,
    Learning,
    Optimiser,
    Perturbation,
    RuleName,
)
from substrate.scenario.schema.network import Network, Training
from substrate.scenario.schema.scenario import Arm, Scenario, Verdict

__all__ = [
    "RULE_TITLES",
    "AihwkitChip",
    "Arm",
    "Chip",
    "Data",
    "Decorrelation",
    "IdealChip",
    "Learning",
    "Network",
    "Optimiser",
    "Perturbation",
    "RuleName",
    "Scenario",
    "Training",
    "Verdict",
]
