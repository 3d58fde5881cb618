"""On which rung of the ladder an arm stands: what it asks of its hardware."""

from __future__ import annotations

from devices.interface import Capability
from learning.requirements import required_capabilities
from substrate.record.summary import Rung
from substrate.scenario.capabilities import rule_settings
from substrate.scenario.schema import Arm, IdealChip


def rung_of(arm: Arm) -> Rung:
    """Give the highest rung that an arm's rule and passes need."""
    needs = required_capabilities(rule_settings(arm.learning))
    if Capability.TRANSPOSED_READ in needs:
        # an ideal chip is backpropagated through as a whole
        return "gradients" if isinstance(arm.chip, IdealChip) else "transposed reads"
    if Capability.CLEAN_PASS in needs:
        return "clean pass"
    return "mirror" if arm.learning.make_rule().mirror_on else "observe"
