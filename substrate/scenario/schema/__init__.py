"""What a scenario file may say. `substrate schema` prints these models as a JSON Schema.

Defaults stand here and nowhere else; a resolved scenario (`scenario.yaml` in a run folder) has them
all written out.
"""

from substrate.scenario.schema.aihwkit import AihwkitChip
from substrate.scenario.schema.bench import BenchChip, MockChip
from substrate.scenario.schema.chips import Chip, IdealChip
from substrate.scenario.schema.costs import Costs
from substrate.scenario.schema.custom import CustomChip
from substrate.scenario.schema.data import Data, Digits, Gaussian
from substrate.scenario.schema.learning import (
    Decorrelation,
    Learning,
    Optimiser,
    Perturbation,
)
from substrate.scenario.schema.native import NativeChip
from substrate.scenario.schema.network import (
    ActivationFunction,
    Conv,
    LeakyRelu,
    LossFunction,
    Network,
    Staircase,
    Training,
)
from substrate.scenario.schema.remote import RemoteChip
from substrate.scenario.schema.scenario import Alignment, Arm, Scenario, Verdict

__all__ = [
    "ActivationFunction",
    "AihwkitChip",
    "Alignment",
    "Arm",
    "BenchChip",
    "Chip",
    "Conv",
    "Costs",
    "CustomChip",
    "Data",
    "Decorrelation",
    "Digits",
    "Gaussian",
    "IdealChip",
    "LeakyRelu",
    "Learning",
    "LossFunction",
    "MockChip",
    "NativeChip",
    "Network",
    "Optimiser",
    "Perturbation",
    "RemoteChip",
    "Scenario",
    "Staircase",
    "Training",
    "Verdict",
]
